"""What is to be bought for a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .events import Event

if TYPE_CHECKING:
    from decimal import Decimal

    from ..core.operation import RemoteOperation
    from ..core.states import TaskState
    from .events import Events
    from .outcome import TaskRun
    from .sessions import Session


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bought for a task."""

    run: TaskRun
    operation: RemoteOperation
    session: Session
    inputs: dict[str, Any]
    key: str
    generation: int
    price: Decimal | None  # the upper estimate; None when unknown
    currency: str
    free: bool  # the provider charges nothing in this run: the sandbox

    def say(self, events: Events, state: TaskState, remote: str = "") -> None:
        """Tell how the task stands; ``remote`` is the provider's word."""
        self.run.state = state
        self.run.remote_status = remote
        events.tell(Event("task", self.run.address, state, remote))
