"""One thread that writes: takes whatever has queued, commits it at once, then tells all who wait.

No timer gathers the writes. While one commit waits for the disk the next batch collects by itself, so a lone write is
quick and a crowd shares one sync.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from ..errors import StateError
from .problems import concerns_store, explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from .database import Database

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_log = logging.getLogger("callsheet.state")

#: Seconds that a write which rides along may wait for another one.
DELAY = 1.0
#: Seconds after which a busy event loop makes way for the thread.
OVERDUE = 0.02
#: Rows that ride along and are kept while the disk refuses them.
KEPT = 50_000

#: One queued write: what to call with which arguments, who waits, and whether for the disk.
_Job = tuple["Callable[..., Any]", tuple[Any, ...], "asyncio.Future[Any]", bool]
#: What became of it: the future, its value or its error.
_Outcome = tuple["asyncio.Future[Any]", Any, "BaseException | None"]
#: Parameters by statement.
_Riding = dict[str, list[Any]]


def execute(connection: sqlite3.Connection, sql: str, parameters: Any) -> int:
    """The operation that is a single statement; gives the number of rows it touched."""
    return connection.execute(sql, parameters).rowcount


class Writer:
    """The queue and its thread, which starts with the first write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake = threading.Condition(threading.Lock())
        self._jobs: list[_Job] = []
        self._riding: _Riding = {}
        self._riding_since = 0.0  # monotonic; counts only while something rides
        self._thread: threading.Thread | None = None
        self._closing = False

    # -- for the callers' side

    def durable(self, operation: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Queue an operation; the future is done when the disk has it. A StateError means that it did not happen."""
        return self._queue(operation, args, synced=True)

    def prompt(self, operation: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """The same, done when other processes see it; a power cut may undo it."""
        return self._queue(operation, args, synced=False)

    def ride(self, sql: str, parameters: Any) -> None:
        """Queue a statement for the next commit, within a second; nobody waits for it.

        What rides in one batch is applied by statement, before the batch's operations.
        """
        with self._wake:
            if not self._riding:
                self._riding_since = time.monotonic()
                self._start()
            self._riding.setdefault(sql, []).append(parameters)

    def close(self) -> None:
        """Commit all that is queued and end the thread. May be called twice, and from any thread but its own."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _queue(self, operation: Callable[..., Any], args: tuple[Any, ...], *, synced: bool) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        with self._wake:
            if not self._jobs:
                self._start()
                loop.call_later(OVERDUE, _make_way, loop, future)
            self._jobs.append((operation, args, future, synced))
        return future

    def _start(self) -> None:
        """Wake the thread; the lock is held. A daemon, so that a program which forgets to close can still end."""
        if self._closing:
            raise self._database.closed_error()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="callsheet-state", daemon=True)
            self._thread.start()
        self._wake.notify()

    # -- the thread

    def _work(self) -> None:
        while True:
            riding, jobs, last = self._next()
            if riding or jobs:
                self._commit(riding, jobs)
            if last:
                return

    def _next(self) -> tuple[_Riding, list[_Job], bool]:
        """Wait for work, then take all of it; the last value says that no more will come."""
        with self._wake:
            while not self._jobs and not self._closing:
                if not self._riding:
                    self._wake.wait()
                    continue
                left = self._riding_since + DELAY - time.monotonic()
                if left <= 0:
                    break
                self._wake.wait(left)
            riding, self._riding = self._riding, {}
            jobs, self._jobs = self._jobs, []
            return riding, jobs, self._closing

    def _commit(self, riding: _Riding, jobs: list[_Job]) -> None:
        try:
            with self._database.transaction(synced=any(job[3] for job in jobs)) as connection:
                for sql, rows in riding.items():
                    _apply(connection, sql, rows)
                outcomes = [self._perform(connection, job) for job in jobs]
        except BaseException as problem:  # whatever it is, nobody may be left waiting
            self._put_back(riding, problem)
            outcomes = [(job[2], None, _copy(problem)) for job in jobs]
        _tell(outcomes)

    def _perform(self, connection: sqlite3.Connection, job: _Job) -> _Outcome:
        """Do one operation; an error of its own undoes only itself, one of the store ends the batch."""
        operation, args, future, _ = job
        try:
            if operation is execute:  # a single statement undoes itself
                return future, execute(connection, *args), None
            connection.execute("savepoint operation")
            value = operation(connection, *args)
            connection.execute("release operation")
        except Exception as caught:
            if concerns_store(caught):
                raise
            if operation is not execute:
                connection.execute("rollback to operation")
                connection.execute("release operation")
            own = explain(caught, self._database.location) if isinstance(caught, sqlite3.Error) else caught
            return future, None, own
        return future, value, None

    def _put_back(self, riding: _Riding, problem: BaseException) -> None:
        """Keep what rode along with a failed commit for the next one."""
        if not riding:
            return
        if self._closing or not isinstance(problem, StateError):
            _log.warning("%d notes on progress were not recorded: %s", sum(map(len, riding.values())), problem)
            return
        with self._wake:
            for sql, rows in self._riding.items():
                riding.setdefault(sql, []).extend(rows)
            for rows in riding.values():
                del rows[:-KEPT]
            self._riding = riding
            self._riding_since = time.monotonic()


def _apply(connection: sqlite3.Connection, sql: str, rows: list[Any]) -> None:
    """Write what rides along; a row that cannot be written must not take the others with it."""
    connection.execute("savepoint riding")
    try:
        connection.executemany(sql, rows)
    except Exception as problem:
        if concerns_store(problem):
            raise
        connection.execute("rollback to riding")
        for row in rows:
            try:
                connection.execute(sql, row)
            except Exception as refused:
                if concerns_store(refused):
                    raise
                _log.warning("a note on progress could not be recorded: %s", refused)
    connection.execute("release riding")


def _copy(problem: BaseException) -> BaseException:
    """An error of its own for each waiter: raised in several tasks, one object would collect all their tracebacks."""
    if isinstance(problem, StateError):
        copy = StateError(problem.message, hint=problem.hint)
        copy.__cause__ = problem.__cause__
        return copy
    return problem


def _make_way(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
    """Give the interpreter to the thread for a millisecond, again and again until its batch is written.

    A loop that always has something to do lets go of the interpreter's lock only for moments, and Python does not hand
    the lock over then: without this a commit was seen to wait for 18 s (and 0.09 s with it).
    """
    if not future.done():
        time.sleep(0.001)
        loop.call_later(OVERDUE, _make_way, loop, future)


def _tell(outcomes: list[_Outcome]) -> None:
    """Resolve the futures, with one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].get_loop(), []).append(outcome)
    for loop, batch in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits there any more
            loop.call_soon_threadsafe(_resolve, batch)


def _resolve(outcomes: list[_Outcome]) -> None:
    for future, value, error in outcomes:
        if future.done():  # the waiter was cancelled
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
