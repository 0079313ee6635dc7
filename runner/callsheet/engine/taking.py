"""Taking a purchase: its slot and its intent, or what somebody else has made of it already."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from ..core.durations import show_duration
from ..core.fingerprint import digest, idempotency_key, tag
from ..core.money import show
from ..core.states import Decision, TaskState
from ..core.values import to_state
from ..state.protocol import Begun, Existing, Finished, Intent, NoSlot, OverBudget, Result, SubmissionState
from .outcome import TaskEnd
from .sweep import sweep

if TYPE_CHECKING:
    from ..state.protocol import Submission
    from .order import Order
    from .services import Services, Slots


@dataclass(frozen=True, slots=True)
class Taken:
    """A submission that is ours to bring on. ``fresh``: its request has certainly not been sent yet."""

    submission: Submission
    fresh: bool


class Taking:
    """Takes one purchase. Use it as an async context manager: leaving it lets the next purchase have its turn."""

    def __init__(self, services: Services, order: Order) -> None:
        self._s = services
        self._o = order
        self._account = order.session.account
        self._attaching = order.run.planned.decision is Decision.ATTACH
        self._turns: Slots | None = None
        self._waits_for = ""

    async def __aenter__(self) -> Taking:
        slots = self._slots()
        if slots is not None and not self._attaching:  # one that is in flight has its slot already
            self._turns = self._s.slots_of(self._account, self._o.operation.pool or "", slots)
            await self._turns.turn()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Let the next one have its turn; what comes after, such as noting a result, needs no slot."""
        if self._turns is not None:
            self._turns.free()
            self._turns = None

    async def take(self, deadline: float) -> Result | Taken:
        """A result that is there, or a submission. Raises TaskEnd when neither is to be had before ``deadline``."""
        while True:
            self._stop_if_asked()
            if self._s.clock.elapsed() > deadline:
                raise TaskEnd(TaskState.FAILED, f"not submitted: {self._waits_for}", "rate_limited")
            try:
                answer = await self._s.state.begin(self._intent(), slots=self._slots(), cap=self._cap())
            except ValueError:
                raise self._failed_elsewhere() from None
            match answer:
                case Begun(submission):
                    self._s.driven.add(submission.idempotency_key)
                    return Taken(submission, fresh=True)
                case Finished(result):
                    return result
                case Existing(submission, alive):
                    taken = await self._take_over(submission, alive)
                    if taken is not None:
                        self._s.driven.add(taken.idempotency_key)
                        return Taken(taken, fresh=False)
                case NoSlot(until):
                    await self._wait_for_slot(until, deadline)
                case OverBudget(committed, cap):
                    price, currency = show(self._o.price or Decimal(0)), self._o.currency
                    taken_up = f"{show(committed)} of {show(cap)} {currency} is spent or reserved"
                    message = f"it would cost up to {price} {currency}, and {taken_up}"
                    raise TaskEnd(TaskState.OVER_BUDGET, message, "over_budget")
                case _:
                    assert_never(answer)

    def _failed_elsewhere(self) -> TaskEnd:
        """Another process has tried and failed meanwhile: whether to pay again is for the next run to decide."""
        last = self._s.state.submissions([(self._account, self._o.key)]).get((self._account, self._o.key))
        message = last.error if last is not None and last.error else "it failed in another run"
        return TaskEnd(TaskState.FAILED, message, last.error_kind if last is not None else "provider_failed")

    async def _take_over(self, submission: Submission, alive: bool) -> Submission | None:
        if submission.state is SubmissionState.UNKNOWN:
            raise TaskEnd(TaskState.UNKNOWN, submission.error or "a paid request may have been accepted", "unknown")
        mine = submission.worker_id == self._s.worker.worker_id
        if alive and not mine:
            self._tell("another process is at it")
            await self._s.stop.wait(self._s.timing.slot, self._s.clock)
            return None
        return submission if mine else await self._s.state.claim(submission.idempotency_key, self._s.worker.worker_id)

    def _tell(self, why: str) -> None:
        """Say once what the task waits for."""
        if self._waits_for != why:
            self._waits_for = why
            self._o.say(self._s.events, TaskState.PENDING, why)

    async def _wait_for_slot(self, until: float | None, deadline: float) -> None:
        wait = self._s.timing.slot if until is None else max(0.05, until - self._s.clock.now())
        wait = min(wait, max(0.05, deadline - self._s.clock.elapsed()))
        if until is not None:
            self._tell(f"the provider asked for a pause of {show_duration(until - self._s.clock.now())}")
        elif not await sweep(self._s, self._o.session, self._o.operation.pool or ""):
            self._tell("all slots of the account are taken, also by jobs of other runs")
        if self._turns is None:
            await self._s.stop.wait(wait, self._s.clock)
        else:
            self._turns.freed.clear()
            await self._s.stop.wait_or(self._turns.freed, wait, self._s.clock)

    def _stop_if_asked(self) -> None:
        if self._attaching and not self._s.stop.now:
            return  # what is in flight is seen to its end
        refused = self._s.stop.refused.get(self._o.run.planned.prefix)
        if refused is not None:
            raise TaskEnd(TaskState.CANCELED, f"nothing more is submitted: {refused}", "stopped")
        if not self._s.stop.submitting:
            raise TaskEnd(TaskState.CANCELED, "the run was stopped before this was submitted", "stopped")

    def _intent(self) -> Intent:
        operation = self._o.operation
        sent = idempotency_key(self._account, operation.identity, self._o.key, self._o.generation)
        return Intent(
            account=self._account,
            key=self._o.key,
            operation=operation.identity,
            generation=self._o.generation,
            idempotency_key=sent,
            tag=tag(sent),
            body_sha256=digest(self._o.inputs),
            inputs=to_state(self._o.inputs),
            pool=operation.pool or "",
            reserved=Decimal(0) if self._o.free else self._o.price,
            currency=self._o.currency,
            run_id=self._s.run_id,
            job=self._s.job,
            task=self._o.run.address,
            worker_id=self._s.worker.worker_id,
        )

    def _slots(self) -> int | None:
        return self._o.session.limits.jobs.get(self._o.operation.pool or "")

    def _cap(self) -> Decimal | None:
        return None if self._o.free else self._s.policy.cap
