"""Connections to the database: one for the writer, a few for reading, and errors in the user's words."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import StateError
from .problems import explain, explain_os, is_busy
from .schema import create, load_migrations, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .schema import Migration

#: Seconds to wait for other processes that write to the same file.
PATIENCE = 60.0

_STATEMENTS = 128  # prepared statements to keep per connection


class Database(ABC):
    """What a state needs of its store. Expected problems come out as StateError, never as sqlite3.Error."""

    location: str

    @abstractmethod
    @contextmanager
    def transaction(self, *, synced: bool) -> Iterator[sqlite3.Connection]:
        """One write transaction, committed at the end of the block; only the writer's thread enters it.

        ``synced``: the commit returns when the disk has it. If it fails, nothing of the block counts.
        """

    @abstractmethod
    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read what is committed; from any thread."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all connections."""

    def closed_error(self) -> StateError:
        """What using it after `close` gives."""
        return StateError(f'the state "{self.location}" is closed already')


class FileDatabase(Database):
    """A SQLite file, shared with other processes."""

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        """Open the file, or create it. Error: StateError."""
        self.location = str(path)
        self._path = path.absolute()  # a later change of the working folder must not lead to another file
        self._patience = patience
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        migrations = load_migrations()
        with self._explained():
            self._prepare(migrations)

    def _prepare(self, migrations: Sequence[Migration]) -> None:
        if self._path.is_dir():
            raise StateError(f'"{self.location}" is a folder', hint="name a file for the state")
        if not self._path.exists():
            create(self._path, migrations)
        connection = self._connect()
        try:
            migrate(connection, migrations, self.location)
            if self._insist(connection, "pragma journal_mode = wal").fetchone()[0] != "wal":
                raise StateError(
                    f'the file system of "{self.location}" lacks what the state needs (shared memory and locks)',
                    hint="put the state on a local disk",
                )
            # A file that cannot be written is better found now than after the first purchase.
            self._insist(connection, "begin immediate")
            connection.execute("rollback")
            self._identity = self._on_disk()
        except BaseException:
            connection.close()
            raise
        self._writer = connection

    def _connect(self) -> sqlite3.Connection:
        # By URI with mode=rw, because a plain path would create a missing file anew, silently and empty.
        return sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=min(self._patience, 5.0),
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            raise explain(problem, self.location) from problem
        except OSError as problem:
            raise explain_os(problem, self.location) from problem

    @contextmanager
    def transaction(self, *, synced: bool) -> Iterator[sqlite3.Connection]:
        try:
            with self._explained():
                self._check_in_place()
                connection = self._writer = self._writer or self._connect()
                # In WAL mode `normal` leaves out only the fsync; the next `full` commit covers what came before it.
                connection.execute("pragma synchronous = full" if synced else "pragma synchronous = normal")
                self._insist(connection, "begin immediate")
                yield connection
                connection.execute("commit")
        except BaseException:
            # Closing rolls back, and a new connection starts clean whatever state a failed disk left this one in.
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            raise

    def _insist(self, connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
        """Execute what needs a lock; SQLite's own patience does not cover every kind of busy."""
        give_up = time.monotonic() + self._patience
        while True:
            try:
                return connection.execute(statement)
            except sqlite3.Error as problem:
                if not is_busy(problem) or time.monotonic() >= give_up:
                    raise
                time.sleep(0.005)

    def _on_disk(self) -> tuple[int, int]:
        found = os.stat(self._path)  # noqa: PTH116 - once per commit, and Path.stat costs twice as much
        return found.st_dev, found.st_ino

    def _check_in_place(self) -> None:
        """A file that was deleted or replaced would swallow all that is written: the next process would pay again."""
        with suppress(FileNotFoundError):
            if self._on_disk() == self._identity:
                return
        raise StateError(
            f'the state file "{self.location}" was deleted or replaced while in use',
            hint="put it back if you can, then run again; submissions made meanwhile may be missing in the new file",
        )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise self.closed_error()
        with self._explained():
            try:  # the list's pop and append are atomic, and no two threads ever hold the same connection
                connection = self._readers.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        self._readers.append(connection)
        if self._closed:
            self._drop_readers()

    def _drop_readers(self) -> None:
        while self._readers:
            with suppress(IndexError):
                self._readers.pop().close()

    def close(self) -> None:
        self._closed = True
        self._drop_readers()
        if self._writer is not None:
            with suppress(sqlite3.Error):  # all that counts is committed; a failed tidying up is no news
                self._writer.close()
            self._writer = None


class MemoryDatabase(Database):
    """The same in memory, for tests: one connection, which reader and writer take in turns."""

    location = "memory"

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
        )
        migrate(self._connection, load_migrations(), self.location)

    @contextmanager
    def transaction(self, *, synced: bool) -> Iterator[sqlite3.Connection]:
        with self.reading() as connection:
            connection.execute("begin immediate")
            try:
                yield connection
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            if self._connection is None:
                raise self.closed_error()
            try:
                yield self._connection
            except sqlite3.Error as problem:
                raise explain(problem, self.location) from problem

    def close(self) -> None:
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
