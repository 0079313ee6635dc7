"""The state: the journal of runs, results and purchases, shared by all processes that use the same file.

`open_state` opens or creates one; `memory_state` gives the same in memory for tests of operations and plugins. The
values and the `State` protocol are in `protocol`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .database import PATIENCE, FileDatabase, MemoryDatabase
from .locations import parse_location, warn_of_network
from .protocol import (
    HOLDS_SLOT,
    LIVE,
    Account,
    Artifact,
    BeginAnswer,
    Begun,
    Existing,
    FileFacts,
    Finished,
    Intent,
    NoSlot,
    OverBudget,
    Result,
    Run,
    State,
    Submission,
    SubmissionState,
    TaskRow,
    Worker,
)
from .sqlite import SqliteState
from .workers import this_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "HOLDS_SLOT",
    "LIVE",
    "Account",
    "Artifact",
    "BeginAnswer",
    "Begun",
    "Existing",
    "FileFacts",
    "Finished",
    "Intent",
    "NoSlot",
    "OverBudget",
    "Result",
    "Run",
    "State",
    "Submission",
    "SubmissionState",
    "TaskRow",
    "Worker",
    "memory_state",
    "open_state",
    "this_worker",
]


def open_state(
    location: str | None, default: Path, *, clock: Callable[[], float] = time.time, patience: float = PATIENCE
) -> State:
    """Open the state at a path or ``sqlite:///…`` URL (None: at ``default``); create it and its folder if missing.

    ``patience`` is how many seconds to wait for other processes that write. Errors: UsageError for another kind of
    URL, StateError for a file that cannot be used.
    """
    path = parse_location(location, default)
    warn_of_network(path)
    return SqliteState(FileDatabase(path, patience=patience), clock)


def memory_state(*, clock: Callable[[], float] = time.time) -> State:
    """An empty state that lives in memory and ends with the process; the same SQL as on disk."""
    return SqliteState(MemoryDatabase(), clock)
