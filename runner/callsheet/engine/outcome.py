"""How a task can end other than well, and what a run comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.money import show
from ..core.states import Decision, TaskState
from ..core.values import to_public
from ..errors import ExitCode

if TYPE_CHECKING:
    from decimal import Decimal

    from ..core.operation import Outputs
    from ..plan.model import PlannedTask


class TaskEnd(Exception):
    """The task ends without outputs: in which state, and why."""

    def __init__(self, state: TaskState, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.state, self.message, self.kind = state, message, kind


@dataclass(slots=True)
class TaskRun:
    """A task while it runs and after it. ``cost`` is what it did cost in this run, as far as that is known."""

    planned: PlannedTask
    state: TaskState = TaskState.PENDING
    outputs: Outputs = field(default_factory=dict)
    error: str = ""
    error_kind: str = ""
    key: str = ""
    cost: Decimal | None = None
    remote_status: str = ""
    started: float = 0.0
    excused: bool = False  # it failed only because of a failure that does not fail the run

    @property
    def address(self) -> str:
        """See `PlannedTask.address`."""
        return self.planned.address

    @property
    def axes(self) -> dict[str, str]:
        """See `PlannedTask.axes`."""
        return self.planned.axes

    @property
    def status(self) -> str | None:
        """The state's name for expressions; None while the task goes on."""
        return self.state.value if self.state.ended else None

    @property
    def tolerated(self) -> bool:
        """Whether its failure does not fail the run: `continue_on_error`."""
        allowed = self.planned.step.continue_on
        return self.excused or allowed is True or (isinstance(allowed, frozenset) and self.error_kind in allowed)

    def as_json(self) -> dict[str, Any]:
        """The published shape of a task in `run --json`."""
        return {
            "address": self.address,
            "step": self.planned.step.id,
            "axes": self.axes,
            "decision": self.planned.decision.value,
            "status": self.state.value,
            "outputs": to_public(self.outputs),
            "error": {"kind": self.error_kind, "message": self.error} if self.error else None,
            "cost": show(self.cost) if self.cost is not None else None,
        }


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to. ``signal`` is 2 or 15 when it was interrupted."""

    job: str
    run_id: str
    tasks: list[TaskRun]
    outputs: dict[str, Any]
    signal: int | None = None
    access_refused: bool = False
    stopped_before_spending: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """The exit code; the first that applies, from what needs a person most."""
        states = {task.state for task in self.tasks if not task.tolerated}
        if self.signal is not None:
            return ExitCode.INTERRUPTED if self.signal == 2 else ExitCode.TERMINATED
        if self.access_refused:
            return ExitCode.ACCESS
        if self.stopped_before_spending:
            return ExitCode.STOPPED
        for state, code in _CODES:
            if state in states:
                return code
        return ExitCode.DONE

    @property
    def status(self) -> str:
        """One word for the whole run."""
        names = {
            ExitCode.DONE: "succeeded",
            ExitCode.FAILED: "failed",
            ExitCode.ACCESS: "access_refused",
            ExitCode.IN_PROGRESS: "in_progress",
            ExitCode.STOPPED: "stopped",
            ExitCode.WAITING: "waiting",
        }
        return names.get(self.exit_code, "interrupted")

    def totals(self) -> dict[str, Any]:
        """Counts by state and what was spent."""
        states = {state.value: 0 for state in TaskState}
        for task in self.tasks:
            states[task.state.value] += 1
        spent = sum((task.cost for task in self.tasks if task.cost is not None), start=_ZERO)
        reused = sum(task.planned.decision is Decision.REUSE for task in self.tasks)
        return {
            "tasks": len(self.tasks),
            "states": {name: count for name, count in states.items() if count},
            "reused": reused,
            "spent": show(spent),
        }

    def as_json(self) -> dict[str, Any]:
        """The published shape of `run --json`."""
        return {
            "version": 1,
            "job": self.job,
            "run": self.run_id,
            "status": self.status,
            "exit_code": int(self.exit_code),
            "tasks": [task.as_json() for task in self.tasks],
            "outputs": to_public(self.outputs),
            "totals": self.totals(),
        }


def _zero() -> Decimal:
    from decimal import Decimal

    return Decimal(0)


_ZERO = _zero()
_CODES = (
    (TaskState.OVER_BUDGET, ExitCode.STOPPED),
    (TaskState.UNKNOWN, ExitCode.WAITING),
    (TaskState.WAITING, ExitCode.WAITING),
    (TaskState.FAILED, ExitCode.FAILED),
    (TaskState.DETACHED, ExitCode.IN_PROGRESS),
    (TaskState.CANCELED, ExitCode.FAILED),
)
