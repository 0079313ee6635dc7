"""What the state costs, against a floor: bare sqlite3 in a loop, with the same rows and the same number of commits.

Run: ``python tests/benchmarks/state_journal.py``; CPU seconds of the process, the best of three rounds. Trust the
ratios, not the seconds.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from callsheet.core.states import TaskState
from callsheet.state import Intent, Result, Run, State, SubmissionState, TaskRow, open_state, this_worker
from callsheet.state.queries import SQL
from callsheet.state.sqlite import SqliteState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

ACCOUNT = "acc"
OUTPUTS = {"video": {"$media": {"kind": "video", "origin": "k/video", "duration": 12.5, "bytes": 1234567}}}


def result(number: int) -> Result:
    return Result(ACCOUNT, f"{number:064x}", "heygen/translate", OUTPUTS, "run", "job", f"task[{number}]")


def intent(number: int, worker: str) -> Intent:
    return Intent(
        account=ACCOUNT,
        key=f"{number:064x}",
        operation="heygen/translate",
        generation=1,
        idempotency_key=f"cs1-{number:040x}-1",
        tag=f"{number:016x}",
        body_sha256=f"{number:064x}",
        inputs={"language": "de", "video": {"$media": {"kind": "video", "sha256": f"{number:064x}"}}},
        pool="video_jobs",
        reserved=Decimal("0.50"),
        currency="USD",
        run_id="run",
        job="job",
        task=f"task[{number}]",
        worker_id=worker,
    )


def task(number: int) -> TaskRow:
    return TaskRow(
        "run", number, f"task[{number}]", "task", "heygen/translate", {"n": number}, TaskState.PENDING, "execute"
    )


class Journal:
    """A fresh state in a folder of its own, with commits counted."""

    def __enter__(self) -> Journal:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.db"
        self.state: State = open_state(str(self.path), self.path)
        self.commits = 0
        assert isinstance(self.state, SqliteState)
        database = self.state._database
        inner = database.transaction

        def counted(*, synced: bool):
            self.commits += 1
            return inner(synced=synced)

        database.transaction = counted  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self.state.close()
        self.folder.cleanup()

    def bare(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("pragma synchronous = full")
        return connection


def measured(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


async def all_of(count: int, concurrent: int, one: Callable[[int], Coroutine[object, object, None]]) -> None:
    numbers = iter(range(count))

    async def drain() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(drain() for _ in range(concurrent)))


def floor(journal: Journal, sql: str, rows: list[object], commits: int) -> float:
    """CPU of writing the rows with a bare loop of `execute`."""
    connection = journal.bare()
    size = max(1, -(-len(rows) // max(1, commits)))

    def work() -> None:
        for start in range(0, len(rows), size):
            connection.execute("begin immediate")
            for row in rows[start : start + size]:
                connection.execute(sql, row)
            connection.execute("commit")

    cpu, _ = measured(work)
    connection.close()
    return cpu


def results_2000() -> tuple[float, float, float, int, int]:
    import json

    count = 2000
    with Journal() as journal:
        cpu, wall = measured(lambda: asyncio.run(all_of(count, count, lambda n: journal.state.put_result(result(n)))))
        commits = journal.commits
    rows: list[object] = [
        (r.account, r.key, r.operation, json.dumps(r.outputs), r.run_id, r.job, r.task, 1.0)
        for r in map(result, range(count))
    ]
    with Journal() as journal:
        bare = floor(journal, SQL["put_result"], rows, commits)
    return cpu, wall, bare, count, commits


def set_task_10000() -> tuple[float, float, float, int, int]:
    count = 10_000
    run = Run("run", "job", "job.yaml", "active", 1.0)

    async def work(state: State) -> None:
        for number in range(count):
            state.set_task("run", f"task[{number}]", TaskState.RUNNING)

    with Journal() as journal:
        asyncio.run(journal.state.begin_run(run, map(task, range(count))))
        journal.commits = 0

        def all_written() -> None:
            asyncio.run(work(journal.state))
            journal.state.close()

        cpu, wall = measured(all_written)
        commits = journal.commits
    with Journal() as journal:
        asyncio.run(journal.state.begin_run(run, map(task, range(count))))
        names = ("key", "account", "error_kind", "error")
        rows: list[object] = [
            {"run_id": "run", "address": f"task[{n}]", "state": "running", "now": 2.0, **dict.fromkeys(names, "")}
            for n in range(count)
        ]
        bare = floor(journal, SQL["set_task"], rows, commits)
    return cpu, wall, bare, count, commits


async def purchase(state: State, worker: str, number: int) -> None:
    wanted = intent(number, worker)
    await state.begin(wanted, slots=100, cap=Decimal(1_000_000))
    state.set_task("run", wanted.task, TaskState.RUNNING)
    await state.submitted(wanted.idempotency_key, {"id": f"v{number}"})
    gained = result(number)
    await state.finish(wanted.idempotency_key, SubmissionState.DONE, result=gained, cost=Decimal("0.40"))
    await state.put_result(Result(ACCOUNT, f"file-{number}", "download", OUTPUTS, "run", "job", wanted.task))
    state.set_task("run", wanted.task, TaskState.SUCCEEDED)


def purchases_10000() -> tuple[float, float, float, int, int]:
    """A floor of four bare statements per task: insert, two updates, a result."""
    count = 10_000
    with Journal() as journal:
        worker = this_worker()
        asyncio.run(journal.state.put_worker(worker))
        asyncio.run(journal.state.begin_run(Run("run", "job", "f", "active", 1.0), map(task, range(count))))
        journal.commits = 0
        cpu, wall = measured(
            lambda: asyncio.run(all_of(count, 100, lambda n: purchase(journal.state, worker.worker_id, n)))
        )
        commits = journal.commits
    with Journal() as journal:
        bare = floor_of_purchases(journal, count, commits)
    return cpu, wall, bare, count, commits


def floor_of_purchases(journal: Journal, count: int, commits: int) -> float:
    from callsheet.state.rows import intent_row, result_row

    connection = journal.bare()
    per_commit = max(1, 4 * count // commits)
    intents = [intent_row(intent(n, "w"), 1.0) for n in range(count)]
    results = [result_row(result(n), 1.0) for n in range(count)]

    def statements():
        for number in range(count):
            key = intents[number][0]
            yield SQL["add_submission"], intents[number]
            yield SQL["submitted"], {"idempotency_key": key, "handle": '{"id":"v"}', "now": 1.0}
            ended = {
                "idempotency_key": key,
                "state": "done",
                "cost": "0.4",
                "ended_at": 1.0,
                "error_kind": "",
                "error": "",
            }
            yield SQL["finish"], ended
            yield SQL["put_result"], results[number]

    def work() -> None:
        connection.execute("begin immediate")
        for number, (sql, row) in enumerate(statements()):
            connection.execute(sql, row)
            if number % per_commit == per_commit - 1:
                connection.execute("commit")
                connection.execute("begin immediate")
        connection.execute("commit")

    cpu, _ = measured(work)
    connection.close()
    return cpu


def look_up_50000() -> tuple[float, float, float, int, int]:
    count = 50_000
    with Journal() as journal:
        asyncio.run(all_of(count, 1000, lambda n: journal.state.put_result(result(n))))
        keys = [(ACCOUNT, f"{n:064x}") for n in range(count)]
        cpu, wall = measured(lambda: journal.state.results(keys))
        assert len(journal.state.results(keys)) == count
        connection = journal.bare()
        bare, _ = measured(
            lambda: [connection.execute(SQL["result"], {"account": a, "key": k}).fetchone() for a, k in keys]
        )
        connection.close()
    return cpu, wall, bare, count, 0


TARGETS = {results_2000: 0.3, set_task_10000: 0.3, purchases_10000: 6.0, look_up_50000: 0.5}


def main() -> None:
    print(
        f"{'workload':18}{'CPU s':>8}{'target':>8}{'wall s':>8}{'ms each':>9}{'commits':>9}{'floor s':>9}{'ratio':>7}"
    )
    for workload, target in TARGETS.items():
        cpu, wall, bare, count, commits = min(workload() for _ in range(3))
        each = cpu / count * 1000
        name, ratio = workload.__name__, cpu / bare
        print(f"{name:18}{cpu:8.2f}{target:8.2f}{wall:8.2f}{each:9.3f}{commits:9}{bare:9.2f}{ratio:7.1f}")


if __name__ == "__main__":
    main()
