"""What `steps` is inside an expression: the tasks with the same axis values, or all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from ..core.values import Deferred
from ..sandbox import SkippedOutputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.model import Step
    from ..spec.axes import Item


_PLAIN = re.compile(r'[^\s,=\[\]"]+')


class Upstream(Protocol):
    """A task as expressions see it."""

    @property
    def address(self) -> str:
        """See `address`."""
        ...

    @property
    def axes(self) -> Mapping[str, str]:
        """Axis names and keys."""
        ...

    @property
    def status(self) -> str | None:
        """How it ended: "succeeded", "skipped", "failed" …; None while that is not known."""
        ...

    @property
    def error(self) -> str:
        """Why it failed, else empty."""
        ...

    @property
    def outputs(self) -> Any:
        """Its outputs, or placeholders."""
        ...


class Steps(Protocol):
    """Where the tasks of steps are found."""

    def step(self, name: str) -> Step:
        """The step of this name."""
        ...

    def task(self, step: str, keys: tuple[str, ...]) -> Upstream:
        """The task of a step for these keys."""
        ...

    def tasks(self, step: str) -> Sequence[Upstream]:
        """All tasks of a step, in order."""
        ...


class StepsView:
    """The name `steps` for one task. ``callsheet_names`` tells the sandbox that it looks names up by itself."""

    callsheet_names = True
    __slots__ = ("_items", "_steps")

    def __init__(self, steps: Steps, items: Mapping[str, Item]) -> None:
        self._steps = steps
        self._items = items

    def __getitem__(self, name: str) -> StepView:
        return StepView(self._steps, name, self._items)


class StepView:
    """One step inside an expression: `.outputs` and `.all`."""

    callsheet_names = True
    __slots__ = ("_items", "_name", "_steps")

    def __init__(self, steps: Steps, name: str, items: Mapping[str, Item]) -> None:
        self._steps = steps
        self._name = name
        self._items = items

    def __getitem__(self, part: str) -> Any:
        if part == "all":
            return everything(self._steps.tasks(self._name), self._name)
        axes = self._steps.step(self._name).axes
        task = self._steps.task(self._name, tuple(self._items[axis].key for axis in axes))
        return SkippedOutputs(task.address) if task.status == "skipped" else task.outputs


def everything(tasks: Sequence[Upstream], name: str) -> Any:
    """The value of `steps.x.all`; Deferred until all its tasks have ended."""
    if any(task.status is None for task in tasks):
        return Deferred(f"steps.{name}.all")
    return [
        {
            "key": ",".join(task.axes.values()),
            "axes": dict(task.axes),
            "status": task.status,
            "outputs": {} if task.status == "skipped" else task.outputs,
            "error": task.error or None,
        }
        for task in tasks
    ]


def address(step: str, axes: Mapping[str, str]) -> str:
    """A task's address: ``clip[row=C-0042,lang=es-ES]``, or ``master``."""
    if not axes:
        return step
    return f"{step}[{','.join(f'{axis}={_quoted(key)}' for axis, key in axes.items())}]"


def _quoted(key: str) -> str:
    """Keys with characters of the address itself stand in quotes."""
    if _PLAIN.fullmatch(key):
        return key
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
