"""Checks that need nothing but the file: every reference leads somewhere, types fit, nothing waits for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.diagnostics import did_you_mean
from ..core.graph import Cycle, order
from ..schema import media_kind_of
from .trees import CONTEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..core.diagnostics import Place
    from ..core.model import Axis, Job, Located, Step, Tree
    from ..expressions import Reference
    from .problems import Problems

_JOB_FACTS = frozenset({"name", "file", "dir"})
_FUNCTIONS = frozenset({"range", "dict", "namespace"})
_RESERVED = CONTEXTS | _FUNCTIONS | {"with", "outputs"}
_NUMERIC = frozenset({"integer", "number"})


def check(job: Job, problems: Problems) -> Job:
    """The job with its steps in running order, and what each reads and which axes it uses filled in."""
    checker = _Checker(job, problems)
    checker.variables()
    checker.axes()
    reads = {step.id: checker.step(step) for step in job.steps.values()}
    checker.outputs()
    return checker.ordered(reads)


def axes_of(located: Located, job: Job) -> set[str]:
    """The axes that an expression names."""
    return {str(r.chain[0]) for r in located.template.references if r.chain[0] in job.axes}


def axis_parents(axis: Axis, job: Job) -> set[str]:
    """The earlier axes that an axis depends on."""
    located = [*(axis.source.leaves() if axis.source else ()), *(axis.data_file.leaves() if axis.data_file else ())]
    if axis.where is not None:
        located.append(axis.where)
    return {name for part in located for name in axes_of(part, job)} - {axis.name}


class _Reads:
    """What one step reads."""

    def __init__(self) -> None:
        self.axes: set[str] = set()
        self.steps: dict[str, None] = {}
        self.all: dict[str, None] = {}


class _Checker:
    def __init__(self, job: Job, problems: Problems) -> None:
        self.job = job
        self.problems = problems

    # -- parts of the file

    def variables(self) -> None:
        """Variables read inputs, the environment, the job and the variables above them."""
        above: set[str] = set()
        for name, tree in self.job.variables.items():
            for located in tree.leaves():
                self._references(located, {"inputs", "env", "job", "vars"}, _Reads(), "a variable", above)
            above.add(name)

    def axes(self) -> None:
        """Axes read inputs, variables and the axes above them; ``where`` and ``key`` also their own item."""
        above: set[str] = set()
        for name, axis in self.job.axes.items():
            if name in _RESERVED:
                hint = f"choose another name than {', '.join(sorted(_RESERVED))}"
                self.problems.error(axis.place, "axis-name", f'an axis cannot be called "{name}"', hint)
            allowed = {"inputs", "env", "job", "vars"} | above
            for tree in (axis.source, axis.data_file, axis.schema_file):
                for located in tree.leaves() if tree else ():
                    self._references(located, allowed, _Reads(), f'the axis "{name}"')
            for condition in (axis.where, axis.key_template):
                if condition is not None:
                    self._references(condition, allowed | {name}, _Reads(), f'the axis "{name}"')
            above.add(name)

    def step(self, step: Step) -> _Reads:
        """All expressions of a step."""
        reads = _Reads()
        everything = CONTEXTS | set(self.job.axes)
        for located, key in step.templates():
            extra = {"require": {"with"}, "ensure": {"with", "outputs"}}.get(key, set())
            self._references(located, everything | extra, reads, f"`{key}`")
        for name in step.needs:
            if name not in self.job.steps:
                hint = did_you_mean(name, self.job.steps)
                place = step.needs_places[step.needs.index(name)]
                self.problems.error(place, "unknown-step", f'"{step.id}" needs "{name}", which is no step', hint)
        for name in step.per or ():
            if name not in self.job.axes:
                hint = did_you_mean(name, self.job.axes)
                self.problems.error(step.per_place, "unknown-axis", f'there is no axis "{name}"', hint)
        self._types(step)
        return reads

    def outputs(self) -> None:
        """Outputs of the job read steps that carry no axes, and all tasks of those that do."""
        for tree in self.job.outputs.values():
            for located in tree.leaves():
                self._references(located, set(CONTEXTS), _Reads(), "`outputs`")

    # -- references

    def _references(
        self,
        located: Located,
        allowed: set[str] | frozenset[str],
        reads: _Reads,
        where: str,
        variables: set[str] | None = None,
    ) -> None:
        found = len(self.problems)
        for reference in located.template.references:
            self._reference(located, reference, allowed, reads, where, variables)
        if len(self.problems) > found:
            self.problems.broken.add(located.template.text)

    def _reference(
        self,
        located: Located,
        reference: Reference,
        allowed: set[str] | frozenset[str],
        reads: _Reads,
        where: str,
        variables: set[str] | None,
    ) -> None:
        root = str(reference.chain[0])
        place = located.place_in(reference.line, reference.column)
        if root in _FUNCTIONS:
            return
        if root not in allowed:
            self._unknown_name(root, allowed, where, place)
        elif root == "steps":
            self._step_reference(reference, reads, place)
        elif root in self.job.axes:
            reads.axes.add(root)
        elif root == "inputs":
            self._member(reference, self.job.inputs, "input", place)
        elif root == "vars":
            self._member(reference, self.job.variables if variables is None else variables, "variable", place)
        elif root == "job":
            self._member(reference, _JOB_FACTS, "job fact", place)
        elif root == "env":
            self._member(reference, self.job.env_names, "environment variable", place)

    def _unknown_name(self, root: str, allowed: Iterable[str], where: str, place: Place) -> None:
        if root in CONTEXTS or root in self.job.axes or root in ("with", "outputs"):
            what = f'the axis "{root}"' if root in self.job.axes else f'"{root}"'
            hint = f"{where} can read {', '.join(sorted(allowed))}"
            self.problems.error(place, "unavailable-name", f"{what} is not available in {where}", hint)
        else:
            code = "unknown-axis" if self.job.axes else "unknown-name"
            self.problems.error(place, code, f'there is no axis or context "{root}"', did_you_mean(root, allowed))

    def _member(self, reference: Reference, known: Iterable[str], what: str, place: Place) -> None:
        name = str(reference.chain[1]) if len(reference.chain) > 1 and reference.chain[1] is not None else None
        if name is not None and name not in known:
            hint = did_you_mean(name, known)
            if what == "environment variable":
                hint = 'name it under `inputs` with "env:"'
            code = f"unknown-{what.replace(' ', '-')}"
            self.problems.error(place, code, f'there is no {what} "{name}"', hint)

    def _step_reference(self, reference: Reference, reads: _Reads, place: Place) -> None:
        name, part = (*reference.chain[1:3], None, None)[:2]
        if name is None:
            hint = "name the step: steps.<id>.outputs.<name>"
            self.problems.error(place, "dynamic-step", "a step cannot be chosen by a computed name", hint)
            return
        step = self.job.steps.get(str(name))
        if step is None:
            self.problems.error(place, "unknown-step", f'there is no step "{name}"', did_you_mean(name, self.job.steps))
            return
        if part == "all":
            reads.all[step.id] = None
        elif part == "outputs":
            reads.steps[step.id] = None
            self._output(step, reference, place)
        else:
            hint = f"write steps.{name}.outputs.<name> or steps.{name}.all"
            said = f'has no "{part}"' if part is not None else "is not a value by itself"
            self.problems.error(place, "unknown-step-part", f'the step "{name}" {said}', hint)

    def _output(self, step: Step, reference: Reference, place: Place) -> None:
        name = reference.chain[3] if len(reference.chain) > 3 else None
        if name is None or step.operation is None:
            return
        known = step.operation.outputs.get("properties", {})
        if name not in known:
            message = f'the step "{step.id}" ({step.uses}) has no output "{name}"'
            self.problems.error(
                place, "unknown-output", message, did_you_mean(name, known), ((step.place, "the step"),)
            )

    # -- types between steps

    def _types(self, step: Step) -> None:
        """Where an input is exactly an output of another step, their declared types must fit."""
        if step.operation is None or step.inputs.entries is None:
            return
        properties = step.operation.inputs.get("properties", {})
        for name, part in step.inputs.entries.items():
            source = self._output_schema(part)
            wanted = properties.get(name)
            if source is not None and isinstance(wanted, dict):
                origin, schema = source
                message = _mismatch(schema, wanted)
                if message:
                    self.problems.broken.update(located.template.text for located in part.leaves())
                    hint = f'it comes from "{origin.id}", at {origin.uses_place}'
                    related = ((origin.uses_place, f'"{origin.id}" is declared here'),)
                    self.problems.error(part.place, "type-mismatch", f'"{name}" {message}', hint, related)

    def _output_schema(self, part: Tree) -> tuple[Step, dict[str, Any]] | None:
        located = part.located
        if located is None or not (located.template.typed and located.template.direct):
            return None
        chain = located.template.references[0].chain
        if len(chain) != 4 or chain[0] != "steps" or chain[2] != "outputs":
            return None
        step = self.job.steps.get(str(chain[1]))
        if step is None or step.operation is None:
            return None
        schema = step.operation.outputs.get("properties", {}).get(chain[3])
        return (step, schema) if isinstance(schema, dict) else None

    # -- order and axes

    def ordered(self, reads: Mapping[str, _Reads]) -> Job:
        """Steps in an order in which each comes after all it reads, with their axes."""
        needs = {
            step.id: [n for n in (*reads[step.id].steps, *reads[step.id].all, *step.needs) if n in self.job.steps]
            for step in self.job.steps.values()
        }
        try:
            sequence = order(needs)
        except Cycle as cycle:
            place = self.job.steps[cycle.names[0]].place
            chain = " → ".join(f'"{name}"' for name in cycle.names)
            self.problems.error(
                place, "cycle", f"these steps wait for each other: {chain}", "remove one of the references"
            )
            return replace(self.job, steps={})  # no order, no plan
        axes: dict[str, set[str]] = {}
        for name in sequence:
            own = set(reads[name].axes)
            axes[name] = own.union(*(axes[upstream] for upstream in reads[name].steps))
        steps = {}
        for name in sequence:
            step = self.job.steps[name]
            used = tuple(axis for axis in self.job.axes if axis in axes[name])
            self._per(step, used)
            known = tuple(need for need in step.needs if need in self.job.steps)
            found = reads[name]
            steps[name] = replace(step, axes=used, needs=known, reads=tuple(found.steps), reads_all=tuple(found.all))
        self._outputs_carry_no_axes(steps)
        return replace(self.job, steps=steps)

    def _per(self, step: Step, used: tuple[str, ...]) -> None:
        if step.per is not None and set(step.per) <= self.job.axes.keys() and set(step.per) != set(used):
            message = f'"{step.id}" runs per [{", ".join(used)}], not per [{", ".join(step.per)}]'
            hint = "an axis is used where an expression names it, directly or through the steps it reads"
            self.problems.error(step.per_place, "per", message, hint)

    def _outputs_carry_no_axes(self, steps: Mapping[str, Step]) -> None:
        for tree in self.job.outputs.values():
            for located in tree.leaves():
                for reference in located.template.references:
                    step = steps.get(str(reference.chain[1])) if reference.chain[0] == "steps" else None
                    if step is not None and reference.chain[2:3] == ("outputs",) and step.axes:
                        place = located.place_in(reference.line, reference.column)
                        message = f'"{step.id}" has a task per {", ".join(step.axes)}, so it has no single outputs'
                        hint = f"write steps.{step.id}.all, the list over all its tasks"
                        self.problems.error(place, "axis-in-outputs", message, hint)


def _mismatch(source: dict[str, Any], wanted: dict[str, Any]) -> str | None:
    """How an output does not fit an input; None when it may."""
    from_kind, to_kind = media_kind_of(source), media_kind_of(wanted)
    if from_kind and to_kind:
        return (
            None
            if from_kind == to_kind or "file" in (from_kind, to_kind)
            else f"takes {to_kind}, but this is {from_kind}"
        )
    if to_kind and isinstance(source.get("type"), str):
        return f"takes {to_kind}, but this is {_named(source['type'])}"
    plain = wanted.get("type")
    if from_kind and isinstance(plain, str):
        return f"takes {_named(plain)}, but this is {from_kind}"
    given = source.get("type")
    if isinstance(given, str) and isinstance(plain, str) and given != plain:
        return None if {given, plain} <= _NUMERIC else f"takes {_named(plain)}, but this is {_named(given)}"
    return None


def _named(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
