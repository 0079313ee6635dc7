"""Order in a graph of names: a stable topological order, and the way round a cycle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Cycle(Exception):
    """Names that wait for each other; ``names`` starts and ends with the same one."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(" → ".join(names))
        self.names = list(names)


def order(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Names so that each comes after all it needs; the mapping's own order breaks ties. Raises `Cycle`."""
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as problem:
        raise Cycle(list(reversed(problem.args[1]))) from None
    rank = {name: position for position, name in enumerate(needs)}
    ordered: list[str] = []
    ready = sorted(sorter.get_ready(), key=rank.__getitem__)
    while ready:
        name = ready.pop(0)
        ordered.append(name)
        sorter.done(name)
        ready = sorted([*ready, *sorter.get_ready()], key=rank.__getitem__)
    return ordered
