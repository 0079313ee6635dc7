"""What every part of the engine shares during one run."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from .events import Event
from .rhythm import Durations

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from decimal import Decimal
    from pathlib import Path

    from ..core.values import Media
    from ..expressions import Expressions
    from ..plan.inputs import TaskInputs
    from ..plan.targets import Targets
    from ..registry import Registry
    from ..state.protocol import State, Worker
    from .clock import Clock, Timing
    from .events import Events
    from .sessions import Sessions
    from .transfer import Downloader


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """What this run may do. Amounts are in the currency of the price list; None means no limit.

    ``free`` are providers that charge nothing: the sandbox. ``resend_below`` is the price under which a request without
    any idempotency is sent again after a lost answer.
    """

    cap: Decimal | None = None
    per_task: Decimal | None = None
    free: frozenset[str] = frozenset()
    resend_below: Decimal | None = None
    fail_fast: bool = False


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
        if not self.now:
            await self.or_leave(clock.sleep(seconds))

    async def or_leave(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do work that may be given up at any moment; None when the run was interrupted meanwhile."""
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


class Slots:
    """Turns to take a slot. The state decides who gets one, over all processes; this spares it needless questions."""

    def __init__(self, size: int) -> None:
        self._turns = asyncio.Semaphore(size)
        self.freed = asyncio.Event()

    async def turn(self) -> None:
        """Wait until this process has fewer jobs than slots."""
        await self._turns.acquire()

    def free(self) -> None:
        """A job of this process has ended, or was never begun."""
        self._turns.release()
        self.freed.set()


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one run."""

    folder: str
    job: str
    run_id: str
    registry: Registry
    expressions: Expressions
    inputs: TaskInputs
    state: State
    sessions: Sessions
    downloader: Downloader
    targets: Targets
    keep: Path  # where results that cannot be read again are kept
    worker: Worker
    clock: Clock
    timing: Timing
    policy: Policy
    events: Events
    stop: Stop
    #: The slots of each (account, pool), as far as this process is concerned.
    slots: dict[tuple[str, str], Slots] = field(default_factory=dict)
    #: One purchase at a time per (account, key) in this process.
    locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    #: What was learnt about how long jobs take, by operation.
    lasted: dict[str, Durations] = field(default_factory=lambda: defaultdict(Durations))

    def slots_of(self, account: str, pool: str, size: int) -> Slots:
        """The slots of an account's pool."""
        return self.slots.setdefault((account, pool), Slots(size))

    def wrote(self, target: Path) -> bool:
        """Whether the file is one that callsheet wrote: then it is replaced, also when it was changed since."""
        return self.state.artifact(str(target)) is not None

    def allows_private(self, media: Media) -> bool:
        """Results may come from a private address only when the provider's API itself is on this machine."""
        return media.account is not None and self.sessions.is_local(media.account)

    def transfer(self, task: str, done: int, total: int | None) -> None:
        """Tell how far a download is."""
        self.events.tell(Event("transfer", task, data={"bytes": done, "total": total}))
