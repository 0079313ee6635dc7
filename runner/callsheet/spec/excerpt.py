"""A diagnostic as a person reads it: the place, the problem, the source line with a caret, the way out."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.diagnostics import Diagnostic

MAX_WIDTH: Final = 160  # columns of the terminal for the source line; longer ones are cut round the caret
BEFORE_CARET: Final = 100  # of these, at most so many before the caret
TAB: Final = "    "
GUTTER: Final = 5


def render(diagnostic: Diagnostic, line_of: Callable[[str, int], str | None]) -> str:
    """Several lines without a final line break; ``line_of(file, line)`` gives a source line, or None if it cannot."""
    place = diagnostic.place
    text = f"{place}: {diagnostic.severity}[{diagnostic.code}]: {printable(diagnostic.message)}"
    number = str(place.line)
    gutter = " " * max(GUTTER, len(number))
    lines = [text]
    source = line_of(place.file, place.line) if place.line else None
    if source is not None:
        shown, caret = excerpt(source.rstrip("\r\n"), place.column)
        lines.append(f"{number:>{len(gutter)}} | {shown}".rstrip())
        if caret is not None:
            lines.append(f"{gutter} | {' ' * caret}^")
    for position, part in enumerate(diagnostic.hint.splitlines()):
        lines.append(f"{gutter} {'=' if position == 0 else ' '} {printable(part)}")
    lines += [f"{gutter} = see {where}: {printable(what)}" for where, what in diagnostic.related]
    return "\n".join(lines)


def excerpt(source: str, column: int) -> tuple[str, int | None]:
    """A source line fit for a terminal, and the terminal column (from 0) of code point ``column`` (from 1).

    The column is None if there is none (0) or if it is beyond the end of the line.
    """
    index = column - 1
    has_caret = 0 <= index <= len(source)
    before = [printable(char) for char in source[: max(0, index)]]
    after = [printable(char) for char in source[max(0, index) :]]
    cut_start = _fit(before[::-1], BEFORE_CARET if width_of(before + after) > MAX_WIDTH else MAX_WIDTH)
    kept = before[len(before) - cut_start :]
    prefix = "…" if cut_start < len(before) else ""
    left = MAX_WIDTH - width_of(kept) - len(prefix)
    tail = _fit(after, left)
    if tail < len(after):
        tail = _fit(after, left - 1)
    suffix = "…" if tail < len(after) else ""
    caret = len(prefix) + width_of(kept) if has_caret else None
    return prefix + "".join([*kept, *after[:tail]]) + suffix, caret


def _fit(parts: list[str], width: int) -> int:
    """How many of ``parts``, from the first on, fit into ``width`` columns."""
    for count, part in enumerate(parts):
        width -= width_of(part)
        if width < 0:
            return count
    return len(parts)


def printable(text: str) -> str:
    """``text`` in one line that leaves a terminal alone: tabs as spaces, control characters as U+FFFD."""
    if text.isprintable():
        return text
    return "".join(TAB if char == "\t" else _safe(char) for char in text)


def _safe(char: str) -> str:
    # Cc, Cs, Zl, Zp: what moves the cursor or cannot be written. Bidirectional controls (Cf) can reorder a line.
    bidirectional = "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
    return "\ufffd" if bidirectional or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char


def width_of(text: str | list[str]) -> int:
    """Columns that ``text`` takes in a terminal."""
    return sum(_char_width(char) for part in text for char in part)


def _char_width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
