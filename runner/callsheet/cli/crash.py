"""Unexpected errors: the traceback goes into a report file that the message names."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from .common import redactor

if TYPE_CHECKING:
    from collections.abc import Sequence


def report(problem: BaseException, arguments: Sequence[str]) -> None:
    """Write the report, and say where it is and that the state is kept."""
    text = "".join(traceback.format_exception(problem))
    details = f"callsheet {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    details += f"command: callsheet {' '.join(arguments)}\n\n{text}"
    print(f"error: a bug in callsheet or a plugin: {type(problem).__name__}: {redactor(str(problem))}", file=sys.stderr)
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="callsheet-crash-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(redactor(details))
        print(f"  = the details are in {Path(file.name)}; what was done so far is in the state", file=sys.stderr)
    except OSError:
        print(redactor(details), file=sys.stderr)
