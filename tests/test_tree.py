"""The shape of the repository: what lies where, how long files are, and what no file says."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT, checkout_files

if TYPE_CHECKING:
    from pathlib import Path

LONGEST = 400

TOP = {
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "examples",
    "plugins",
    "pyproject.toml",
    "runner",
    "specs",
    "tests",
}

#: Machines and hosts that mean nothing to a reader. A class of one letter keeps this file out of its own net.
FORBIDDEN = re.compile(
    r"(?<![\w.~-])/(?:[w]ork|[f]arm|[r]oot|[o]pt/wheels)/|[p]ypi\.org|[p]ythonhosted\.org|[r]egistry\.npmjs|[c]rates\.io"
    r"|[p]roxy\.golang\.org|[d]eb\.debian\.org"
)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """The files that are in git or would be added."""
    return [ROOT / name for name in checkout_files()]


def test_the_top_level_is_short(files: list[Path]) -> None:
    names = {path.relative_to(ROOT).parts[0] for path in files}
    assert {name for name in names if not name.startswith(".")} == TOP


def test_no_file_names_a_machine(files: list[Path]) -> None:
    def hits(path: Path) -> list[str]:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return []
        lines = enumerate(text.splitlines(), 1)
        return [f"{path.relative_to(ROOT)}:{number}: {line}" for number, line in lines if FORBIDDEN.search(line)]

    assert [hit for path in files for hit in hits(path)] == []


def test_no_module_is_too_long(files: list[Path]) -> None:
    code = [path for path in files if path.suffix == ".py"]
    ours = [path for path in code if path.relative_to(ROOT).parts[0] in ("runner", "plugins", "specs")]
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in ours}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_every_package_that_is_shipped_is_typed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = [ROOT / name for name in settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    there = [path.parent for top in ("runner", "plugins", "specs") for path in (ROOT / top).glob("*/__init__.py")]
    assert sorted(packages) == sorted(there)
    assert [path.name for path in packages if not (path / "py.typed").is_file()] == []


def test_every_folder_of_the_top_level_explains_itself() -> None:
    assert [
        name for name in ("runner", "plugins", "specs", "examples") if not (ROOT / name / "README.md").is_file()
    ] == []
