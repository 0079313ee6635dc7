"""`callsheet --version` against importing click, which is the least that a click program can take.

Goal: at most 1.5 × its CPU time.

    python tests/benchmarks/startup.py
"""

from __future__ import annotations

import shutil
import sys

from measure import measured, report


def main() -> None:
    """Measure both, print the ratio."""
    command = shutil.which("callsheet") or sys.exit("callsheet is not installed")
    floor = measured([sys.executable, "-c", "import click"], runs=21)
    ours = measured([command, "--version"], runs=21)
    report("--version", ours, floor, goal=1.5)


if __name__ == "__main__":
    main()
