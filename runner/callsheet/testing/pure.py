"""The methods that only reckon: no waiting, no memory, no change of what they are given."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.money import Cost
from ..core.operation import Problem, RemoteOperation
from ..schema import Checker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..core.operation import BaseOperation, Inputs
    from .examples import Example


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave. ``error`` says what went wrong, empty when nothing did; ``mutated``: it changed its inputs."""

    value: Any = None
    error: str = ""
    mutated: bool = False


def called(method: Callable[[Inputs], Any], inputs: Inputs) -> Answer:
    """Call a method on a copy of the inputs. A generator's or tuple's items come back as a list."""
    given = copy.deepcopy(inputs)
    try:
        value = method(given)
        if inspect.iscoroutine(value):
            value.close()
            return Answer(error="is a coroutine: define it without async")
        if inspect.isgenerator(value) or isinstance(value, tuple):
            value = list(value)
    except Exception as problem:
        return Answer(error=f"raises {type(problem).__name__}: {problem}")
    return Answer(value, "", given != inputs)


def pure(operation: BaseOperation, examples: Sequence[Example]) -> Iterator[str]:
    """`estimate`, `predict` and `problems` answer alike each time, with any of their inputs missing."""
    for example in examples:
        if example.invalid:
            continue
        for name in ("estimate", "predict", "problems"):
            yield from _method(operation, name, example)
        yield from _estimates(operation, example)
        yield from _predictions(operation, example)
        yield from _problems(operation, example)


def _method(operation: BaseOperation, name: str, example: Example) -> Iterator[str]:
    method = getattr(operation, name)
    first, second = called(method, example.inputs), called(method, example.inputs)
    if first.error:
        yield f"{example.label}: `{name}` {first.error}"
        return
    if first.mutated:
        yield f"{example.label}: `{name}` changes the inputs that it is given"
    if first.value != second.value:
        yield f"{example.label}: `{name}` answers differently the second time: {first.value}, then {second.value}"
    for missing, known in _less(example.inputs):
        error = called(method, known).error
        if error:
            yield f"{example.label}: `{name}` {error} when {missing} not known yet"


def _less(inputs: Inputs) -> Iterator[tuple[str, Inputs]]:
    """The inputs without each of them, and without all: a plan knows some values only when the run gets there."""
    for name in inputs:
        yield f'"{name}" is', {key: value for key, value in inputs.items() if key != name}
    if len(inputs) > 1:
        yield "all are", {}


def _estimates(operation: BaseOperation, example: Example) -> Iterator[str]:
    cost = called(operation.estimate, example.inputs).value
    if cost is None:
        return
    if not isinstance(cost, Cost):
        yield f"{example.label}: `estimate` gives {type(cost).__name__}, not Cost or None"
        return
    if not (cost.low.is_finite() and cost.high.is_finite() and 0 <= cost.low <= cost.high):
        yield f"{example.label}: `estimate` must be from 0 up and low to high, not {cost.low} to {cost.high}"
    elif cost.is_free and isinstance(operation, RemoteOperation) and operation.repeat.kind == "unsafe":
        if not cost.basis:
            yield (
                f"{example.label}: `estimate` says 0 for work that each request buys anew; "
                'give None when the price is unknown, Cost.free("why") when it costs nothing'
            )
    elif not cost.is_free:
        for missing, known in _less(example.inputs):
            partial = called(operation.estimate, known).value
            if isinstance(partial, Cost) and partial.is_free:
                yield f"{example.label}: `estimate` says 0 when {missing} not known yet; unknown is None"


def _predictions(operation: BaseOperation, example: Example) -> Iterator[str]:
    predicted = called(operation.predict, example.inputs).value
    if not isinstance(predicted, dict):
        if predicted is not None:
            yield f"{example.label}: `predict` must give a dict of outputs"
        return
    properties = operation.outputs.get("properties", {})
    for name, value in predicted.items():
        if name not in properties:
            yield f'{example.label}: `predict` tells of "{name}", which is no output'
        elif faults := Checker(properties[name]).faults(value):
            yield f'{example.label}: what `predict` tells of "{name}" does not fit its schema: {faults[0].message}'


def _problems(operation: BaseOperation, example: Example) -> Iterator[str]:
    found = called(operation.problems, example.inputs).value
    if found is not None and not isinstance(found, list):
        yield f"{example.label}: `problems` gives {type(found).__name__}, not a list of Problem"
        return
    for problem in found or ():
        if not isinstance(problem, Problem):
            yield f"{example.label}: `problems` gives {type(problem).__name__}, not Problem"
        elif problem.path and problem.path[0] not in operation.inputs.get("properties", {}):
            yield f'{example.label}: `problems` points to "{problem.path[0]}", which is no input'
