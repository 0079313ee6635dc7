"""Install callsheet for development and check everything: `python3 tests/start.py`.

It makes the virtual environment `.venv` (or uses the one that is there), installs callsheet into it as an editable
package with all that the tests need, and runs ruff, mypy and pytest. All of them run, even when one fails; the exit
code is that of the first that failed. Other arguments go to pytest: `python3 tests/start.py -k media`.

This file needs nothing but Python, and an old one can at least read it and say so.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("pytest", "-n", "auto", "--dist", "loadgroup"),  # the last one, so that its closing line is the last line
)


def main() -> int:
    """Install, then check."""
    what = "Install callsheet for development and run all its checks. Other arguments go to pytest."
    parser = argparse.ArgumentParser(description=what, allow_abbrev=False)
    parser.add_argument("--venv", default=str(ROOT / ".venv"), metavar="DIR", help="the environment; default: .venv")
    arguments, for_pytest = parser.parse_known_args()
    python = environment(Path(arguments.venv).absolute())
    say(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", ".[test]", needed=True)
    failed = []
    for check in CHECKS:
        more = for_pytest if check[0] == "pytest" else []
        code = say(python, "-m", *check, *more)
        if code:
            failed.append((" ".join(check), code))
    if not failed:
        return 0
    print("\nfailed: " + ", ".join(name for name, _ in failed), flush=True)
    return failed[0][1]


def environment(folder: Path) -> str:
    """The interpreter of a virtual environment, which is made if it is not there."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        if sys.version_info < OLDEST:
            sys.exit("callsheet needs Python 3.11 or later, and this is {}.{}".format(*sys.version_info))
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            sys.exit("this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv")
        say(sys.executable, "-m", "venv", str(folder), needed=True)
    return str(python)


def say(*command: str, needed: bool = False) -> int:
    """Print a command and run it; one that is needed ends everything when it fails."""
    shown = (os.path.relpath(command[0], ROOT) if command[0].startswith(str(ROOT)) else command[0], *command[1:])
    print("\n$ " + " ".join(shown), flush=True)
    code = subprocess.call(command, cwd=str(ROOT))
    if code and needed:
        sys.exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
