"""Jobs that nobody waits for any more: what has ended at the provider gives its slot back.

A slot belongs to the remote job. When a run is killed, or stops waiting, the job goes on and holds its slot; when it
has ended, somebody must notice. Asking is free.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ..core.operation import Done, RemoteOperation
from ..core.states import SubmissionState
from ..core.values import kept_at_provider, to_state
from ..errors import OperationError, PluginError, Rejected
from ..state.protocol import Result
from .context import TaskContext

if TYPE_CHECKING:
    from ..state.protocol import Submission
    from .services import Services
    from .sessions import Session


async def sweep(services: Services, session: Session, pool: str) -> bool:
    """Ask after every job of the account's pool that nobody drives; whether one of them has ended."""
    now = services.clock.elapsed()
    if now < services.next_sweep.get((session.account, pool), 0.0):
        return False
    services.next_sweep[session.account, pool] = now + services.timing.sweep
    freed = False
    for submission in services.state.holding(session.account, pool):
        if submission.state is SubmissionState.SUBMITTED and await _is_ours(services, submission):
            freed = await _ended(services, session, submission) or freed
    return freed


async def _is_ours(services: Services, submission: Submission) -> bool:
    """Whether this process may ask: it has let go of the job itself, or whoever had it is gone."""
    key = submission.idempotency_key
    if submission.worker_id == services.worker.worker_id:
        return key not in services.driven
    return await services.state.claim(key, services.worker.worker_id) is not None


async def _ended(services: Services, session: Session, submission: Submission) -> bool:
    prefix, _, name = submission.operation.partition("/")
    try:
        operation = services.registry.plugin(prefix).operations[name]
    except (PluginError, KeyError):
        return False
    if not isinstance(operation, RemoteOperation) or submission.handle is None:
        return False
    context = TaskContext(services, submission.task, session, submission.idempotency_key, submission.tag)
    try:
        answer = await operation.check(submission.handle, context)
    except Rejected as problem:
        await services.state.finish(
            submission.idempotency_key,
            SubmissionState.FAILED,
            cost=Decimal(0),
            error_kind=problem.kind,
            error=services.sessions.redactor(problem.message),
        )
        return True
    except OperationError:
        return False  # no news; asked again at the next sweep
    if not isinstance(answer, Done):
        return False
    outputs = kept_at_provider(answer.outputs, submission.key, submission.account)
    result = Result(
        submission.account,
        submission.key,
        submission.operation,
        to_state(outputs),
        submission.run_id,
        submission.job,
        submission.task,
    )
    await services.state.finish(submission.idempotency_key, SubmissionState.DONE, result=result)
    return True
