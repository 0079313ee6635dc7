"""Every README is executed: its commands are run and compared with what it shows, its jobs and programs are checked.

What a block is, is told by its language:

- ``console``, ``sh``: commands after ``$ ``, run at the top of a copy of the repository; they must succeed, and what is
  shown below a command is compared (`support.readmes.fits`)
- ``yaml`` that begins with ``version:``: a job, which must be valid; other YAML must be readable
- ``python``: a program, which must run without a warning
- ``toml``: a `callsheet.toml` if it sets a provider; other TOML must be readable
- ``json``: must be readable
- ``text`` and everything else: shown, not executed

``<!-- file: PATH -->`` above a block: it shows this file of the repository, and must be the same.
``<!-- saved as: PATH -->`` above a block: commands after it find it in this file.
``<!-- in: FOLDER -->`` above commands: they are run in this folder.
``<!-- not executed: WHY -->`` above a block: it is left alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from support.checkout import ROOT, checkout_files, copy_checkout
from support.readmes import Block, Shell, blocks_of, commands_of, fits

from callsheet.project import read

READMES = [name for name in checkout_files() if Path(name).name == "README.md"]
BLOCKS = {name: list(blocks_of(name, (ROOT / name).read_text(encoding="utf-8"))) for name in READMES}
EXEMPT_AT_MOST = 6


@pytest.fixture(scope="session")
def with_media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which the media of the examples are made."""
    folder = copy_checkout(tmp_path_factory.mktemp("docs") / "callsheet")
    subprocess.run([sys.executable, "examples/make_media.py"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def checkout(with_media: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(with_media, tmp_path / "callsheet"))


@pytest.fixture
def shell(checkout: Path, tmp_path: Path) -> Shell:
    """A shell without anything of the person who runs the tests, and with the plugins of the examples."""
    (tmp_path / "home").mkdir()
    plugins = [path.parent for path in checkout.glob("examples/plugins/*/pyproject.toml")]
    for plugin in plugins:
        register(plugin, tmp_path / "site")
    env = {
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(map(str, [tmp_path / "site", *plugins])),
        "PYTHONWARNINGS": "error",
        "TMPDIR": str(tmp_path),
    }
    return Shell(checkout, env, tmp_path / "folder")


def register(plugin: Path, site: Path) -> None:
    """Make the entry points of a distribution known, as an editable install would."""
    project = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(f"{name} = {target}\n" for name, target in project["entry-points"]["callsheet"].items())
    (info / "entry_points.txt").write_text(f"[callsheet]\n{points}")


@pytest.mark.parametrize("readme", READMES)
def test_every_block_holds(readme: str, checkout: Path, shell: Shell) -> None:
    folder = (checkout / readme).parent
    for number, block in enumerate(BLOCKS[readme]):
        if block.exempt:
            continue
        if block.file:
            assert block.text == (ROOT / block.file).read_text(encoding="utf-8"), f"{block} is not {block.file}"
        if block.saved_as:
            (checkout / block.saved_as).write_text(block.text, encoding="utf-8")
        if block.folder:
            shell.run(f'cd "{checkout / block.folder}"')
        if block.language in ("console", "sh"):
            check_commands(block, shell)
        elif block.language == "python":
            check_program(block, folder, shell.env)
        elif block.language == "yaml":
            check_yaml(block, checkout / (block.saved_as or f"{folder}/block-{number}.yaml"), shell)
        elif block.language == "toml":
            check_toml(block, folder / f"block-{number}.toml")
        elif block.language == "json":
            json.loads(block.text)


def check_commands(block: Block, shell: Shell) -> None:
    """Run the commands of a block and compare what they print."""
    for command in commands_of(block.text):
        code, said = shell.run(command.text)
        assert code == 0, f"{block}: $ {command.text}\nexits with {code} and prints\n{said}"
        if command.shown:
            shown = "\n".join(command.shown)
            assert fits(command.shown, said), f"{block}: $ {command.text}\nprints\n{said}\nand not\n{shown}"


def check_program(block: Block, folder: Path, env: dict[str, str]) -> None:
    """Run a Python program."""
    command = [sys.executable, "-W", "error", "-c", block.text]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{block}:\n{done.stderr}"


def check_yaml(block: Block, path: Path, shell: Shell) -> None:
    """Validate a job; other YAML is only read."""
    if not block.text.startswith("version:"):
        yaml.safe_load(block.text)
        return
    path.write_text(block.text, encoding="utf-8")
    code, said = shell.run(f'callsheet validate --no-files "{path}"')
    assert code == 0, f"{block}:\n{said}"


def check_toml(block: Block, path: Path) -> None:
    """Read settings as callsheet does; other TOML is only read."""
    table = tomllib.loads(block.text)
    if "provider" in table or "providers" in table:
        path.write_text(block.text, encoding="utf-8")
        read(path)


def test_little_is_exempt() -> None:
    exempt = [f"{block}: {block.exempt}" for blocks in BLOCKS.values() for block in blocks if block.exempt]
    exempt += [f"{block}: no language" for blocks in BLOCKS.values() for block in blocks if not block.language]
    print(*exempt, sep="\n")
    assert len(exempt) <= EXEMPT_AT_MOST, "\n".join(exempt)


def test_links_lead_somewhere() -> None:
    links = [
        (name, link)
        for name in READMES
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text_of(name))
        if not link.startswith(("http:", "https:"))
    ]
    assert [f"{name}: {link}" for name, link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_tests_that_are_named_exist() -> None:
    named = {
        (name, file, test)
        for name in READMES
        for file, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text_of(name))
    }
    assert named

    def there(name: str, file: str, test: str) -> bool:
        path = next((top / file for top in (ROOT, (ROOT / name).parent) if (top / file).is_file()), None)
        return path is not None and (not test or f"def {test}(" in path.read_text(encoding="utf-8"))

    assert [one for one in sorted(named) if not there(*one)] == []


def text_of(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("shown", "actual", "expected"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a", "b"], "a\nc\n", False),
        (["a", "…", "z"], "a\nb\nc\nz\n", True),
        (["a", "…", "z"], "a\nz", True),
        (["…"], "", True),
        (["run … succeeded"], "run 2436a succeeded", True),
        (["price 1.0000 USD"], "price 1.0900 USD", True),
        (["price 1.0000 USD"], "price 1.2000 USD", False),
        (["a (b)"], "a (b)  \n", True),
    ],
)
def test_what_fits(shown: list[str], actual: str, expected: bool) -> None:
    assert fits(shown, actual) is expected
