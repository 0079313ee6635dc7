"""The operations on the ledger of purchases, each inside a transaction of the writer.

::

    begin → intent ──→ submitted ──→ done │ failed
               │  └──→ unknown ←─┘ (a person, or the provider's late answer, decides)
               └─────→ rejected │ absent ──→ submitted (the late answer came after all)
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StateError
from .protocol import LIVE, Begun, Existing, Finished, NoSlot, OverBudget, SubmissionState
from .queries import SQL
from .rows import amount, amount_text, begun, intent_row, result_row, storable, to_results, to_submission
from .workers import is_alive

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from .protocol import BeginAnswer, Intent, Result, Submission

    Clock = Callable[[], float]

_ZERO = Decimal(0)
_LIVE = frozenset(state.value for state in LIVE)
#: States whose price still stands at its estimate when no actual price is known.
_ESTIMATE_STANDS = frozenset({*_LIVE, SubmissionState.DONE.value})


def begin(
    connection: sqlite3.Connection, clock: Clock, intent: Intent, slots: int | None, cap: Decimal | None
) -> BeginAnswer:
    """`State.begin`: look at everything that speaks against the purchase, then record the intent."""
    now = clock()
    finished, former_key, generation, state, taken, held_until, committed = connection.execute(
        SQL["begin_facts"],
        {
            "account": intent.account,
            "key": intent.key,
            "pool": intent.pool,
            "enough": slots if slots and intent.pool else 0,
            "run_id": intent.run_id,
            "currency": intent.currency,
        },
    ).fetchone()
    if finished:
        row = connection.execute(SQL["result"], {"account": intent.account, "key": intent.key}).fetchone()
        return Finished(*to_results([row]))
    if state in _LIVE:
        submission = _read(connection, former_key)
        return Existing(submission, _owner_lives(connection, submission, now))
    if generation is not None and intent.generation <= generation:
        raise ValueError(
            f"generation {intent.generation} of {intent.key} cannot begin: generation {generation} ended as {state}"
        )
    if held_until is not None and held_until > now:
        return NoSlot(held_until)
    if slots is not None and intent.pool and taken >= slots:
        return NoSlot()
    spent = amount(committed) or _ZERO
    total = spent + (intent.reserved or _ZERO)
    if cap is not None and total > cap:
        return OverBudget(spent, cap)
    connection.execute(SQL["add_submission"], intent_row(intent, now))
    if total != spent:
        _put_spending(connection, intent.run_id, intent.currency, total)
    return Begun(begun(intent, now))


def claim(connection: sqlite3.Connection, clock: Clock, idempotency_key: str, worker_id: str) -> Submission | None:
    """`State.claim`: a compare-and-set on the owner that was found dead."""
    submission = _read(connection, idempotency_key)
    if submission.state not in LIVE or _owner_lives(connection, submission, clock()):
        return None
    taken = connection.execute(
        SQL["claim"], {"idempotency_key": idempotency_key, "worker_id": worker_id, "former": submission.worker_id}
    )
    return _read(connection, idempotency_key) if taken.rowcount else None


def count_sending(connection: sqlite3.Connection, clock: Clock, idempotency_key: str) -> None:
    """`State.sent`."""
    if not connection.execute(SQL["sent"], {"idempotency_key": idempotency_key, "now": clock()}).rowcount:
        raise _missing(idempotency_key)


def submitted(connection: sqlite3.Connection, clock: Clock, idempotency_key: str, handle: str) -> None:
    """`State.submitted`; ``handle`` is JSON. A closed row keeps it too, and an absent one comes back to life."""
    known = {"idempotency_key": idempotency_key, "handle": handle, "now": clock()}
    if connection.execute(SQL["submitted"], known).rowcount:
        return
    state, run_id, currency, reserved, cost = _line(connection, idempotency_key)
    connection.execute(SQL["keep_handle"], known)
    if state == SubmissionState.ABSENT and connection.execute(SQL["revive"], known).rowcount:
        _change_spending(connection, run_id, currency, (amount(reserved) or _ZERO) - (amount(cost) or _ZERO))


class Ending(NamedTuple):
    """How a submission ended; the arguments of `State.finish`."""

    state: SubmissionState
    result: Result | None
    cost: Decimal | None
    error_kind: str
    error: str


def finish(connection: sqlite3.Connection, clock: Clock, idempotency_key: str, ending: Ending) -> None:
    """`State.finish`. Of two processes that saw the end the first counts; "absent" gives way to what was seen."""
    now = clock()
    state, result, cost, error_kind, error = ending
    former, run_id, currency, reserved_text, former_cost = _line(connection, idempotency_key)
    if not _may_follow(former, state):
        return
    reserved = amount(reserved_text)
    connection.execute(
        SQL["finish"],
        {
            "idempotency_key": idempotency_key,
            "state": state.value,
            "cost": amount_text(cost),
            "ended_at": None if state is SubmissionState.UNKNOWN else now,
            "error_kind": error_kind,
            "error": storable(error),
        },
    )
    change = committed_by(state, reserved, cost) - committed_by(former, reserved, amount(former_cost))
    if change:
        _change_spending(connection, run_id, currency, change)
    if result is not None:
        connection.execute(SQL["put_result"], result_row(result, now))


def committed_by(state: str, reserved: Decimal | None, cost: Decimal | None) -> Decimal:
    """What a row counts for in its run's budget: the price once it is known, else the estimate while it may be due."""
    if cost is not None:
        return cost
    return (reserved or _ZERO) if state in _ESTIMATE_STANDS else _ZERO


def _may_follow(former: str, state: SubmissionState) -> bool:
    if former in _LIVE:
        return True
    return former == SubmissionState.ABSENT and state in (SubmissionState.DONE, SubmissionState.FAILED)


def _read(connection: sqlite3.Connection, idempotency_key: str) -> Submission:
    row = connection.execute(SQL["submission"], {"idempotency_key": idempotency_key}).fetchone()
    if row is None:
        raise _missing(idempotency_key)
    return to_submission(row)


def _line(connection: sqlite3.Connection, idempotency_key: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(
        SQL["ledger_line"], {"idempotency_key": idempotency_key}
    ).fetchone()
    if row is None:
        raise _missing(idempotency_key)
    return row


def _missing(idempotency_key: str) -> StateError:
    return StateError(
        f'the state knows no submission "{idempotency_key}"',
        hint="was the state file replaced while a run was using it? put the former file back, then run again",
    )


def _owner_lives(connection: sqlite3.Connection, submission: Submission, now: float) -> bool:
    row = connection.execute(SQL["worker"], {"worker_id": submission.worker_id}).fetchone()
    return row is not None and is_alive(*row, now=now)


def _change_spending(connection: sqlite3.Connection, run_id: str, currency: str, change: Decimal) -> None:
    row = connection.execute(SQL["spending"], {"run_id": run_id, "currency": currency}).fetchone()
    _put_spending(connection, run_id, currency, (Decimal(row[0]) if row else _ZERO) + change)


def _put_spending(connection: sqlite3.Connection, run_id: str, currency: str, total: Decimal) -> None:
    connection.execute(SQL["put_spending"], {"run_id": run_id, "currency": currency, "committed": str(total)})
