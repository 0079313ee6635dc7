"""A plan and its tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.money import Cost, Total, total
from ..core.operation import RemoteOperation
from ..core.states import Decision
from ..core.values import Deferred, Media, PlannedMedia
from ..schema import media_kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..core.model import Job, Step
    from ..core.operation import BaseOperation, Outputs
    from ..spec.axes import Combination
    from ..spec.load import BoundJob

#: The step name of uploads that the runner adds by itself. It cannot collide: step ids have no hyphen.
AUTO_UPLOAD = "auto-upload"


@dataclass(slots=True)
class PlannedTask:
    """A step for one combination of axis values, with what is decided about it.

    ``key`` and ``account`` name the purchase; empty while something in it is unknown. ``needs`` are the tasks that must
    end first; ``uploads`` those of them that turn local files into assets for this one, by input name.
    """

    index: int
    address: str
    step: Step
    operation: BaseOperation
    prefix: str
    combination: Combination
    decision: Decision
    reason: str
    cost: Cost | None = None
    account: str = ""
    key: str = ""
    generation: int = 1
    needs: tuple[PlannedTask, ...] = ()
    uploads: dict[str, PlannedTask] = field(default_factory=dict)
    #: The inputs of an upload that the runner added; steps of the job render theirs when they start.
    inputs: dict[str, Any] | None = None
    #: Where such an upload finds its file, when another task has yet to make it: that task, and its output's name.
    source: tuple[PlannedTask, str] | None = None
    #: Outputs recorded by an earlier run.
    recorded: Outputs | None = None
    #: What the operation says about its outputs before they exist.
    predicted: Outputs = field(default_factory=dict)

    @property
    def axes(self) -> dict[str, str]:
        """Axis names and keys."""
        return {axis: item.key for axis, item in self.combination.items.items()}

    @property
    def is_remote(self) -> bool:
        """Whether a provider does the work."""
        return isinstance(self.operation, RemoteOperation)

    @property
    def outputs(self) -> Outputs:
        """The recorded outputs, or placeholders for all that the operation declares."""
        if self.recorded is not None:
            return self.recorded
        declared = self.operation.outputs.get("properties", {})
        return {name: self.placeholder(name, schema) for name, schema in declared.items()}

    def placeholder(self, name: str, schema: Any) -> Any:
        """What stands for an output that does not exist yet; something may be known of it."""
        predicted = self.predicted.get(name)
        kind = media_kind_of(schema)
        if kind is None and not isinstance(predicted, Media):
            return predicted if predicted is not None else Deferred(f"{self.address}.{name}")
        facts: dict[str, Any] = {"kind": kind}
        if isinstance(predicted, Media):
            facts = {field: getattr(predicted, field) for field in Media.__slots__}
        if self.is_remote and self.key and facts.get("sha256") is None:
            facts["origin"] = f"{self.key}/{name}"
        if self.is_remote and not self.operation.lasting:
            facts["path"] = f"{self.address}.{name}"  # the runner fetches it at once, so it will be a local file
        return PlannedMedia(**facts)

    def as_json(self) -> dict[str, Any]:
        """The published shape of a task in `plan --json`."""
        return {
            "address": self.address,
            "step": self.step.id,
            "uses": self.step.uses,
            "axes": self.axes,
            "decision": self.decision.value,
            "reason": self.reason,
            "cost": self.cost.as_json() if self.cost is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All tasks of a job in running order."""

    bound: BoundJob
    tasks: Sequence[PlannedTask]

    @property
    def job(self) -> Job:
        """The job that is planned."""
        return self.bound.job

    @property
    def total(self) -> Total:
        """The price of everything that would be bought."""
        return total(task.cost for task in self.to_do())

    def to_do(self) -> Iterator[PlannedTask]:
        """The tasks that would do something."""
        done = (Decision.REUSE, Decision.SKIP, Decision.BLOCKED, Decision.WAITING)
        return (task for task in self.tasks if task.decision not in done)

    def counts(self) -> dict[str, int]:
        """How many tasks there are of each decision that occurs, in a fixed order."""
        found = {decision.value: 0 for decision in Decision}
        for task in self.tasks:
            found[task.decision.value] += 1
        return {name: count for name, count in found.items() if count}

    def as_json(self) -> dict[str, Any]:
        """The published shape of `plan --json`: same data, same bytes."""
        return {
            "version": 1,
            "job": self.job.name,
            "file": self.job.file,
            "tasks": [task.as_json() for task in self.tasks],
            "totals": {"tasks": len(self.tasks), "decisions": self.counts(), "cost": self.total.as_json()},
        }
