"""A clock for tests: time passes when somebody sleeps, and at once."""

from __future__ import annotations

import asyncio
import heapq
import math

#: Real seconds for other tasks and threads to go on, before the next sleeper's time is taken to have come.
_PAUSE = 0.001


class FakeClock:
    """Implements `callsheet.engine.clock.Clock`. Hours of polling take milliseconds, in the right order.

    Sleepers wake one after the other, each at its own time. ``start`` is the first `now`, in seconds since the epoch.
    A sleep longer than ``horizon`` seconds never ends by itself, only by `advance`: so a heartbeat does not make time
    run away. ``slept`` lists the lengths of all sleeps, in seconds. Use one clock within one event loop at a time.
    """

    def __init__(self, start: float = 1_700_000_000.0, *, horizon: float = 86_400.0) -> None:
        self.slept: list[float] = []
        self._start = start
        self._horizon = horizon
        self._elapsed = 0.0
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._ticking: asyncio.AbstractEventLoop | None = None  # the loop that will wake the next sleeper

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + self._elapsed

    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let so much time pass; wake all whose time has come."""
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _wake(heapq.heappop(self._sleepers)[2])

    async def sleep(self, seconds: float) -> None:
        """Return when so much time has passed on this clock; others run meanwhile."""
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        waking = loop.create_future()
        self._count += 1
        wake = self._elapsed + seconds if seconds <= self._horizon else math.inf
        heapq.heappush(self._sleepers, (wake, self._count, waking))
        self._tick_later(loop)
        await waking

    def _tick_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._ticking is not loop:
            self._ticking = loop
            loop.call_later(_PAUSE, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """The next sleeper's time has come."""
        self._ticking = None
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # it was canceled
        if not self._sleepers or self._sleepers[0][0] == math.inf:
            return
        wake, _, waking = heapq.heappop(self._sleepers)
        self._elapsed = max(self._elapsed, wake)
        _wake(waking)
        self._tick_later(loop)


def _wake(waking: asyncio.Future[None]) -> None:
    if not waking.done():
        waking.set_result(None)
