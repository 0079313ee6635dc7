"""From a YAML source to a `Job`: the shape is checked, expressions are compiled, operations are found."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.diagnostics import Place, did_you_mean
from ..core.durations import parse_duration
from ..core.model import Axis, Budget, InputSpec, Job, Retry, Step, Tree
from ..core.money import PRICED_IN, Money
from ..errors import PluginError
from ..schema import PLAIN_TYPES, PREFIX, Checker
from .trees import TreeBuilder, merged

if TYPE_CHECKING:
    from ..core.operation import BaseOperation
    from ..expressions import Expressions
    from ..registry import Registry
    from .problems import Problems
    from .source import Source

DATA_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"})
_RETRY = Retry()
_INPUT_EXTRAS = ("default", "required", "env", "description")


@cache
def core_checker() -> Checker:
    """The schema of the job file without the operations."""
    text = files("callsheet_specs").joinpath("job-core.schema.json").read_text(encoding="utf-8")
    return Checker(json.loads(text))


def parse(
    source: Source, registry: Registry, expressions: Expressions, problems: Problems, provider: str | None
) -> Job | None:
    """The job in a source, or None when its shape is so wrong that nothing more can be said about it.

    ``provider`` is the project's default.
    """
    data = source.data
    if data is None:
        problems.error(Place(source.file), "empty-file", "the file is empty", 'a job begins with "version: 1"')
        return None
    if not isinstance(data, dict):
        problems.error(source.place(), "wrong-type", "a job file is a map", 'begin with "version: 1"')
        return None
    faults = core_checker().faults(data)
    problems.faults(source, (), faults)
    if any(not fault.at_key for fault in faults):
        return None
    return _Parser(source, registry, expressions, problems, provider).job()


class _Parser:
    """Builds one job. The data have the right shape already."""

    def __init__(
        self, source: Source, registry: Registry, expressions: Expressions, problems: Problems, provider: str | None
    ) -> None:
        self.source = source
        self.data: dict[str, Any] = source.data
        self.registry = registry
        self.problems = problems
        self.provider: str | None = self.data.get("provider", provider)
        self.trees = TreeBuilder(source, expressions, problems, frozenset(self.data.get("foreach", {})))

    def job(self) -> Job:
        path = Path(self.source.file)
        inputs = {n: self._input(n, s) for n, s in self.data.get("inputs", {}).items() if not n.startswith("x-")}
        axes = {n: self._axis(n, spec) for n, spec in self.data.get("foreach", {}).items()}
        steps = self._steps()
        return Job(
            name=self.data["name"],
            file=self.source.file,
            folder=str(path.resolve().parent),
            place=self.source.place(("name",)),
            provider=self.provider,
            inputs=inputs,
            variables=self._trees("vars"),
            axes=axes,
            steps=steps,
            outputs=self._trees("outputs"),
            budget=self._budget(),
            concurrency=self.data.get("concurrency"),
            description=self.data.get("description", ""),
            env_names=frozenset(spec.env for spec in inputs.values() if spec.env),
        )

    def _trees(self, key: str) -> dict[str, Tree]:
        return {name: self.trees.tree((key, name), value) for name, value in self.data.get(key, {}).items()}

    def _budget(self) -> Budget:
        spec = self.data.get("budget", {})
        unknown = spec.get("unknown")
        for name in ("max", "per_task"):
            if name in spec and Money.parse(spec[name]).currency != PRICED_IN:
                place = self.source.place(("budget", name))
                hint = f"write the amount in {PRICED_IN}"
                self.problems.error(place, "budget-currency", f"prices are in {PRICED_IN}: {spec[name]}", hint)
        return Budget(
            Money.parse(spec["max"]) if "max" in spec else None,
            Money.parse(spec["per_task"]) if "per_task" in spec else None,
            None if unknown is None else unknown == "allow",
        )

    # -- inputs and axes

    def _input(self, name: str, spec: dict[str, Any]) -> InputSpec:
        place = self.source.place(("inputs", name), key=True)
        return InputSpec(
            name,
            input_schema(spec),
            place,
            default=spec.get("default"),
            has_default="default" in spec,
            required=spec.get("required", "default" not in spec),
            env=spec.get("env"),
            description=spec.get("description", ""),
        )

    def _axis(self, name: str, spec: Any) -> Axis:
        path: tuple[str | int, ...] = ("foreach", name)
        place = self.source.place(path, key=True)
        details = spec if isinstance(spec, dict) else {}
        origin_path = (*path, "from") if details else path
        origin = self.trees.tree(origin_path, details["from"] if details else spec)
        is_file = isinstance(origin.constant, str) and Path(origin.constant).suffix.lower() in DATA_SUFFIXES
        if isinstance(origin.constant, str) and origin.is_constant and not is_file:
            known = ", ".join(sorted(DATA_SUFFIXES))
            self.problems.error(
                origin.place,
                "axis-source",
                f'"{origin.constant}" is neither a list, an expression nor a data file',
                f"data files end with {known}",
            )
        schema = details.get("schema")
        key = details.get("key")
        return Axis(
            name,
            place,
            source=None if is_file else origin,
            data_file=origin if is_file else None,
            key=key,
            key_template=self.trees.expression((*path, "key"), key) if key and "${{" in key else None,
            schema_file=self.trees.tree((*path, "schema"), schema) if isinstance(schema, str) else None,
            schema=schema if isinstance(schema, dict) else None,
            where=self.trees.condition((*path, "where"), details["where"]) if "where" in details else None,
            limit=details.get("limit"),
            max_items=details.get("max_items", 100_000),
            skip_bad_rows=details.get("on_bad_row") == "skip",
        )

    # -- steps

    def _steps(self) -> dict[str, Step]:
        steps: dict[str, Step] = {}
        for index, spec in enumerate(self.data["steps"]):
            step = self._step(index, spec)
            if step.id in steps:
                self.problems.error(
                    self.source.place(("steps", index, "id")),
                    "duplicate-step",
                    f'there are two steps "{step.id}"',
                    "give one of them another id",
                    ((steps[step.id].place, "the first one"),),
                )
            else:
                steps[step.id] = step
        return steps

    def _step(self, index: int, spec: dict[str, Any]) -> Step:
        path: tuple[str | int, ...] = ("steps", index)
        uses = spec["uses"]
        defaults = self.data.get("defaults", {}).get(uses, {})
        retry = {**defaults.get("retry", {}), **spec.get("retry", {})}
        timeout = spec.get("timeout", defaults.get("timeout"))
        carry_on = spec.get("continue_on_error", False)
        owner, operation = self._operation(path, uses, spec.get("provider", self.provider))
        return Step(
            id=spec["id"],
            uses=uses,
            place=self.source.place((*path, "id")),
            uses_place=self.source.place((*path, "uses")),
            operation=operation,
            provider=owner,
            inputs=self._inputs(path, spec.get("with", {}), uses, defaults.get("with")),
            condition=self.trees.condition((*path, "if"), spec["if"]) if "if" in spec else None,
            needs=tuple(spec.get("needs", ())),
            needs_places=tuple(self.source.place((*path, "needs", n)) for n in range(len(spec.get("needs", ())))),
            per=tuple(spec["per"]) if "per" in spec else None,
            per_place=self.source.place((*path, "per")),
            require=self._conditions(path, "require", spec),
            ensure=self._conditions(path, "ensure", spec),
            retry=Retry(retry.get("attempts", _RETRY.attempts), frozenset(retry.get("on", _RETRY.on))),
            timeout=None if timeout is None else parse_duration(timeout),
            continue_on=frozenset(carry_on) if isinstance(carry_on, list) else carry_on,
            description=spec.get("description", ""),
        )

    def _inputs(self, path: tuple[str | int, ...], own: dict[str, Any], uses: str, default: Any) -> Tree:
        tree = self.trees.tree((*path, "with"), own)
        return tree if default is None else merged(self.trees.tree(("defaults", uses, "with"), default), tree)

    def _conditions(self, path: tuple[str | int, ...], key: str, spec: dict[str, Any]) -> tuple[Any, ...]:
        found = [self.trees.condition((*path, key, i), text) for i, text in enumerate(spec.get(key, ()))]
        return tuple(located for located in found if located is not None)

    def _operation(
        self, path: tuple[str | int, ...], uses: str, provider: str | None
    ) -> tuple[str | None, BaseOperation | None]:
        place = self.source.place((*path, "uses"))
        try:
            owner, operation = self.registry.resolve(uses, provider)
        except PluginError as problem:
            known_prefix = "/" not in uses and provider is not None and provider not in self.registry.prefixes()
            if known_prefix:
                where = (*path, "provider") if "provider" in self.data["steps"][path[1]] else ("provider",)
                hint = did_you_mean(provider, self.registry.prefixes())
                self.problems.error(
                    self.source.place(where), "unknown-provider", f'there is no provider "{provider}"', hint
                )
            else:
                self.problems.error(place, "unknown-operation", problem.message, problem.hint)
            return None, None
        if operation.deprecated:
            self.problems.warning(place, "deprecated", f'"{uses}" is an old name', f'write "{operation.deprecated}"')
        return owner, operation


def input_schema(spec: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of an input: our types become references, our own keys go."""
    schema = {k: v for k, v in spec.items() if k not in _INPUT_EXTRAS and not k.startswith("x-")}
    if schema.get("type") in PLAIN_TYPES:
        schema["$ref"] = PREFIX + schema.pop("type")
    if "items" in schema:
        schema["items"] = input_schema(schema["items"])
    if "properties" in schema:
        required = [name for name, part in schema["properties"].items() if part.get("required", "default" not in part)]
        schema["properties"] = {name: input_schema(part) for name, part in schema["properties"].items()}
        schema["required"] = required
    return schema
