"""Values and small helpers that the tests of the state share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from callsheet.core.states import TaskState
from callsheet.state import Intent, Result, TaskRow, Worker
from callsheet.state.workers import this_host

if TYPE_CHECKING:
    from pathlib import Path

    from callsheet.state import State
    from callsheet.state.sqlite import SqliteState

INTENT = Intent(
    account="acc",
    key="k1",
    operation="heygen/translate",
    generation=1,
    idempotency_key="cs1-k1-1",
    tag="t1",
    body_sha256="b1",
    inputs={"language": "de", "video": {"$media": {"kind": "video", "sha256": "s"}}},
    pool="jobs",
    reserved=Decimal("1.50"),
    currency="USD",
    run_id="run",
    job="job",
    task="step[1]",
    worker_id="w1",
)

ELSEWHERE = Worker("w1", "another-machine", 1, 5.0)


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def intent(key: str = "k1", generation: int = 1, **changes: Any) -> Intent:
    changes.setdefault("idempotency_key", f"cs1-{key}-{generation}")
    return replace(INTENT, key=key, generation=generation, **changes)


def result(key: str = "k1", **changes: Any) -> Result:
    return replace(Result("acc", key, "heygen/translate", {"video": {"id": key}}, "run", "job", "step[1]"), **changes)


def task(position: int, **changes: Any) -> TaskRow:
    axes = {"n": position}
    row = TaskRow("run", position, f"step[{position}]", "step", "a/b", axes, TaskState.PENDING, "execute")
    return replace(row, **changes)


def local_worker(worker_id: str, pid: int | None = None, started: float = 0.0) -> Worker:
    return Worker(worker_id, this_host(), pid or os.getpid(), started)


def rows(state: State, sql: str) -> list[tuple[Any, ...]]:
    """What is committed, past the protocol."""
    inner: SqliteState = state  # type: ignore[assignment]
    with inner._database.reading() as connection:
        return connection.execute(sql).fetchall()


def begin(state: State, *args: Any, slots: int | None = None, cap: Decimal | None = None, **changes: Any) -> Any:
    return asyncio.run(state.begin(intent(*args, **changes), slots=slots, cap=cap))


def python_path() -> dict[str, str]:
    """The environment for a subprocess that imports what this process imports."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def schema_of(path: Path) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        names = connection.execute("select type, name, tbl_name, sql from sqlite_master order by type, name").fetchall()
        marks = [connection.execute(f"pragma {name}").fetchone() for name in ("application_id", "user_version")]
    return [*names, *marks]
