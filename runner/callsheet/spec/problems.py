"""Collecting problems: all of them, each with its place, in one pass."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..core.diagnostics import Diagnostic, Place, by_place
from ..errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.model import Located
    from ..expressions import ExpressionError
    from ..schema import Fault
    from .source import Source

#: The same problem in many rows is shown this often; the last one says how many there are.
_SHOWN_PER_PLACE = 5


class Problems:
    """The diagnostics of one command, over all its files."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._repeats: Counter[tuple[Place, str]] = Counter()
        #: Texts whose references lead nowhere: that is reported once, not again for every task.
        self.broken: set[str] = set()

    def error(
        self,
        place: Place,
        code: str,
        message: str,
        hint: str = "",
        related: tuple[tuple[Place, str], ...] = (),
    ) -> None:
        """Add an error."""
        self._found.append(Diagnostic(place, code, message, hint, "error", related))

    def warning(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Add a warning."""
        self._found.append(Diagnostic(place, code, message, hint, "warning"))

    def in_row(self, source: Place, diagnostic: Diagnostic) -> None:
        """Add a problem that the expression at ``source`` has in one of many rows: the first few are enough."""
        self._repeats[source, diagnostic.code] += 1
        if self._repeats[source, diagnostic.code] <= _SHOWN_PER_PLACE:
            self._found.append(diagnostic)

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add problems that were found elsewhere."""
        self._found.extend(diagnostics)

    def expression(self, located: Located | None, problem: ExpressionError, place: Place) -> None:
        """Add what is wrong with an expression, at its place inside the text where that is known."""
        exact = located.place_in(problem.line, problem.column) if located is not None else place
        self.error(exact, problem.code, problem.message, problem.hint)

    def faults(self, source: Source, path: tuple[str | int, ...], faults: Iterable[Fault]) -> None:
        """Add what a schema finds wrong with a part of a file."""
        for fault in faults:
            place = source.place((*path, *fault.path), key=fault.at_key)
            self.error(place, fault.code, fault.message, fault.hint)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Everything found so far, sorted by place; repeated ones end with their number."""
        more = [
            Diagnostic(place, code, f"the same problem in {count} tasks in all; the first {_SHOWN_PER_PLACE} are shown")
            for (place, code), count in self._repeats.items()
            if count > _SHOWN_PER_PLACE
        ]
        return by_place([*self._found, *more])

    def __len__(self) -> int:
        return len(self._found)

    @property
    def failed(self) -> bool:
        """Whether there is an error, not only warnings."""
        return any(d.severity == "error" for d in self._found)

    def stop_if_failed(self) -> None:
        """Raise `SpecError` with everything found, when there is an error."""
        if self.failed:
            raise SpecError(self.diagnostics)
