"""Rows of a data file as they come out of every reader, and the shape of its problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.diagnostics import Diagnostic, Place
from ..errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Row:
    """A row: a map by column, or one value; ``line`` is where it begins in the file, from 1."""

    value: dict[str, Any] | Any
    line: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used; the caller fails with ``diagnostic`` (code ``bad-row``) or skips it."""

    line: int
    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file, read anew, and streamed where the format allows, by each iteration.

    ``columns`` is known at once for CSV and TSV, else None. Iteration raises SpecError where the rest of the file
    cannot be trusted (encoding, an open quote, broken JSON or YAML), because skipping would silently lose rows.
    """

    shown: str
    columns: list[str] | None
    read: Callable[[], Iterator[Row | BadRow]]

    def __iter__(self) -> Iterator[Row | BadRow]:
        return self.read()


def refusal(place: Place, code: str, message: str, hint: str = "") -> SpecError:
    """The error for a file that cannot be read on."""
    return SpecError([Diagnostic(place, code, message, hint)])


def bad_row(place: Place, message: str, hint: str = "") -> BadRow:
    """A row that the caller may skip."""
    return BadRow(place.line, Diagnostic(place, "bad-row", message, hint))
