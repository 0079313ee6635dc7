"""Turns what SQLite reports into errors that say what is wrong with which file and what to do."""

from __future__ import annotations

import sqlite3

from ..errors import StateError

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

#: By primary result code: what is wrong, and what to do about it.
_ANSWERS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        "the disk of the state file {place} is full",
        "free some space and run again; what was recorded before is kept",
    ),
    sqlite3.SQLITE_IOERR: (
        "the state file {place} cannot be read or written ({detail})",
        "check the disk, its free space and quotas, then run again; what was recorded before is kept",
    ),
    sqlite3.SQLITE_READONLY: (
        "the state file {place} cannot be written",
        "make the file and its folder writable, or name another file",
    ),
    sqlite3.SQLITE_PERM: ("access to the state file {place} is refused", "make the file and its folder writable"),
    sqlite3.SQLITE_CANTOPEN: (
        "the state file {place} cannot be opened",
        "make the file and its folder readable and writable, or name another file",
    ),
    sqlite3.SQLITE_NOTADB: ("{place} is not a state file of callsheet", "name another file"),
    sqlite3.SQLITE_CORRUPT: (
        "the state file {place} is damaged ({detail})",
        "restore it from a backup; do not delete it while jobs are running at a provider, or they may be paid again",
    ),
}
_LOCKED = ("the state file {place} is locked by another program", "end the program that holds it, then run again")


def is_busy(problem: sqlite3.Error) -> bool:
    """Whether another process holds the database for the moment."""
    return _code(problem) in _BUSY


def concerns_store(problem: BaseException) -> bool:
    """Whether the database itself failed, not only one statement; then nothing of the transaction counts."""
    return isinstance(problem, sqlite3.OperationalError | sqlite3.DatabaseError) and _code(problem) in {
        *_ANSWERS,
        *_BUSY,
    }


def explain(problem: sqlite3.Error, place: str) -> StateError:
    """The error to show for a problem with the state at `place`."""
    message, hint = (
        _LOCKED if is_busy(problem) else _ANSWERS.get(_code(problem), ("the state {place} failed: {detail}", ""))
    )
    return StateError(message.format(place=f'"{place}"', detail=problem), hint=hint)


def explain_os(problem: OSError, place: str) -> StateError:
    """The same for what the operating system says."""
    detail = problem.strerror or type(problem).__name__
    return StateError(
        f'the state file "{place}" cannot be used: {detail.lower()}',
        hint="make its folder readable and writable, or name another file",
    )


def _code(problem: BaseException) -> int:
    """SQLite's primary result code; 0 for errors that the module raises by itself."""
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF
