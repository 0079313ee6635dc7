"""What happens in a run, told to whoever listens: the progress display, reports, plugins."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.states import TaskState

log = logging.getLogger("callsheet")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``task`` is an address, empty for the run as a whole."""

    kind: str  # "run-started" | "task" | "remote" | "transfer" | "warning" | "run-ended"
    task: str = ""
    state: TaskState | None = None
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The published shape of a line of the event stream."""
        shape = {"type": self.kind, "task": self.task, "state": self.state, "message": self.message, **self.data}
        return {key: value for key, value in shape.items() if value not in (None, "")}


class Events:
    """Tells every listener; one that fails is logged and never stops a run."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def tell(self, event: Event) -> None:
        """Something happened."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("an observer failed on %s", event.kind)
