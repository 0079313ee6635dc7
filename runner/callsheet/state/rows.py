"""Between rows of the database and the values of the protocol."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..core.states import TaskState
from .protocol import Result, Run, Submission, SubmissionState, TaskRow

if TYPE_CHECKING:
    from .protocol import Intent

Row = tuple[Any, ...]

#: JSON without needless blanks; made once, because `json.dumps` makes an encoder anew for each call with options.
to_json = json.JSONEncoder(separators=(",", ":")).encode
from_json = json.JSONDecoder().decode


def storable(text: str) -> str:
    """Text that a database takes: file names that are no UTF-8, and half characters in replies, become escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def result_row(result: Result, now: float) -> Row:
    """The parameters of `put_result`."""
    return (
        result.account,
        result.key,
        result.operation,
        to_json(result.outputs),
        result.run_id,
        result.job,
        result.task,
        result.created_at or now,
    )


def to_results(rows: list[Row]) -> list[Result]:
    """Many at once: their JSON read as one list takes half the time of reading each, and shares the names in it."""
    all_outputs = from_json(f"[{','.join([row[3] for row in rows])}]")
    return [
        Result(account, key, operation, outputs, run_id, job, task, created_at)
        for (account, key, operation, _, run_id, job, task, created_at), outputs in zip(rows, all_outputs, strict=True)
    ]


def task_row(task: TaskRow, now: float) -> Row:
    """The parameters of `put_task`."""
    return (
        task.run_id,
        task.address,
        task.position,
        task.step,
        task.uses,
        to_json(task.axes),
        task.state,
        task.decision,
        task.reason,
        task.account,
        task.key,
        task.error_kind,
        storable(task.error),
        task.updated_at or now,
    )


def to_task(row: Row) -> TaskRow:
    run_id, position, address, step, uses, axes, state, *rest = row
    return TaskRow(run_id, position, address, step, uses, from_json(axes), TaskState(state), *rest)


def to_run(row: Row) -> Run:
    run_id, job, file, state, started_at, ended_at, details = row
    return Run(run_id, job, file, state, started_at, ended_at, from_json(details))


def intent_row(intent: Intent, now: float) -> Row:
    """The parameters of `add_submission`."""
    return (
        intent.idempotency_key,
        intent.account,
        intent.key,
        intent.operation,
        intent.generation,
        intent.tag,
        intent.body_sha256,
        to_json(intent.inputs),
        intent.pool,
        amount_text(intent.reserved),
        intent.currency,
        intent.run_id,
        intent.job,
        intent.task,
        intent.worker_id,
        now,
        now,
    )


def begun(intent: Intent, now: float) -> Submission:
    """The row that `add_submission` makes of an intent, without reading it back."""
    return Submission(
        account=intent.account,
        key=intent.key,
        operation=intent.operation,
        generation=intent.generation,
        idempotency_key=intent.idempotency_key,
        tag=intent.tag,
        body_sha256=intent.body_sha256,
        inputs=intent.inputs,
        pool=intent.pool,
        state=SubmissionState.INTENT,
        reserved=intent.reserved,
        currency=intent.currency,
        cost=None,
        run_id=intent.run_id,
        job=intent.job,
        task=intent.task,
        worker_id=intent.worker_id,
        intent_at=now,
        sent_at=now,
        sends=1,
        handle=None,
        submitted_at=None,
        remote_status="",
        ended_at=None,
        error_kind="",
        error="",
    )


def to_submission(row: Row) -> Submission:
    """A row of `submission` or `submissions`: the value's fields in their order."""
    fields = list(row)
    fields[7] = from_json(row[7])
    fields[9] = SubmissionState(row[9])
    fields[10] = amount(row[10])
    fields[12] = amount(row[12])
    fields[20] = None if row[20] is None else from_json(row[20])
    return Submission(*fields)


def amount(text: str | None) -> Decimal | None:
    """An amount of money as it is kept; None is unknown."""
    return None if text is None else Decimal(text)


def amount_text(value: Decimal | None) -> str | None:
    """The reverse of `amount`."""
    return None if value is None else str(value)
