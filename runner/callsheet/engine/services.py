"""What every part of the engine shares during one run."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .events import Event
from .rhythm import Durations

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from ..core.values import Media
    from ..expressions import Expressions
    from ..plan.inputs import TaskInputs
    from ..plan.targets import Targets
    from ..registry import Registry
    from ..state.protocol import State, Worker
    from .alone import Alone
    from .clock import Clock, Timing
    from .events import Events
    from .sessions import Sessions
    from .stop import Stop
    from .transfer import Downloader


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
    alone: Alone
    #: The slots of each (account, pool), as far as this process is concerned.
    slots: dict[tuple[str, str], Slots] = field(default_factory=dict)
    #: Idempotency keys of purchases that this process brings on.
    driven: set[str] = field(default_factory=set)
    #: When to look again for jobs that nobody drives, by (account, pool), on the clock of `Clock.elapsed`.
    next_sweep: dict[tuple[str, str], float] = field(default_factory=dict)
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
