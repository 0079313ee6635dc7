"""`callsheet --help` answers at once: it loads nothing of weight."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"asyncio", "httpx", "jinja2", "jsonschema", "pluggy", "rich", "sqlite3", "yaml"}

PROGRAM = """
import contextlib, io, sys
from callsheet.cli.main import run
with contextlib.redirect_stdout(io.StringIO()) as said:
    code = run(sys.argv[1:])
print(code, len(said.getvalue()), *sorted(sys.modules))
"""


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_it_loads_nothing_of_weight(argument: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, argument], capture_output=True, text=True, check=True)
    code, said, *modules = done.stdout.split()
    assert (code, int(said) > 0) == ("0", True)
    assert HEAVY & set(modules) == set()
    # Of callsheet itself: the command and the errors.
    assert {name for name in modules if name.startswith("callsheet")} == {
        "callsheet",
        "callsheet.cli",
        "callsheet.cli.main",
        "callsheet.errors",
    }
