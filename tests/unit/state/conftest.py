"""A state on disk and one in memory; every test of the protocol runs on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.state.samples import Clock

from callsheet.state import State, memory_state, open_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["file", "memory"])
def state(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[State]:
    if request.param == "file":
        state = open_state(None, tmp_path / "state.db", clock=clock)
    else:
        state = memory_state(clock=clock)
    yield state
    state.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "project" / ".callsheet" / "state.db"
