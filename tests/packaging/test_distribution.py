"""What users get: the wheel and the sdist are complete, and the command works from them, away from the repository."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from support.checkout import ROOT, checkout_files, copy_checkout

from callsheet import __version__

pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.timeout(300)]

ROOTS = ("runner", "plugins", "specs")
PACKAGES = ("callsheet", "callsheet_heygen", "callsheet_sandbox", "callsheet_specs", "callsheet_std")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Nothing of the repository is on the path; the build back end is."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    env |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "HOME": str(tmp_path_factory.mktemp("home"))}
    if importlib.util.find_spec("hatchling") is None:
        folder = tmp_path_factory.mktemp("hatchling")
        run(sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), "hatchling", env=env)
        env["PYTHONPATH"] = str(folder)
    return env


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def wheel(copy: Path, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(copy, tmp_path_factory.mktemp("wheel"), environ)


@pytest.fixture(scope="module")
def sdist(copy: Path, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder), cwd=copy, env=environ)
    return next(folder.glob("*.tar.gz"))


def build_wheel(source: Path, folder: Path, env: dict[str, str]) -> Path:
    """A wheel, built without a network."""
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index")
    run(*pip, "-w", str(folder), str(source), cwd=folder, env=env)
    return next(folder.glob("*.whl"))


def run(*command: str, env: dict[str, str], cwd: Path | None = None) -> str:
    """The stdout of a command that must succeed without a warning."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Place:
    """A virtual environment with nothing in it but what a test installs; other packages come from the tests' own."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder, self.env = folder, env
        run(sys.executable, "-m", "venv", "--without-pip", str(folder), env=env)
        bin_ = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python, self.command = str(bin_ / "python"), str(bin_ / "callsheet")
        purelib = run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", env=env).strip()
        # A path in a .pth file is searched, but .pth files in it are not followed: the editable callsheet of the tests'
        # environment stays out of reach, so that what works here works by what is installed here.
        (Path(purelib) / "others.pth").write_text(sysconfig.get_path("purelib"))

    def install(self, *arguments: str) -> None:
        """Install without a network."""
        pip = (sys.executable, "-m", "pip", "--python", self.python, "install", "-q", "--no-deps", "--no-index")
        run(*pip, "--no-build-isolation", *arguments, env=self.env, cwd=self.folder)

    def callsheet(self, *arguments: str) -> str:
        """What the command prints, called from a folder that has nothing to do with the repository."""
        return run(self.command, *arguments, env=self.env, cwd=self.folder)

    def where(self, package: str) -> Path:
        """The folder that a package is imported from."""
        program = f"import {package}, pathlib; print(pathlib.Path({package}.__file__).parent)"
        return Path(run(self.python, "-W", "error", "-c", program, env=self.env, cwd=self.folder).strip())

    def check(self) -> None:
        """The command works, with its plugins, its schemas and its templates."""
        assert self.callsheet("--version") == f"callsheet, version {__version__}\n"
        plugins = {plugin["prefix"]: plugin for plugin in json.loads(self.callsheet("plugins", "--json"))["plugins"]}
        assert {"heygen", "std"} <= set(plugins)
        assert [plugin["problem"] for plugin in plugins.values() if plugin["problem"]] == []
        operations = {one["name"] for one in json.loads(self.callsheet("operations", "--json"))["operations"]}
        assert {"heygen/lipsync", "heygen/translate", "std/download", "std/render"} <= operations
        assert json.loads(self.callsheet("schema"))["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        self.callsheet("init", "first")
        assert "valid" in self.callsheet("validate", "first/job.yaml")
        assert "execute" in self.callsheet("plan", "first/job.yaml")


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (name.partition("/")[::2] for name in checkout_files())
    assert held == {rest for top, rest in files if top in ROOTS and rest.partition("/")[0] in PACKAGES}


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = f"callsheet-{__version__}.dist-info"
        points = ConfigParser()
        points.read_string(archive.read(f"{info}/entry_points.txt").decode())
        metadata = archive.read(f"{info}/METADATA").decode()
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    assert dict(points["console_scripts"]) == {"callsheet": "callsheet.cli.main:main"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert dict(points["callsheet"]) == project["entry-points"]["callsheet"]
    assert f"\nVersion: {__version__}\n" in metadata
    assert (ROOT / "README.md").read_text(encoding="utf-8") in metadata
    assert "Apache License" in licence


def test_the_sdist_gives_the_same_wheel(sdist: Path, wheel: Path, environ: dict[str, str], tmp_path: Path) -> None:
    again = build_wheel(sdist, tmp_path, environ)
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_the_sdist_holds_what_is_needed_to_test_it(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in checkout_files() if not name.startswith(".")}
    assert wanted - held == set()


def test_the_command_works_from_the_wheel(wheel: Path, environ: dict[str, str], tmp_path: Path) -> None:
    place = Place(tmp_path / "venv", environ)
    place.install(str(wheel))
    for package in PACKAGES:
        assert place.where(package).is_relative_to(place.folder)
    place.check()


def test_the_command_works_from_an_editable_checkout(copy: Path, environ: dict[str, str], tmp_path: Path) -> None:
    place = Place(tmp_path / "venv", environ)
    place.install("-e", str(copy))
    for package in PACKAGES:
        assert place.where(package).is_relative_to(copy)
    place.check()
