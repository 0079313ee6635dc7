"""From a fresh checkout to a dubbed video: `python3 examples/start.py`. No account, no key, no cost.

It makes the virtual environment `.venv` (or uses the one that is there), installs callsheet with the sandbox into it,
makes the media of the examples, and then plans the first example, runs it in the sandbox, and runs it again.

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
JOB = "examples/01-lipsync/job.yaml"
VIDEO = "examples/01-lipsync/out/launch.mp4"


def main() -> None:
    """Install, make the media, plan, run, run again."""
    parser = argparse.ArgumentParser(description="Install callsheet and run its first example in the sandbox.")
    parser.add_argument("--venv", default=str(ROOT / ".venv"), metavar="DIR", help="the environment; default: .venv")
    python = environment(Path(parser.parse_args().venv).absolute())
    callsheet = str(Path(python).with_name("callsheet"))
    say("Install callsheet and the sandbox.", python, "-m", "pip", "install", *QUIET, "-e", ".[sandbox]")
    say("Make the media of the examples.", python, "examples/make_media.py")
    say("What would a run do, and what would it cost?", callsheet, "plan", JOB)
    say("Run it in the sandbox, which costs nothing.", callsheet, "run", JOB, "--sandbox")
    say("Run it again: all is done, so nothing is sent.", callsheet, "run", JOB, "--sandbox")
    video = ROOT / VIDEO
    print(f"\nHere is your video, {video.stat().st_size / 1000:.0f} kB: {video}")
    print(f"Put {Path(callsheet).parent} on the PATH, or call {shown(callsheet)}")


QUIET = ("--quiet", "--disable-pip-version-check")


def environment(folder: Path) -> str:
    """The interpreter of a virtual environment, which is made if it is not there."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        if sys.version_info < OLDEST:
            sys.exit("callsheet needs Python 3.11 or later, and this is {}.{}".format(*sys.version_info))
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            sys.exit("this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv")
        say("Make a virtual environment.", sys.executable, "-m", "venv", str(folder))
    return str(python)


def say(why: str, *command: str) -> None:
    """Print a command and run it; when it fails, everything ends."""
    print("\n# {}\n$ {}".format(why, " ".join(map(shown, command))), flush=True)
    code = subprocess.call(command, cwd=str(ROOT))
    if code:
        sys.exit(code)


def shown(word: str) -> str:
    """A word of a command as one would type it in the checkout."""
    return os.path.relpath(word, str(ROOT)) if word.startswith(str(ROOT)) else word


if __name__ == "__main__":
    main()
