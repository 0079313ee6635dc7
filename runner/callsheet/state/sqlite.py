"""The state in SQLite: the protocol's methods over one writer and a few readers."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import ledger, pace
from .protocol import Account, Artifact, SubmissionState
from .queries import CHUNK, SQL
from .rows import from_json, result_row, storable, task_row, to_json, to_results, to_run, to_submission, to_task
from .writer import Writer, execute

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal

    from ..core.states import TaskState
    from .database import Database
    from .protocol import BeginAnswer, FileFacts, Intent, Result, Run, Submission, TaskRow, Worker

_BATCH = 1000  # tasks per commit when a run is recorded
_INODES = 2**63  # some file systems number files beyond what a signed column holds


class SqliteState:
    """Implements `protocol.State`. Reads may be called from any thread, writes from any event loop.

    Reads see what is committed: a write that rides along shows up within a second.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.location = database.location
        self._database = database
        self._clock = clock
        self._writer = Writer(database)

    def close(self) -> None:
        """Write what still rides along, then let go of the store. May be called twice."""
        self._writer.close()
        self._database.close()

    # -- accounts and workers

    def account_of(self, credential: str) -> Account | None:
        """The account that this credential (a digest) was seen to belong to."""
        rows = self._read("account_of", credential=credential)
        return Account(*rows[0]) if rows else None

    def accounts(self, provider: str) -> list[Account]:
        """All accounts of a provider seen so far, oldest first."""
        return [Account(*row) for row in self._read("accounts", provider=provider)]

    async def put_account(self, account: Account, credential: str) -> None:
        """Remember that the credential belongs to the account. Durable."""
        await self._writer.durable(
            _put_account,
            {
                "fingerprint": account.fingerprint,
                "provider": account.provider,
                "name": storable(account.name),
                "credential": credential,
                "now": self._clock(),
            },
        )

    async def put_worker(self, worker: Worker) -> None:
        """Announce this process. Durable."""
        row = {
            "worker_id": worker.worker_id,
            "host": worker.host,
            "pid": worker.pid,
            "started": worker.started,
            "now": self._clock(),
        }
        await self._writer.durable(execute, SQL["put_worker"], row)

    def beat(self, worker_id: str) -> None:
        """Say that this process is alive; rides along."""
        self._writer.ride(SQL["beat"], {"worker_id": worker_id, "now": self._clock()})

    async def remove_worker(self, worker_id: str) -> None:
        """This process ends: what it owned may be taken over at once."""
        await self._writer.prompt(execute, SQL["remove_worker"], {"worker_id": worker_id})

    # -- runs and tasks, for people

    async def begin_run(self, run: Run, tasks: Iterable[TaskRow]) -> None:
        """Record a run with all its tasks. Durable, in batches; the run's row is written last."""
        now, remaining = self._clock(), iter(tasks)
        while rows := [task_row(task, now) for task in islice(remaining, _BATCH)]:
            await self._writer.prompt(_put_tasks, rows)
        row = {
            "run_id": run.run_id,
            "job": run.job,
            "file": storable(run.file),
            "state": run.state,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "details": to_json(run.details),
        }
        # This commit's sync covers the batches before it: they are in the same log.
        await self._writer.durable(execute, SQL["put_run"], row)

    async def end_run(self, run_id: str, state: str, details: dict[str, Any]) -> None:
        """Close a run; ``details`` are added to those it began with. Durable."""
        await self._writer.durable(_end_run, self._clock, run_id, state, details)

    def set_task(
        self,
        run_id: str,
        address: str,
        state: TaskState,
        *,
        key: str = "",
        account: str = "",
        error_kind: str = "",
        error: str = "",
    ) -> None:
        """Note a task's state; rides along. An empty key or account leaves the one noted before."""
        self._writer.ride(
            SQL["set_task"],
            {
                "run_id": run_id,
                "address": address,
                "state": state,
                "key": key,
                "account": account,
                "error_kind": error_kind,
                "error": storable(error),
                "now": self._clock(),
            },
        )

    def add_event(self, run_id: str, kind: str, data: dict[str, Any]) -> None:
        """Note what happened, for audit; rides along."""
        row = {"run_id": run_id, "kind": kind, "data": to_json(data), "now": self._clock()}
        self._writer.ride(SQL["add_event"], row)

    def runs(self, job: str | None = None, limit: int = 20) -> list[Run]:
        """The newest runs first."""
        rows = self._read("runs", limit=limit) if job is None else self._read("runs_of_job", job=job, limit=limit)
        return [to_run(row) for row in rows]

    def tasks(self, run_id: str) -> list[TaskRow]:
        """The tasks of a run in plan order."""
        return [to_task(row) for row in self._read("tasks", run_id=run_id)]

    # -- results and files

    def results(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Result]:
        """The recorded results among (account, key) pairs; 50,000 take a fraction of a second."""
        return {
            (found.account, found.key): found for rows in self._read_many("results", keys) for found in to_results(rows)
        }

    async def put_result(self, result: Result, artifacts: Sequence[Artifact] = ()) -> None:
        """Record what free work gave, together with the files it wrote. Durable."""
        now = self._clock()
        row = result_row(result, now)
        if not artifacts:
            await self._writer.durable(execute, SQL["put_result"], row)
            return
        files = [(storable(a.path), a.sha256, a.size, a.mtime_ns, a.key or result.key, now) for a in artifacts]
        await self._writer.durable(_put_result, row, files)

    async def forget_result(self, account: str, key: str) -> None:
        """The result is of no use any more: its file is gone. The ledger keeps that it was bought. Durable."""
        await self._writer.durable(execute, SQL["forget_result"], {"account": account, "key": key})

    async def claim_file(self, path: str) -> None:
        """Note that callsheet is about to write this file. Survives the end of the process."""
        await self._writer.prompt(execute, SQL["claim_file"], {"path": storable(path), "now": self._clock()})

    def artifact(self, path: str) -> Artifact | None:
        """What was last recorded for the file of this name."""
        rows = self._read("artifact", path=storable(path))
        return Artifact(path, *rows[0]) if rows else None

    def file_facts(self, path: str, size: int, mtime_ns: int, inode: int) -> dict[str, Any] | None:
        """What is known of a file's content, if it has not changed since."""
        rows = self._read("file_facts", path=storable(path), size=size, mtime_ns=mtime_ns, inode=inode % _INODES)
        facts: dict[str, Any] | None = from_json(rows[0][0]) if rows else None
        return facts

    def put_file_facts(self, facts: FileFacts) -> None:
        """Remember what a file holds; rides along."""
        row = {
            "path": storable(facts.path),
            "size": facts.size,
            "mtime_ns": facts.mtime_ns,
            "inode": facts.inode % _INODES,
            "facts": to_json(facts.facts),
        }
        self._writer.ride(SQL["put_file_facts"], row)

    # -- the ledger of purchases

    def submissions(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Submission]:
        """The newest generation of each (account, key)."""
        return {(row[0], row[1]): to_submission(row) for rows in self._read_many("submissions", keys) for row in rows}

    def holding(self, account: str, pool: str) -> list[Submission]:
        """The submissions that hold slots of an account's pool, oldest first."""
        return [to_submission(row) for row in self._read("holding", account=account, pool=pool)]

    async def begin(self, intent: Intent, *, slots: int | None, cap: Decimal | None) -> BeginAnswer:
        """Take a slot, reserve the price and record the intent (see the protocol). Durable.

        The intent counts as the first sending. The cap is over what the run committed in the intent's currency.
        """
        return await self._writer.durable(ledger.begin, self._clock, intent, slots, cap)

    async def claim(self, idempotency_key: str, worker_id: str) -> Submission | None:
        """Take over a live submission whose owner is gone; None while its owner lives, also if that is the caller."""
        return await self._writer.durable(ledger.claim, self._clock, idempotency_key, worker_id)

    async def sent(self, idempotency_key: str) -> None:
        """Count one more sending of the same request. Durable."""
        await self._writer.durable(ledger.count_sending, self._clock, idempotency_key)

    async def submitted(self, idempotency_key: str, handle: dict[str, Any]) -> None:
        """Record what finds the remote job again, whoever owns the row now. Durable."""
        await self._writer.durable(ledger.submitted, self._clock, idempotency_key, to_json(handle))

    def progress(self, idempotency_key: str, handle: dict[str, Any], remote_status: str) -> None:
        """Note the provider's word on a running job; rides along, and is ignored once the row is closed."""
        row = {
            "idempotency_key": idempotency_key,
            "handle": to_json(handle),
            "remote_status": storable(remote_status),
        }
        self._writer.ride(SQL["progress"], row)

    async def finish(
        self,
        idempotency_key: str,
        state: SubmissionState,
        *,
        result: Result | None = None,
        cost: Decimal | None = None,
        error_kind: str = "",
        error: str = "",
    ) -> None:
        """Close a submission: the slot is free, the reservation becomes ``cost``, the result is recorded. Durable.

        Without a cost, the estimate stands for ``DONE`` and ``UNKNOWN``, and nothing is counted for the others.
        Closing a closed row again changes nothing. A state that is not an end is a ValueError.
        """
        if state in (SubmissionState.INTENT, SubmissionState.SUBMITTED):
            raise ValueError(f'"{state}" is not an end')
        if result is not None and state is not SubmissionState.DONE:
            raise ValueError(f'a submission that ended as "{state}" has no result')
        ending = ledger.Ending(state, result, cost, error_kind, error)
        await self._writer.durable(ledger.finish, self._clock, idempotency_key, ending)

    # -- pace

    async def reserve_request(self, account: str, per_second: float, turns: int = 1) -> float:
        """Take the account's next turns for requests; gives the seconds to wait for the first. Over all processes."""
        return await self._writer.prompt(pace.take_turn, self._clock, account, per_second, turns)

    async def hold(self, account: str, pool: str, until: float) -> None:
        """Nobody takes a slot of the pool before ``until``; an empty pool means: no request at all. Durable.

        A hold is never shortened by a later, shorter one.
        """
        await self._writer.durable(execute, SQL["hold"], {"account": account, "pool": pool, "until": until})

    # -- reading

    def _read(self, name: str, **parameters: Any) -> list[Any]:
        with self._database.reading() as connection:
            return connection.execute(SQL[name], parameters).fetchall()

    def _read_many(self, name: str, keys: Sequence[tuple[str, str]]) -> Iterator[list[Any]]:
        by_account: dict[str, list[str]] = {}
        for account, key in keys:
            by_account.setdefault(account, []).append(key)
        with self._database.reading() as connection:
            for account, wanted in by_account.items():
                for start in range(0, len(wanted), CHUNK):
                    chunk = wanted[start : start + CHUNK]
                    # The list's length is fixed; repeating a key does not repeat its row.
                    chunk += chunk[:1] * (CHUNK - len(chunk))
                    yield connection.execute(SQL[name], (account, *chunk)).fetchall()


def _put_account(connection: sqlite3.Connection, row: dict[str, Any]) -> None:
    connection.execute(SQL["put_account"], row)
    connection.execute(SQL["put_credential"], row)


def _put_tasks(connection: sqlite3.Connection, rows: list[Any]) -> None:
    connection.executemany(SQL["put_task"], rows)


def _put_result(connection: sqlite3.Connection, row: Any, files: list[Any]) -> None:
    connection.execute(SQL["put_result"], row)
    connection.executemany(SQL["put_artifact"], files)


def _end_run(
    connection: sqlite3.Connection, clock: Callable[[], float], run_id: str, state: str, details: dict[str, Any]
) -> None:
    row = connection.execute(SQL["run_details"], {"run_id": run_id}).fetchone()
    if row is None:
        raise ValueError(f'there is no run "{run_id}"')
    known = to_json({**from_json(row[0]), **details})
    connection.execute(SQL["end_run"], {"run_id": run_id, "state": state, "now": clock(), "details": known})
