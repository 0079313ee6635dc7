"""Problems with a place: what `validate`, `plan` and `run` print and `--json` lists."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file. Lines and columns count from 1, columns in code points; 0 means "the whole file"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: where, what (`message`, lower case, the value in quotes) and how to mend it (`hint`).

    ``code`` is a stable kebab-case name such as ``unknown-step``; ``related`` a second place that matters,
    with a word on what is there.
    """

    place: Place
    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    related: tuple[tuple[Place, str], ...] = ()

    def as_json(self) -> dict[str, object]:
        """The published shape of `validate --json`."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A hint such as ``did you mean "lang"? known: lang, row`` for a misspelt name; lists at most twelve names."""
    names = sorted(known)
    near = get_close_matches(str(name), names, n=1, cutoff=0.6)
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    if near:
        return f'did you mean "{near[0]}"? known: {listed}'
    return f"known: {listed}" if names else ""


def by_place(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by file, line and column; equal ones once."""
    return sorted(dict.fromkeys(diagnostics), key=lambda d: (d.place, d.code, d.message))
