"""The pace of requests to one account, shared by all processes on the same state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..errors import NotSent

if TYPE_CHECKING:
    from ..state.protocol import State
    from .clock import Clock
    from .stop import Stop

#: Seconds' worth of turns that a process takes at a time: a question to the state for each would cost too much.
_AHEAD = 0.25


class Pacer:
    """Lets requests go one by one. Turns that were taken and not used are lost to nobody for long."""

    def __init__(self, state: State, account: str, per_second: float, clock: Clock) -> None:
        self._state = state
        self._account = account
        self._per_second = per_second
        self._clock = clock
        self._next = 0.0  # when the next turn in hand begins
        self._left = 0
        self._asking = asyncio.Lock()
        self.stop: Stop | None = None  # of the run that goes on

    async def __call__(self) -> None:
        """Wait for a turn."""
        async with self._asking:
            if self._left == 0 or self._next < self._clock.now() - 1.0:  # turns of long ago would allow a burst
                self._left = max(1, int(self._per_second * _AHEAD))
                wait = await self._state.reserve_request(self._account, self._per_second, self._left)
                self._next = self._clock.now() + wait
            turn = self._next
            self._left -= 1
            self._next += 1 / self._per_second
        wait = turn - self._clock.now()
        if wait <= 0:
            return
        if self.stop is None:
            await self._clock.sleep(wait)
            return
        await self.stop.wait(wait, self._clock)
        if self.stop.now:
            raise NotSent("the run was stopped before this was sent")
