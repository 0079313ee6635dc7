"""Repeating a request of the same purchase, with the same key, after failures that allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ..core.states import TaskState
from ..errors import RateLimited, Retryable
from .events import Event
from .outcome import TaskEnd

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..core.model import Retry
    from .services import Services

T = TypeVar("T")


class Patience:
    """How much longer a task may wait in this run: its timeout, and the attempts of its retry rule."""

    def __init__(self, services: Services, task: str, retry: Retry, timeout: float) -> None:
        self._services = services
        self._task = task
        self._retry = retry
        self.deadline = services.clock.elapsed() + timeout
        self.attempt = 0

    def failed(self, problem: Retryable) -> None:
        """Count a failure; raise it when the rule does not allow another attempt."""
        self.attempt += 1
        limited = isinstance(problem, RateLimited)  # a full account is no failure: only the timeout ends the wait
        if problem.kind not in self._retry.on or (not limited and self.attempt >= self._retry.attempts):
            raise problem

    async def pause(self, problem: Retryable) -> None:
        """Wait before the next attempt. The provider's own Retry-After is honoured in full, up to the timeout."""
        wait = problem.retry_after
        if wait is None:
            wait = self._services.timing.backoff(self.attempt)
        if self._services.clock.elapsed() + wait > self.deadline:
            raise problem
        message = f"{problem.message}; next attempt in {wait:.0f} s"
        self._services.events.tell(Event("remote", self._task, message=message))
        await self._services.stop.wait(wait, self._services.clock)
        if self._services.stop.now:
            raise TaskEnd(TaskState.CANCELED, "the run was stopped")


async def repeat(work: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """Do free work until it succeeds or the rule is used up."""
    while True:
        try:
            return await work()
        except Retryable as problem:
            patience.failed(problem)
            await patience.pause(problem)
