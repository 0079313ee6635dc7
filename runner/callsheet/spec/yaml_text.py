"""Where a character inside a YAML text value is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .lines import Lines

BEFORE_VALUE: Final = re.compile(r"(?:[&!]\S*|#.*|\s+)*")  # anchors, tags, and what may stand between
BLOCK_HEADER: Final = re.compile(r"\|.*(?:\r\n|\r|\n)")
ESCAPE: Final = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)|.")


def index_in_scalar(lines: Lines, mark: int, value: str, offset: tuple[int, int]) -> int:
    """The index in the source of line and column ``offset`` (from 0) of ``value``, which is written at ``mark``.

    ``mark`` itself where value and source differ too much: folded blocks and text over several lines.
    """
    text = lines.text
    before = BEFORE_VALUE.match(text, mark)
    start = before.end() if before else mark
    index = sum(len(line) + 1 for line in value.split("\n")[: offset[0]]) + offset[1]
    match text[start : start + 1]:
        case "|":
            found = _in_block(lines, start, value, offset)
        case ">":
            found = None
        case '"' | "'":
            found = _in_quotes(text, start, index)
        case _:
            found = start + index if text.startswith(value, start) else None
    return mark if found is None else found


def _in_block(lines: Lines, start: int, value: str, offset: tuple[int, int]) -> int | None:
    """In a literal block each line of the value is a line of the source, behind the same indentation."""
    parts = value.split("\n")
    filled = next((number for number, part in enumerate(parts) if part), None)
    header = BLOCK_HEADER.match(lines.text, start)
    if filled is None or header is None or offset[0] >= len(parts):
        return None
    first = lines.position(start)[0] + 1
    indentation = len(lines.line(first + filled)) - len(parts[filled])
    return lines.start(first + offset[0]) + indentation + offset[1]


def _in_quotes(text: str, opening: int, index: int) -> int | None:
    """The index of character ``index`` of the text quoted at ``opening``; None if a line ends before it."""
    quote, at = text[opening], opening + 1
    for _ in range(index):
        if text[at : at + 1] in ("", "\n", "\r", quote) and not text.startswith("''", at):
            return None
        escape = ESCAPE.match(text, at) if quote == '"' else None
        at = escape.end() if escape else at + 1 + text.startswith("''", at)
    return at if text[at : at + 1] not in ("", "\n", "\r") else None
