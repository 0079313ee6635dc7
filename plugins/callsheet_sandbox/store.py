"""What survives a restart: one SQLite file in write-ahead mode.

A killed process cannot corrupt it, and two sandboxes may share one data directory.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "sandbox.db"
FORMAT = 1  # of schema.sql; raised with every change that an older file would not survive
Parameters = Sequence[Any] | dict[str, Any]


class Store:
    """The database of one data directory; safe to use from the event loop and from rendering threads."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(folder / DATABASE, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.row_factory = sqlite3.Row
        try:
            self._open()
            self.username, self.secret = self._account()
        except sqlite3.Error:
            self.close()
            raise

    def close(self) -> None:
        """Release the file; nothing may be called afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside becomes durable together, or not at all; may be nested."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def write(self, statement: str, values: Parameters = ()) -> int:
        """Run one changing statement; returns the number of rows it touched."""
        with self._lock:
            return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, values: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query, if there is one."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return found

    def number(self, statement: str, values: Parameters = ()) -> int:
        """The single number a query answers; nothing counts as 0."""
        found = self.row(statement, values)
        return int(found[0]) if found is not None and found[0] is not None else 0

    def record_create(self, operation: str, ids: Sequence[str], key: str | None) -> None:
        """Add one line to the ledger of creates."""
        self.write(
            "INSERT INTO creates (at, operation, ids, idempotency_key) VALUES (?, ?, ?, ?)",
            (time.time(), operation, json.dumps(list(ids)), key),
        )

    def counter(self, name: str) -> int:
        """A stored number; 0 if it was never set."""
        return self.number("SELECT value FROM counters WHERE name = ?", (name,))

    def set_counter(self, name: str, value: int) -> None:
        """Store a number under a name."""
        self.write("INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)", (name, value))

    def _open(self) -> None:
        found = self.number("PRAGMA user_version")
        if found not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"it has format {found}, this version needs {FORMAT}")
        # NORMAL keeps every commit over kill -9; only a power cut can lose the newest ones.
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        if found == 0:
            self._connection.executescript(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))
            self.write(f"PRAGMA user_version = {FORMAT}")

    def _account(self) -> tuple[str, bytes]:
        self.write(
            "INSERT OR IGNORE INTO account (only, username, secret) VALUES (1, ?, ?)",
            (f"sandbox-{secrets.token_hex(4)}", secrets.token_bytes(32)),
        )
        found = self.row("SELECT username, secret FROM account")
        assert found is not None
        return str(found["username"]), bytes(found["secret"])
