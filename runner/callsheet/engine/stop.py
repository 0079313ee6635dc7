"""Stopping a run: why, how far, and waking up those who wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .clock import Clock

T = TypeVar("T")


class Stop:
    """Why and how far a run is being stopped. Providers that refuse everything stop for themselves alone."""

    def __init__(self) -> None:
        self._sleeping: set[asyncio.Task[Any]] = set()
        self.now = False  # waiting is over: a signal came
        self.signal: int | None = None
        self.submitting = True
        self.refused: dict[str, Exception] = {}

    def interrupt(self, signal: int) -> None:
        """Submit nothing more and leave what runs to the provider."""
        self.signal = signal
        self.submitting = False
        self.now = True
        for task in self._sleeping:
            task.cancel()  # `wait` takes this for waking up

    def no_more(self) -> None:
        """Submit nothing more, but see what runs to its end."""
        self.submitting = False

    async def wait(self, seconds: float, clock: Clock) -> None:
        """Sleep, but wake at once when the run is interrupted."""
        await self.or_leave(clock.sleep(seconds))

    async def or_leave(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do work that may be given up at any moment; None when the run was interrupted meanwhile."""
        if self.now:
            work.close()
            return None
        task = asyncio.current_task()
        assert task is not None
        self._sleeping.add(task)
        try:
            return await work
        except asyncio.CancelledError:
            if not self.now or task.uncancel() > 0:  # somebody else cancelled the task too
                raise
            return None
        finally:
            self._sleeping.discard(task)

    async def wait_or(self, event: asyncio.Event, seconds: float, clock: Clock) -> None:
        """Sleep, but wake when the event is set or the run is interrupted."""
        waiting = asyncio.ensure_future(event.wait())
        sleeping = asyncio.ensure_future(self.wait(seconds, clock))
        try:
            await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            sleeping.cancel()
