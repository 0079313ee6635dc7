"""Creates state files and brings older ones up to date."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: "cstJ" in the file's header: what tells a state file from any other SQLite database.
APPLICATION_ID = 0x6373744A

_FOLDER = Path(__file__).with_name("migrations")

#: A migration's number and its text.
Migration = tuple[int, str]


def load_migrations(folder: Path = _FOLDER) -> list[Migration]:
    """All migrations in order; a file's name begins with its number."""
    return [(int(file.name[:4]), file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.sql"))]


def version_of(connection: sqlite3.Connection) -> int:
    """The schema's version: the number of the last migration; 0 for a new database."""
    return int(connection.execute("pragma user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], place: str) -> None:
    """Apply what is missing, each migration and its record in one transaction; refuse foreign and newer files.

    The connection must be in autocommit mode. Errors: StateError, sqlite3.Error.
    """
    latest = migrations[-1][0]
    if _checked_version(connection, latest, place) == latest:
        return
    for number, text in migrations:
        connection.execute("begin immediate")
        try:
            # Looked at again inside: another process may have done it while this one waited for the lock.
            if _checked_version(connection, latest, place) < number:
                for statement in _statements(text):
                    connection.execute(statement)
                connection.execute(f"pragma application_id = {APPLICATION_ID}")
                connection.execute(f"pragma user_version = {number}")
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise


def create(path: Path, migrations: Sequence[Migration]) -> None:
    """Make a new state file: complete under its final name, or not there at all.

    Two processes may do this at once: the first to link its file wins, the other uses that one. Errors: StateError,
    OSError, sqlite3.Error.
    """
    _refuse_leftovers(path)
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            connection.execute("pragma synchronous = full")
            migrate(connection, migrations, str(path))
            connection.execute("pragma journal_mode = wal")  # kept in the file; later, others could be in the way
        _publish(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _refuse_leftovers(path: Path) -> None:
    """A log without its database: SQLite would play it into the new file, and the lost one's purchases are unknown."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and not path.exists():  # in this order: another process may create both meanwhile
        raise StateError(
            f'the state file "{path}" is gone, but its log "{log.name}" is still there',
            hint="put the file back; or, if nothing that was paid is needed, delete the log too and begin anew",
        )


def _publish(aside: Path, path: Path) -> None:
    """Give the finished file its name, unless another process was quicker: a rename would replace that one's file."""
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        return
    except OSError:
        # No hard links here (FAT, some network drives). An empty file under the final name is a valid new database,
        # and `migrate` fills it in a transaction, whoever comes first.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut; Windows knows no such thing."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _checked_version(connection: sqlite3.Connection, latest: int, place: str) -> int:
    """The version, if the file is ours and not from the future."""
    version = version_of(connection)
    identity = int(connection.execute("pragma application_id").fetchone()[0])
    if version == 0 and identity == 0 and not connection.execute("select count(*) from sqlite_master").fetchone()[0]:
        return 0
    if identity != APPLICATION_ID:
        raise StateError(f'"{place}" is a database of another program', hint="name another file for the state")
    if version > latest:
        raise StateError(
            f'the state file "{place}" has schema version {version}, and this callsheet knows up to {latest}',
            hint="upgrade callsheet",
        )
    return version


def _statements(text: str) -> Iterator[str]:
    """Split a script; `executescript` would not do, it commits what is open."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
