"""The lines of a source text: which line and column an index is in, and what a line says."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Final

LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Lines:
    """The lines of ``text``; lines and columns count from 1, indexes from 0, all in code points. Split when asked."""

    def __init__(self, text: str) -> None:
        self.text = text

    def position(self, index: int) -> tuple[int, int]:
        """Line and column of the character at ``index``."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Line ``number`` without its line break; empty beyond the end."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def start(self, number: int) -> int:
        """The index at which line ``number`` begins; of the last line beyond the end."""
        return self._starts[min(number, len(self._starts)) - 1]

    @cached_property
    def _lines(self) -> list[str]:
        return LINE_BREAK.split(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in LINE_BREAK.finditer(self.text))]
