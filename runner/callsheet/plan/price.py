"""What a task costs, also while some of its inputs wait for the run."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from ..core.money import Cost
from ..core.operation import Operation
from ..core.values import Deferred, known_part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.operation import BaseOperation

_MOST = 64  # combinations of undecided choices that are priced


def estimate(operation: BaseOperation, inputs: Mapping[str, Any]) -> Cost | None:
    """The cheapest and the dearest that it can be; None when the price is unknown.

    A choice that only the run makes, such as a quality taken from another step, is priced in all its alternatives: an
    upper estimate that leaves one out would be a promise that does not hold.
    """
    if isinstance(operation, Operation):
        return Cost.free()
    known = known_part(dict(inputs))
    found = [operation.estimate({**known, **chosen}) for chosen in _choices(operation, inputs)]
    costs = [cost for cost in found if cost is not None]
    if not costs or len(costs) < len(found):
        return None
    dearest = max(costs, key=lambda cost: cost.high)
    return Cost(min(cost.low for cost in costs), dearest.high, dearest.currency, dearest.basis)


def _choices(operation: BaseOperation, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every way in which undecided choices may turn out; one empty way when all is decided."""
    properties = operation.inputs.get("properties", {})
    undecided = {name: _values(properties.get(name)) for name, value in inputs.items() if isinstance(value, Deferred)}
    options = {name: values for name, values in undecided.items() if values}
    ways = [dict(zip(options, way, strict=True)) for way in product(*options.values())]
    return ways if len(ways) <= _MOST else [{}]


def _values(schema: Any) -> list[Any]:
    """The values that a schema lists."""
    if not isinstance(schema, dict):
        return []
    return list(schema.get("enum", [True, False] if schema.get("type") == "boolean" else []))
