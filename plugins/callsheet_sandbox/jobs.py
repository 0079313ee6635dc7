"""Jobs: their rows, how their state follows from the clock, and the limit on how many are open."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from .errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

    from .context import Sandbox
    from .store import Store

PENDING_SHARE = 0.1  # of a job's life; the rest it is running
_OPEN = "(due_at > :now OR (result IS NULL AND failure_message IS NULL))"


class State(Enum):
    """Where a job is; each kind of job has its own words for it."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """What rendering made: seconds, and file names by the field that shows their URL."""

    duration: float
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One job; ``work`` is what the renderer needs, with inputs as paths relative to the data directory."""

    id: str
    kind: str
    title: str | None
    callback_id: str | None
    folder_id: str | None
    work: dict[str, Any]
    created_at: float = 0.0
    runs_at: float = 0.0
    due_at: float = 0.0
    number: int = 0
    result: Result | None = None
    failure_code: str | None = None
    failure_message: str | None = None

    def state(self, now: float) -> State:
        """A job ends when its time has passed and its outcome is known, whichever is later."""
        if now < self.runs_at:
            return State.PENDING
        if now < self.due_at or (self.result is None and self.failure_message is None):
            return State.RUNNING
        return State.COMPLETED if self.failure_message is None else State.FAILED


def admit(sandbox: Sandbox, count: int) -> None:
    """Raise a 429 unless ``count`` more jobs fit the limit; call inside the transaction that inserts them."""
    limit, now = sandbox.settings.concurrency, time.time()
    if count > limit:
        message = f"{count} jobs in one request can never fit the limit of {limit}; split the request."
        raise ApiError(400, "resource_limit_reached", message)
    if open_jobs(sandbox.store) + count > limit:
        soonest = sandbox.store.row(f"SELECT min(due_at) AS at FROM jobs WHERE {_OPEN}", {"now": now})
        wait = max(1, math.ceil((soonest["at"] if soonest else now) - now))
        message = f"{limit} jobs are open already; retry after the seconds in the Retry-After header."
        raise ApiError(429, "rate_limit_exceeded", message, headers={"Retry-After": str(wait)})


def insert(sandbox: Sandbox, jobs: Sequence[Job]) -> None:
    """Write new jobs; a title with ``[fail]`` makes a job that will fail."""
    admit(sandbox, len(jobs))
    store, now, life = sandbox.store, time.time(), sandbox.settings.job_seconds
    for job in jobs:
        fails = "[fail]" in (job.title or "")
        store.write(
            "INSERT INTO jobs (id, kind, created_at, runs_at, due_at, title, callback_id, folder_id, work,"
            " failure_code, failure_message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(job.id, job.kind, now, now + life * PENDING_SHARE, now + life),
                *(job.title, job.callback_id, job.folder_id, json.dumps(job.work)),
                *(("sandbox_failure", "failed on request: the title contains [fail]") if fails else (None, None)),
            ),
        )
    store.set_counter("peak_open", max(store.counter("peak_open"), open_jobs(store)))


def open_jobs(store: Store) -> int:
    """How many jobs count against the limit now."""
    return store.number(f"SELECT count(*) FROM jobs WHERE {_OPEN}", {"now": time.time()})


def find(store: Store, kind: str, identifier: str) -> Job | None:
    """One job."""
    row = store.row("SELECT * FROM jobs WHERE kind = ? AND id = ?", (kind, identifier))
    return None if row is None else _job(row)


def page(store: Store, kind: str, *, before: int, limit: int, title: str, folder: str | None) -> list[Job]:
    """Jobs of a kind, newest first, from below row ``before``."""
    rows = store.rows(
        "SELECT * FROM jobs WHERE kind = :kind AND number < :before AND instr(coalesce(title, ''), :title)"
        " AND (:folder IS NULL OR folder_id = :folder) ORDER BY number DESC LIMIT :limit",
        {"kind": kind, "before": before, "limit": limit, "title": title, "folder": folder},
    )
    return [_job(row) for row in rows]


def unfinished(store: Store) -> list[Job]:
    """Jobs that a restart has to render."""
    return [
        _job(row)
        for row in store.rows("SELECT * FROM jobs WHERE result IS NULL AND failure_message IS NULL ORDER BY number")
    ]


def finish(store: Store, identifier: str, result: Result) -> None:
    """Note what was rendered."""
    text = json.dumps({"duration": result.duration, "files": result.files})
    store.write("UPDATE jobs SET result = ? WHERE id = ?", (text, identifier))


def fail(store: Store, identifier: str, code: str, message: str) -> None:
    """Note why nothing was rendered."""
    store.write("UPDATE jobs SET failure_code = ?, failure_message = ? WHERE id = ?", (code, message, identifier))


def _job(row: Row) -> Job:
    values = dict(row)
    values["work"] = json.loads(values["work"])
    values["result"] = Result(**json.loads(values["result"])) if values["result"] else None
    return Job(**values)
