"""The life of one purchase: intent, request, id, polling, outcome. Each step is durable before the next begins.

The order is the promise: nothing leaves before its intent is written, nothing is polled before its id is written, and
an answer that was lost is only ever asked for again with the same key and the same inputs, inside the key's lifetime.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..core.durations import show_duration
from ..core.operation import Done, Waiting
from ..core.states import TaskState
from ..core.values import Media, from_state, kept_at_provider, known_part, to_state
from ..errors import (
    Ambiguous,
    InvalidInput,
    OperationError,
    ProviderStop,
    RateLimited,
    Rejected,
    Retryable,
    ServerError,
)
from ..state.protocol import Result, SubmissionState
from .context import TaskContext
from .events import Event
from .outcome import TaskEnd
from .retrying import Patience
from .rhythm import Rhythm
from .taking import Taking

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.operation import Outputs
    from ..state.protocol import Submission
    from .order import Order
    from .services import Services


class Purchase:
    """Brings one order to its end."""

    def __init__(self, services: Services, order: Order) -> None:
        self._s = services
        self._o = order
        self._account = order.session.account
        self._address = order.run.address
        step = order.run.planned.step
        timeout = step.timeout if step.timeout is not None else order.operation.timeout
        self._patience = Patience(services, self._address, step.retry, timeout)
        self._taking = Taking(services, order)
        self._uncertain = False  # a request may have been accepted without an answer
        self._counted = 1  # requests that may have been paid for

    async def complete(self) -> Outputs:
        """The outputs. Raises TaskEnd or OperationError; whatever happens, the state says what is known."""
        if not self._o.operation.lasting:
            _make_folder(self._s.keep)  # before anything is bought: its result must have a place to go to
        async with self._s.locks[self._account, self._o.key], self._taking:
            found = await self._taking.take(self._patience.deadline)
            if isinstance(found, Result):
                outputs: Outputs = from_state(found.outputs)
                return outputs
            try:
                return await self._bring_on(found.submission, fresh=found.fresh)
            finally:
                self._s.driven.discard(found.submission.idempotency_key)

    async def _bring_on(self, submission: Submission, *, fresh: bool) -> Outputs:
        if submission.state is SubmissionState.SUBMITTED and submission.handle is not None:
            self._say(TaskState.RUNNING, "attached to the job at the provider")
            return await self._poll(submission, submission.handle, submission.submitted_at or submission.intent_at)
        return await self._submit(submission, fresh=fresh)

    # -- submitting

    async def _submit(self, submission: Submission, *, fresh: bool) -> Outputs:
        """Send the request until it is answered for good. An intent found from before is sent with its own inputs."""
        first_sent = submission.intent_at
        inputs = from_state(submission.inputs)
        context = TaskContext(self._s, self._address, self._o.session, submission.idempotency_key, submission.tag)
        if not fresh:
            self._uncertain = True
            self._counted = submission.sends
            await self._allow_resend(submission, first_sent, None)
        self._say(TaskState.SUBMITTING)
        while True:
            try:
                answer = await self._o.operation.start(inputs, context)
            except (Rejected, ProviderStop) as problem:
                if isinstance(problem, ProviderStop):
                    self._s.stop.refused[self._o.run.planned.prefix] = problem
                if self._uncertain:
                    # This refusal says nothing about the request before it, which may have been accepted and paid.
                    raise self._in_doubt(submission, problem) from None
                await self._close(submission, SubmissionState.REJECTED, problem)
                raise
            except Retryable as problem:
                self._uncertain = self._uncertain or isinstance(problem, ServerError)
                await self._again(submission, problem)
            except Ambiguous as problem:
                self._uncertain = True
                await self._allow_resend(submission, first_sent, problem)
            except OperationError:
                raise
            except Exception as problem:
                # Nobody knows whether the request left before the plugin broke.
                await self._lost(submission, f"the operation broke: {type(problem).__name__}: {problem}")
                raise
            else:
                return await self._answered(submission, answer, context)

    async def _again(self, submission: Submission, problem: Retryable) -> None:
        """After an answer that allows it: wait, then the same request once more."""
        if isinstance(problem, RateLimited):
            await self._hold(problem)
        try:
            self._patience.failed(problem)
            await self._patience.pause(problem)
        except (Retryable, TaskEnd) as end:
            if self._uncertain:
                raise self._in_doubt(submission, problem) from None
            # Nothing was bought: the next run may begin afresh.
            await self._close(submission, SubmissionState.REJECTED, problem)
            raise end from None
        await self._s.state.sent(submission.idempotency_key)

    async def _hold(self, problem: RateLimited) -> None:
        if problem.retry_after:
            until = self._s.clock.now() + problem.retry_after
            await self._s.state.hold(self._account, self._o.operation.pool or "", until)

    async def _allow_resend(self, submission: Submission, first_sent: float, problem: Ambiguous | None) -> None:
        """After a lost answer: go on only where asking again cannot buy twice."""
        repeat = self._o.operation.repeat
        said = problem.message if problem is not None else "its answer is not known"
        age = self._s.clock.now() - first_sent
        in_window = repeat.kind == "keyed" and age < repeat.window - min(
            self._s.timing.replay_margin, repeat.window / 4
        )
        cheap = self._is_cheap()
        if not (repeat.kind == "pure" or in_window or cheap):
            await self._lost(submission, f"{said}, and asking again could buy it twice")
            raise TaskEnd(TaskState.UNKNOWN, f"{said}; the provider may have accepted it", "unknown")
        if problem is not None:
            waited = Retryable(problem.message)
            try:
                self._patience.failed(waited)
                await self._patience.pause(waited)
            except (Retryable, TaskEnd):
                raise self._in_doubt(submission, problem) from None
        await self._s.state.sent(submission.idempotency_key)
        self._counted += 1

    def _is_cheap(self) -> bool:
        below, price = self._s.policy.resend_below, self._o.price
        return self._o.free or (below is not None and price is not None and price < below)

    def _in_doubt(self, submission: Submission, problem: OperationError) -> TaskEnd:
        """The run gives up for now; the key is still good, so the next run asks again with it."""
        message = f"{problem.message}; an earlier sending may have been accepted. Run again to ask once more"
        left = self._o.operation.repeat.window - (self._s.clock.now() - submission.intent_at)
        if left > 0:
            message += f", with the same key (good for {show_duration(left)})"
        return TaskEnd(TaskState.DETACHED, message, problem.kind)

    async def _lost(self, submission: Submission, message: str) -> None:
        await self._s.state.finish(
            submission.idempotency_key, SubmissionState.UNKNOWN, error_kind="unknown", error=self._clean(message)
        )
        self._taking.leave()

    async def _close(self, submission: Submission, state: SubmissionState, problem: OperationError) -> None:
        message = self._clean(problem.message)
        await self._s.state.finish(
            submission.idempotency_key, state, cost=Decimal(0), error_kind=problem.kind, error=message
        )
        self._taking.leave()

    async def _answered(self, submission: Submission, answer: Waiting | Done, context: TaskContext) -> Outputs:
        if isinstance(answer, Done):
            try:
                return await self._finish(submission, answer, context, lasting=False)
            except OperationError as problem:
                await self._paid_for_nothing(submission, problem.kind, problem.message)
                raise
            except TaskEnd as end:
                await self._paid_for_nothing(submission, end.kind, end.message)
                raise
        await self._s.state.submitted(submission.idempotency_key, answer.handle)
        self._say(TaskState.RUNNING, answer.status)
        return await self._poll(submission, answer.handle, self._s.clock.now(), answer.after)

    # -- polling

    async def _poll(
        self, submission: Submission, handle: dict[str, Any], since: float, after: float | None = None
    ) -> Outputs:
        """Ask until the remote job ends. A poll that fails says nothing about the job: it is asked again."""
        context = TaskContext(self._s, self._address, self._o.session, submission.idempotency_key, submission.tag)
        rhythm = Rhythm(self._s, self._o.operation, self._o.session.limits, self._o.inputs)
        wait = after if after is not None else rhythm.first()
        before: float | None = None  # when it was last seen at work, in seconds after `since`
        while True:
            await self._sleep(wait)
            asked = self._s.clock.now() - since
            try:
                answer = await self._o.operation.check(handle, context)
            except Rejected as problem:
                await self._close(submission, SubmissionState.FAILED, problem)
                raise
            except ProviderStop as problem:
                self._s.stop.refused[self._o.run.planned.prefix] = problem
                raise TaskEnd(TaskState.DETACHED, f"it cannot be asked for: {problem.message}", problem.kind) from None
            except OperationError as problem:
                self._s.events.tell(Event("remote", self._address, message=f"no news: {problem.message}"))
                wait = max(rhythm.next(asked), getattr(problem, "retry_after", None) or 0.0)
                continue
            if isinstance(answer, Done):
                rhythm.learn(before, asked)
                return await self._finish(submission, answer, context, lasting=True)
            before = asked
            if answer.handle != handle or answer.status != self._o.run.remote_status:
                handle = answer.handle
                self._s.state.progress(submission.idempotency_key, handle, answer.status)
                self._say(TaskState.RUNNING, answer.status)
            wait = answer.after if answer.after is not None else rhythm.next(asked)

    async def _sleep(self, seconds: float) -> None:
        left = self._patience.deadline - self._s.clock.elapsed()
        if left <= 0:
            raise TaskEnd(TaskState.DETACHED, "it goes on at the provider; run again to go on waiting", "timeout")
        await self._s.stop.wait(min(seconds, left), self._s.clock)
        if self._s.stop.now:
            raise TaskEnd(TaskState.DETACHED, "the run was stopped; it goes on at the provider", "stopped")

    # -- the end

    async def _finish(self, submission: Submission, answer: Done, context: TaskContext, *, lasting: bool) -> Outputs:
        outputs: Outputs = {}
        if lasting:
            outputs = kept_at_provider(answer.outputs, self._o.key, self._account)
        else:
            for name, value in answer.outputs.items():
                outputs[name] = await self._kept(name, value, context) if isinstance(value, Media) else value
        cost = self._cost(answer, outputs)
        result = Result(
            self._account,
            self._o.key,
            self._o.operation.identity,
            to_state(outputs),
            self._s.run_id,
            self._s.job,
            self._address,
        )
        finishing = asyncio.ensure_future(
            self._s.state.finish(submission.idempotency_key, SubmissionState.DONE, result=result, cost=cost)
        )
        self._taking.leave()  # the next one's intent follows in the same commit: the state takes them in this order
        await finishing
        self._o.run.cost = cost
        return outputs

    async def _kept(self, name: str, media: Media, context: TaskContext) -> Media:
        """A result whose URL cannot be read again is fetched before it counts as done."""
        if media.fresh is None:
            return media
        kept = self._s.keep / f"{self._o.key[:32]}.{name}"
        while True:
            try:
                fetched = await context.fetch(replace(media, account=self._account), kept, overwrite=True)
                return replace(fetched, duration=media.duration)
            except Retryable as problem:
                self._patience.failed(problem)
                await self._patience.pause(problem)

    async def _paid_for_nothing(self, submission: Submission, kind: str, message: str) -> None:
        """The provider did its part, but its result cannot be had: that is known, and costs what it costs."""
        cost = Decimal(0) if self._o.free else self._o.price
        await self._s.state.finish(
            submission.idempotency_key,
            SubmissionState.FAILED,
            cost=cost,
            error_kind=kind,
            error=self._clean(f"done at the provider, but its result cannot be fetched: {message}"),
        )
        self._o.run.cost = cost
        self._taking.leave()

    def _cost(self, answer: Done, outputs: Outputs) -> Decimal | None:
        """What it did cost: what the provider says, else its price for what came out, once per sending that counted."""
        if self._o.free:
            return Decimal(0)
        if answer.cost is not None:
            return answer.cost.high
        actual = self._o.operation.settle(known_part(self._o.inputs), outputs)
        price = self._o.price if actual is None else actual.high
        times = self._counted if self._o.operation.repeat.kind == "unsafe" else 1
        return None if price is None else price * times

    def _clean(self, message: str) -> str:
        """A message as it may be kept."""
        return self._s.sessions.redactor(message)

    def _say(self, state: TaskState, remote: str = "") -> None:
        self._o.say(self._s.events, state, remote)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        message = f'the folder "{folder}", where results are kept, cannot be made: {problem.strerror}'
        raise InvalidInput(message) from None
