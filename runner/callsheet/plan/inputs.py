"""The inputs of a task: rendered, media found, checked against the operation's schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.diagnostics import Diagnostic, Place
from ..core.values import Deferred, Media, known_part
from ..expressions import ExpressionError, UpstreamSkipped
from ..schema import media_kind_of
from ..spec.files import MediaProblem
from ..spec.trees import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.model import Located, Step, Tree
    from ..core.operation import BaseOperation, Problem
    from ..registry import Registry
    from ..schema import Fault
    from ..spec.axes import Combination
    from ..spec.load import BoundJob
    from ..spec.problems import Problems


class InvalidTask(Exception):
    """A task's inputs cannot be used; each problem was reported."""

    def __init__(self, diagnostics: list[Diagnostic] | None = None) -> None:
        super().__init__()
        self.diagnostics = diagnostics or []


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of a step's expressions for one combination. ``condition`` is None when only a run can tell."""

    condition: bool | None
    inputs: dict[str, Any]
    skipped: str = ""


class TaskInputs:
    """Renders and checks the inputs of tasks; used alike by `validate`, `plan` and `run`.

    ``strict`` is the check with real values, just before a task starts: nothing may be unknown then.
    """

    def __init__(self, registry: Registry, bound: BoundJob, problems: Problems) -> None:
        self._registry = registry
        self._media = bound.media
        self._axes = bound.axes
        self._source = bound.source
        self._problems = problems

    def render(self, step: Step, names: Mapping[str, Any], combination: Combination) -> Rendered:
        """The step's ``if`` and ``with``. Raises `InvalidTask` after reporting what is wrong."""
        condition: bool | None = True
        failures: list[Diagnostic] = []

        def failed(located: Located, problem: ExpressionError) -> Any:
            if located.template.text not in self._problems.broken:
                failures.append(self._at_expression(located, problem, combination))
            return Deferred("a value that could not be evaluated")

        try:
            if step.condition is not None:
                condition = self._condition(step.condition, names, failed)
                if condition is False:
                    return Rendered(False, {})
            inputs = render(step.inputs, names, failed)
        except UpstreamSkipped as skipped:
            return Rendered(condition, {}, str(skipped.message))
        if step.operation is not None:
            inputs = self._with_media(step, inputs, step.operation.inputs, (), combination, failures)
        if failures and step.operation is not None:  # what else is wrong is told in the same pass
            failures += self._faults(step, step.operation, inputs, combination)
        self._report(failures)
        return Rendered(condition, inputs)

    def check(self, step: Step, inputs: dict[str, Any], combination: Combination) -> None:
        """Report what the operation's schema and its own rules find wrong. Raises `InvalidTask`."""
        operation = step.operation
        if operation is None:
            return
        failures = self._faults(step, operation, inputs, combination)
        if not failures:
            found = operation.problems(known_part(inputs))
            failures = [self._at_problem(step, problem, combination) for problem in found]
        self._report(failures)

    def require(self, step: Step, names: Mapping[str, Any], inputs: dict[str, Any], combination: Combination) -> None:
        """Report each of the step's ``require`` that does not hold. Raises `InvalidTask`."""
        failures: list[Diagnostic] = []

        def failed(located: Located, problem: ExpressionError) -> Any:
            failures.append(self._at_expression(located, problem, combination))
            return True

        for located in step.require:
            try:
                holds = self._condition(located, {**names, "with": inputs}, failed)
            except UpstreamSkipped:
                continue
            if holds is False:
                message = f'"{step.id}" requires `{located.template.text}`, which does not hold'
                failures.append(self._diagnostic(located.place, "require", message, "", combination))
        self._report(failures)

    def report(self, place: Place, code: str, message: str, hint: str, combination: Combination) -> None:
        """Report a problem of one task found elsewhere."""
        self._problems.in_row(place, self._diagnostic(place, code, message, hint, combination))

    def _faults(
        self, step: Step, operation: BaseOperation, inputs: dict[str, Any], combination: Combination
    ) -> list[Diagnostic]:
        faults = self._registry.checker(operation).faults(inputs)
        return [self._at_fault(step, fault, combination) for fault in faults if not self._known(step, fault)]

    def _known(self, step: Step, fault: Fault) -> bool:
        """Whether the static checks have said what is wrong there."""
        located = step.inputs.at(fault.path).located
        return located is not None and located.template.text in self._problems.broken

    def _report(self, failures: list[Diagnostic]) -> None:
        for diagnostic in failures:
            place = diagnostic.related[0][0] if diagnostic.related else diagnostic.place
            self._problems.in_row(place, diagnostic)
        if failures:
            raise InvalidTask(failures)

    def _condition(self, located: Located, names: Mapping[str, Any], failed: Any) -> bool | None:
        try:
            value = located.template.render(names)
        except ExpressionError as problem:
            value = failed(located, problem)
        return None if isinstance(value, Deferred) else bool(value)

    # -- media

    def _with_media(
        self,
        step: Step,
        value: Any,
        schema: Mapping[str, Any],
        path: tuple[str | int, ...],
        combination: Combination,
        failures: list[Diagnostic],
    ) -> Any:
        """The value with everything that stands where the schema wants media turned into media."""
        kind = media_kind_of(schema)
        if kind is not None:
            try:
                return self._media.media(value, kind)
            except MediaProblem as problem:
                place = self._place(step.inputs, path)
                failures.append(
                    self._diagnostic(
                        self._cell(step.inputs.at(path), combination) or place,
                        problem.code,
                        f'"{".".join(map(str, path))}": {problem.message}',
                        problem.hint,
                        combination,
                        place,
                    )
                )
                return Deferred("a media file")
        if isinstance(value, dict) and isinstance(schema.get("properties"), dict):
            changed = dict(value)
            for key, part in _holding_media(schema["properties"]).items():
                if key in value:
                    changed[key] = self._with_media(step, value[key], part, (*path, key), combination, failures)
            return changed
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            inner = schema["items"]
            return [
                self._with_media(step, item, inner, (*path, index), combination, failures)
                for index, item in enumerate(value)
            ]
        return value

    # -- places

    def _at_expression(self, located: Located, problem: ExpressionError, combination: Combination) -> Diagnostic:
        place = located.place_in(problem.line, problem.column)
        return self._diagnostic(place, problem.code, problem.message, problem.hint, combination)

    def _at_fault(self, step: Step, fault: Fault, combination: Combination) -> Diagnostic:
        part = step.inputs.at(fault.path)
        place = self._place(step.inputs, fault.path, key=fault.at_key)
        if fault.code == "missing-key" and not fault.path:
            place = step.place
        cell = self._cell(part, combination)
        label = f'"{".".join(map(str, fault.path))}": ' if fault.path and not fault.at_key else ""
        message = f"{label}{fault.message}" if fault.path else f'"{step.id}" ({step.uses}): {fault.message}'
        return self._diagnostic(cell or place, fault.code, message, fault.hint, combination, place)

    def _at_problem(self, step: Step, problem: Problem, combination: Combination) -> Diagnostic:
        part = step.inputs.at(problem.path)
        place = self._place(step.inputs, problem.path) if problem.path else step.place
        cell = self._cell(part, combination) if problem.path else None
        return self._diagnostic(cell or place, problem.code, problem.message, problem.hint, combination, place)

    def _place(self, tree: Tree, path: tuple[str | int, ...], *, key: bool = False) -> Place:
        """Where a part of the inputs is written, or the key of an entry."""
        if key and path:
            return self._source.place((*tree.at(path[:-1]).path, path[-1]), key=True)
        return tree.at(path).place

    def _cell(self, part: Tree, combination: Combination) -> Place | None:
        """The cell of a data file that a value comes from, when it comes from exactly one."""
        if part.located is None:
            return None
        chains = {r.chain[:2] for r in part.located.template.references}
        rows = [c for c in chains if c[0] in combination.items and combination.items[str(c[0])].line and len(c) == 2]
        if len(chains) != 1 or not rows or not isinstance(rows[0][1], str):
            return None
        axis = str(rows[0][0])
        return self._axes.cell(axis, combination.items[axis].line, rows[0][1])

    def _diagnostic(
        self, place: Place, code: str, message: str, hint: str, combination: Combination, origin: Place | None = None
    ) -> Diagnostic:
        """With the expression's place when the problem is shown at a cell, else with the row's place."""
        if origin is not None and origin != place:
            return Diagnostic(place, code, message, hint, "error", ((origin, "used here"),))
        rows = [(axis, item) for axis, item in combination.items.items() if item.line]
        if rows:
            axis, item = rows[0]
            shown = self._axes.cell(axis, item.line, "")
            return Diagnostic(
                place, code, message, hint, "error", ((place, f"with {axis}={item.key}"), (shown, "this row"))
            )
        if combination.items:
            keys = ", ".join(f"{axis}={item.key}" for axis, item in combination.items.items())
            return Diagnostic(place, code, message, hint, "error", ((place, f"with {keys}"),))
        return Diagnostic(place, code, message, hint)


_HOLDING: dict[int, tuple[Mapping[str, Any], dict[str, Any]]] = {}


def _holding_media(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Those properties that are media or may have media inside; worked out once per schema."""
    known = _HOLDING.get(id(properties))
    if known is None or known[0] is not properties:
        parts = {name: part for name, part in properties.items() if isinstance(part, dict) and _may_hold_media(part)}
        known = _HOLDING[id(properties)] = (properties, parts)
    return known[1]


def _may_hold_media(schema: Mapping[str, Any]) -> bool:
    inner = [*schema.get("properties", {}).values(), schema.get("items")]
    return media_kind_of(schema) is not None or any(isinstance(part, dict) and _may_hold_media(part) for part in inner)


def local_media(inputs: Mapping[str, Any], names: frozenset[str]) -> dict[str, Media]:
    """Those of the named inputs that are local files."""
    return {
        name: value for name in sorted(names) if isinstance(value := inputs.get(name), Media) and value.path is not None
    }
