"""What an operation declares: complete, described, and judged by its own examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..core.operation import Problem
from ..errors import PluginError
from ..registry import checked
from ..schema import Checker, media_kind_of
from .pure import called

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..core.operation import BaseOperation
    from .examples import Example

_STRANGER = "x_misspelt"


def registry_problem(prefix: str, operation: object) -> str | None:
    """Why the registry would not take the operation; None when it would."""
    try:
        checked(prefix, operation)
    except PluginError as problem:
        return problem.message
    return None


def declared(operation: BaseOperation) -> Iterator[str]:
    """What is missing from the declarations, or contradicts itself."""
    if not re.fullmatch(r"\S.*[.]", operation.summary or ""):
        yield "`summary` must be one sentence that ends with a full stop: `callsheet operations` prints it"
    if not operation.timeout > 0:
        yield f"`timeout` is {operation.timeout} seconds; it must be more than 0"
    pace = operation.pace
    if not (0 < pace.first <= pace.longest and pace.share >= 0):
        yield f"`pace` makes no sense: {pace}"
    for what in ("inputs", "outputs"):
        for path in _undescribed(getattr(operation, what), ()):
            yield f"`{what}` does not describe {path}"
    properties = operation.inputs.get("properties", {})
    for name in sorted(operation.uploads):
        if media_kind_of(properties[name]) is None:
            yield f'`uploads` names "{name}", which is no media input'
    for name in sorted(operation.writes):
        if properties[name].get("type") != "string":
            yield f'`writes` names "{name}", which is not text: it must be the name of a file'


def judged(operation: BaseOperation, examples: Sequence[Example]) -> Iterator[str]:
    """Good examples are accepted, bad ones refused, and so is a misspelt input."""
    checker = Checker(operation.inputs)
    for example in examples:
        faults = [f"{'.'.join(map(str, f.path)) or 'inputs'}: {f.message}" for f in checker.faults(example.inputs)]
        if not faults:
            found = called(operation.problems, example.inputs)
            said = found.value if isinstance(found.value, list) else ()
            rules = [problem for problem in said if isinstance(problem, Problem)]
            faults = [f"{'.'.join(map(str, problem.path)) or 'inputs'}: {problem.message}" for problem in rules]
        if example.invalid and not faults:
            yield f"{example.label} is marked invalid, but neither the schema nor `problems` refuses it"
        elif not example.invalid:
            yield from (f"{example.label} is refused: {fault}" for fault in faults)
    good = next((example for example in examples if not example.invalid), None)
    if good is not None and not checker.faults({**good.inputs, _STRANGER: 1}):
        yield '`inputs` accepts a misspelt name; add "additionalProperties": False'


def misfits(schema: Mapping[str, Any], value: Any) -> list[str]:
    """What a schema finds wrong with outputs."""
    return [f"{'.'.join(map(str, f.path)) or 'outputs'}: {f.message}" for f in Checker(schema).faults(value)]


def _undescribed(schema: Any, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    for name, part in schema.get("properties", {}).items():
        inner = (*path, str(name))
        if isinstance(part, dict) and not part.get("description") and "const" not in part:
            yield f'"{".".join(inner)}"'
        yield from _undescribed(part, inner)
    if isinstance(schema.get("items"), dict):
        yield from _undescribed(schema["items"], (*path, "[]"))
