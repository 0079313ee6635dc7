"""Time as the engine sees it, and how long it waits between attempts."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """A seam for tests: real time, or time that passes when told to."""

    def now(self) -> float:
        """Seconds since the epoch, for what is recorded."""
        ...

    def elapsed(self) -> float:
        """Seconds on a clock that never jumps, for what is measured."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let other tasks go on for so long."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """See `Clock.now`."""
        return time.time()

    def elapsed(self) -> float:
        """See `Clock.elapsed`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Timing:
    """The engine's waits, in seconds. The defaults are the job language's: from 2 s, doubled, at most 5 minutes."""

    backoff_first: float = 2.0
    backoff_factor: float = 2.0
    backoff_longest: float = 300.0
    slot: float = 1.0  # how often to look whether another process has freed a slot
    sweep: float = 5.0  # how often to ask after jobs that nobody waits for, while they hold the slots
    beat: float = 10.0  # how often this process says that it is alive
    replay_margin: float = 3600.0  # a key is not trusted in the last hour of its lifetime

    def backoff(self, attempt: int) -> float:
        """How long to wait before the attempt after the given one (from 1): exponential with full jitter."""
        ceiling = min(self.backoff_longest, self.backoff_first * self.backoff_factor ** (attempt - 1))
        return random.uniform(0, ceiling)
