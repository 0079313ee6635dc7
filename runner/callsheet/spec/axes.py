"""Axes: the items that steps run for, and the combinations of them that each step uses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.diagnostics import Diagnostic, Place, did_you_mean
from ..core.values import Deferred, is_known
from ..errors import SpecError
from ..expressions import ExpressionError, describe
from ..schema import Checker
from .cells import typed
from .check import axis_parents
from .data import BadRow, cell_place, read_rows
from .trees import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..core.model import Axis, Job, Located
    from .data import Row
    from .problems import Problems

_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class Item:
    """One value of an axis. ``line`` is its line in the data file, 0 when it comes from the job itself."""

    key: str
    value: Any
    line: int = 0


@dataclass(frozen=True, slots=True)
class Combination:
    """One value for each axis that a step uses: the keys by which its task is known, and the names it sees."""

    items: Mapping[str, Item]
    #: The keys in axis order.
    keys: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple([item.key for item in self.items.values()]))


class _Broken(Exception):
    """The axis has a problem that was reported."""


class Axes:
    """The axes of a bound job. Items are evaluated when first needed, and kept unless they depend on other axes."""

    def __init__(self, job: Job, names: Mapping[str, Any], problems: Problems) -> None:
        self._job = job
        self._names = dict(names)
        self._problems = problems
        self._parents = {name: axis_parents(axis, job) for name, axis in job.axes.items()}
        self._fixed: dict[str, list[Item]] = {}
        self.columns: dict[str, Sequence[str]] = {}
        self.skipped_rows: list[Diagnostic] = []

    def load(self) -> None:
        """Read every axis that stands on its own, and every combination of the others, to find all problems."""
        for name in self._job.axes:
            seen = 0
            for _ in self.combinations((name,)):
                seen += 1
            if not seen and not self._problems.failed:
                axis = self._job.axes[name]
                self._problems.warning(
                    axis.place, "empty-axis", f'the axis "{name}" has no items', "nothing runs for it"
                )

    def combinations(self, used: Sequence[str]) -> Iterator[Combination]:
        """The distinct combinations of the used axes, in order."""
        needed = self._closure(used)
        if needed == set(used):
            for names in self._product([axis for axis in self._job.axes if axis in needed], {}):
                yield Combination(names)
            return
        seen: set[tuple[str, ...]] = set()
        for names in self._product([axis for axis in self._job.axes if axis in needed], {}):
            combination = Combination({axis: names[axis] for axis in used})
            if combination.keys not in seen:
                seen.add(combination.keys)
                yield combination

    def file_of(self, axis: str) -> str:
        """The data file of an axis as the job names it."""
        tree = self._job.axes[axis].data_file
        return str(tree.constant) if tree is not None else ""

    def cell(self, axis: str, line: int, column: str) -> Place:
        """Where a cell stands in the axis's data file."""
        shown = self.file_of(axis)
        return cell_place(self._shown(shown), Path(self._job.folder) / shown, line, column)

    # -- combinations

    def _closure(self, used: Sequence[str]) -> set[str]:
        needed: set[str] = set()
        waiting = list(used)
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting.extend(self._parents[name])
        return needed

    def _product(self, axes: Sequence[str], chosen: dict[str, Item]) -> Iterator[dict[str, Item]]:
        if not axes:
            yield dict(chosen)
            return
        name, *rest = axes
        for item in self._items(name, chosen):
            chosen[name] = item
            yield from self._product(rest, chosen)
        chosen.pop(name, None)

    def _items(self, name: str, chosen: Mapping[str, Item]) -> list[Item]:
        if name in self._fixed:
            return self._fixed[name]
        axis = self._job.axes[name]
        names = {**self._names, **{axis_name: item.value for axis_name, item in chosen.items()}}
        try:
            items = list(self._evaluate(axis, names))
        except _Broken:
            items = []
        if not self._parents[name]:
            self._fixed[name] = items
        return items

    # -- the items of one axis

    def _evaluate(self, axis: Axis, names: dict[str, Any]) -> Iterator[Item]:
        keys: dict[str, int] = {}
        count = 0
        for number, (value, line) in enumerate(self._values(axis, names), 1):
            names[axis.name] = value
            if axis.where is not None and not self._condition(axis.where, names, axis, line):
                continue
            key = self._key(axis, value, names, number, line)
            if key in keys:
                self._duplicate(axis, key, keys[key], line)
                continue
            keys[key] = line
            count += 1
            if count > axis.max_items:
                hint = "raise max_items if that is meant"
                message = f'the axis "{axis.name}" has more than {axis.max_items} items'
                self._problems.error(axis.place, "too-many-items", message, hint)
                raise _Broken
            if axis.limit is None or count <= axis.limit:
                yield Item(key, value, line)

    def _values(self, axis: Axis, names: dict[str, Any]) -> Iterator[tuple[Any, int]]:
        if axis.data_file is not None:
            yield from self._rows(axis, names)
            return
        assert axis.source is not None

        def failed(located: Located, problem: ExpressionError) -> Any:
            if located.template.text not in self._problems.broken:
                self._problems.expression(located, problem, axis.place)
            raise _Broken

        value = render(axis.source, names, failed)
        if not is_known(value):
            raise _Broken  # an input or a variable is wrong, and that was reported
        if not isinstance(value, list):
            self._problems.error(
                axis.source.place, "axis-source", f'the axis "{axis.name}" is {describe(value)}, not a list'
            )
            raise _Broken
        checker = self._checker(axis)
        for index, item in enumerate(value):
            faults = checker.faults(item) if checker else ()
            for fault in faults:
                place = axis.source.at((index, *fault.path)).place
                self._problems.error(place, fault.code, f"item {index + 1}: {fault.message}", fault.hint)
            if not faults:
                yield item, 0

    def _rows(self, axis: Axis, names: dict[str, Any]) -> Iterator[tuple[Any, int]]:
        assert axis.data_file is not None
        name = str(axis.data_file.constant)
        path = Path(self._job.folder) / name
        checker = self._checker(axis)
        try:
            rows = read_rows(path, self._shown(name))
            if rows.columns is not None:
                self.columns[axis.name] = rows.columns
                self._check_columns(axis, rows.columns)
            for row in rows:
                yield from self._row(axis, row, checker, cells=rows.columns is not None)
        except SpecError as problem:
            self._problems.add(
                Diagnostic(axis.data_file.place if not d.place.line else d.place, d.code, d.message, d.hint)
                for d in problem.diagnostics
            )
            raise _Broken from None

    def _row(self, axis: Axis, row: Row | BadRow, checker: Checker | None, *, cells: bool) -> Iterator[tuple[Any, int]]:
        if isinstance(row, BadRow):
            self._bad(axis, [row.diagnostic])
            return
        value = typed(row.value, checker.schema) if checker is not None and cells else row.value
        judged = {k: v for k, v in value.items() if v is not None} if cells else value
        found = []
        for fault in checker.faults(judged) if checker is not None else ():
            column = str(fault.path[0]) if fault.path else ""
            place = self.cell(axis.name, row.line, column) if cells and column else self._line(axis, row.line)
            label = f'column "{column}": ' if column else ""
            found.append(Diagnostic(place, "bad-row", f"{label}{fault.message}", fault.hint))
        if found:
            self._bad(axis, found)
        else:
            yield value, row.line

    def _bad(self, axis: Axis, diagnostics: Sequence[Diagnostic]) -> None:
        if axis.skip_bad_rows:
            self.skipped_rows.extend(diagnostics)
            for diagnostic in diagnostics:
                self._problems.warning(diagnostic.place, diagnostic.code, diagnostic.message, "the row is left out")
        else:
            for diagnostic in diagnostics:
                self._problems.in_row(axis.place, diagnostic)

    def _checker(self, axis: Axis) -> Checker | None:
        schema = axis.schema
        place = axis.place
        if axis.schema_file is not None:
            place = axis.schema_file.place
            path = Path(self._job.folder) / str(axis.schema_file.constant)
            try:
                schema = json.loads(path.read_text(encoding="utf-8-sig"))
            except (OSError, ValueError) as problem:
                reason = problem.strerror if isinstance(problem, OSError) else f"is not JSON: {problem}"
                self._problems.error(place, "schema-file", f'"{axis.schema_file.constant}" {reason}')
                raise _Broken from None
        if schema is None:
            return None
        try:
            return Checker(schema)
        except ValueError as problem:
            self._problems.error(place, "schema-file", f'the schema of the axis "{axis.name}" is {problem}')
            raise _Broken from None

    def _check_columns(self, axis: Axis, columns: Sequence[str]) -> None:
        if axis.key and axis.key_template is None and axis.key not in columns:
            message = (
                f'the axis "{axis.name}" has the key "{axis.key}", which is no column of {self.file_of(axis.name)}'
            )
            self._problems.error(axis.place, "unknown-column", message, did_you_mean(axis.key, columns))
            raise _Broken

    # -- keys and conditions

    def _condition(self, where: Located, names: Mapping[str, Any], axis: Axis, line: int) -> bool:
        if where.template.text in self._problems.broken:
            raise _Broken
        try:
            return bool(_settled(where.template.render(names)))
        except ExpressionError as problem:
            place = where.place_in(problem.line, problem.column)
            related = ((self._line(axis, line), "in this row"),) if line else ()
            self._problems.in_row(
                place, Diagnostic(place, problem.code, problem.message, problem.hint, "error", related)
            )
            return False

    def _key(self, axis: Axis, value: Any, names: Mapping[str, Any], number: int, line: int) -> str:
        if axis.key_template is not None:
            try:
                return str(_settled(axis.key_template.template.render(names)))
            except ExpressionError as problem:
                self._problems.in_row(axis.place, Diagnostic(axis.place, problem.code, problem.message, problem.hint))
                return str(number)
        if axis.key is not None:
            key = value.get(axis.key) if isinstance(value, dict) else None
            if key is None or key == "" or not isinstance(key, _SCALARS):
                place = self._line(axis, line) if line else axis.place
                message = f'item {number} of the axis "{axis.name}" has no "{axis.key}" to be its key'
                self._problems.in_row(axis.place, Diagnostic(place, "missing-key-value", message))
                return str(number)
            return str(key)
        if isinstance(value, _SCALARS):
            return str(value)
        if number == 1:
            message = f'the axis "{axis.name}" has no key, so its items are known by their number'
            hint = 'set "key" to a column with unique values: then rows can be moved without paying again'
            self._problems.warning(axis.place, "no-key", message, hint)
        return str(number)

    def _duplicate(self, axis: Axis, key: str, first: int, line: int) -> None:
        related = ((self._line(axis, first), "the first one"),) if line else ()
        place = self._line(axis, line) if line else axis.place
        if line and axis.key and axis.key_template is None:
            place = self.cell(axis.name, line, axis.key)
        message = f'the key "{key}" of the axis "{axis.name}" is not unique'
        self._problems.in_row(axis.place, Diagnostic(place, "duplicate-key", message, "", "error", related))

    def _line(self, axis: Axis, line: int) -> Place:
        return Place(self._shown(self.file_of(axis.name)), line, 1)

    def _shown(self, name: str) -> str:
        """A file of the job as people can open it: relative to where they are, as the job file was named."""
        return str(Path(self._job.file).parent / name)


def _settled(value: Any) -> Any:
    if isinstance(value, Deferred):
        raise _Broken  # an input or a variable is wrong, and that was reported
    return value
