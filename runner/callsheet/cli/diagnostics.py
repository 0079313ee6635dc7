"""Problems on stderr: with source line and caret, or in the forms that other programs read."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..spec.excerpt import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.diagnostics import Diagnostic
    from ..errors import CallsheetError


def show_problems(diagnostics: Sequence[Diagnostic]) -> None:
    """Every problem with its place, then their number."""
    for diagnostic in diagnostics:
        print(render(diagnostic, line_of), file=sys.stderr)
    errors = sum(d.severity == "error" for d in diagnostics)
    if errors:
        print(f"{errors} error{'' if errors == 1 else 's'}; nothing was sent", file=sys.stderr)


def show_error(problem: CallsheetError) -> None:
    """An error without a place: one line, and what to do."""
    from .common import redactor

    print(f"error: {redactor(problem.message)}", file=sys.stderr)
    if problem.hint:
        print(f"  = {redactor(problem.hint)}", file=sys.stderr)


def line_of(file: str, number: int) -> str | None:
    """A line of a file for an excerpt, None when it cannot be read."""
    lines = _lines(file)
    return lines[number - 1] if lines is not None and 0 < number <= len(lines) else None


@cache
def _lines(file: str) -> list[str] | None:
    try:
        return Path(file).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        return None


def github(diagnostic: Diagnostic) -> str:
    """A workflow command that GitHub turns into an annotation at the line."""
    place = diagnostic.place
    where = f"file={_property(place.file)}"
    if place.line:
        where += f",line={place.line},col={place.column}"
    text = diagnostic.message + (f" ({diagnostic.hint})" if diagnostic.hint else "")
    return f"::{diagnostic.severity} {where},title={_property(diagnostic.code)}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
