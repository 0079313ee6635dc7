"""The two commands of the README and the rules of CI, where they say no."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

STARTS = ("examples/start.py", "tests/start.py")

PROGRAM = """
import importlib.util, runpy, sys
find = importlib.util.find_spec
{change}
sys.argv = [{file!r}, "--venv", {venv!r}]
runpy.run_path({file!r}, run_name="__main__")
"""


@pytest.mark.parametrize("file", STARTS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sys.version_info = (3, 9, 2)", "callsheet needs Python 3.11 or later, and this is 3.9"),
        (
            "importlib.util.find_spec = lambda name, *more: None if name == 'ensurepip' else find(name, *more)",
            "this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv",
        ),
    ],
)
def test_what_is_missing_is_said(file: str, change: str, said: str, tmp_path: Path) -> None:
    program = PROGRAM.format(change=change, file=str(ROOT / file), venv=str(tmp_path / "venv"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{said}\n")
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("file", STARTS)
def test_an_old_python_can_read_it(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize(("ci", "end"), [("true", "1 failed, 1 xfailed, 2 errors"), ("", "3 skipped, 1 xfailed")])
def test_ci_does_not_skip(ci: str, end: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_one.py").write_text(
        "import pytest\n"
        "def test_inside(): pytest.skip('no microphone')\n"
        "@pytest.mark.skip(reason='no microphone')\n"
        "def test_marked(): pass\n"
        "@pytest.mark.xfail\n"
        "def test_expected(): assert False\n"
    )
    (tmp_path / "test_two.py").write_text("import pytest; pytest.importorskip('microphone')\n")
    options = ["-q", "-rs", "--continue-on-collection-errors", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert end in done.stdout
    assert done.returncode == (1 if ci else 0)
    assert done.stdout.count("no microphone") >= 1
