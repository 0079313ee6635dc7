"""Whether a process is alive."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from callsheet.state import this_worker
from callsheet.state.workers import SILENCE, is_alive, this_host

HERE = this_host()


def test_this_worker() -> None:
    worker, other = this_worker(), this_worker()
    assert worker.worker_id != other.worker_id
    assert (worker.host, worker.pid) == (HERE, os.getpid())
    assert HERE.startswith(platform.node())
    assert is_alive(worker.host, worker.pid, worker.started, 0.0, now=1e9)


def test_elsewhere_by_its_beat() -> None:
    assert is_alive("elsewhere", os.getpid(), 1.0, 100.0, now=100.0 + SILENCE)
    assert not is_alive("elsewhere", os.getpid(), 1.0, 100.0, now=101.0 + SILENCE)


def test_a_later_process_with_the_same_number() -> None:
    assert not is_alive(HERE, os.getpid(), this_worker().started + 1, 100.0, now=100.0)


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    stat = Path(f"/proc/{child.pid}/stat")
    if not stat.exists():
        pytest.skip("no /proc here")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert ") Z " in stat.read_text()
    assert not is_alive(HERE, child.pid, 0.0, 100.0, now=100.0)
    child.wait()
    assert not is_alive(HERE, child.pid, 0.0, 100.0, now=100.0)


@pytest.mark.parametrize(("pid", "alive"), [(os.getpid(), True), (2**22 + 1, False)], ids=["alive", "gone"])
def test_without_proc(pid: int, alive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callsheet.state.workers._PROC", tmp_path)
    assert is_alive(HERE, pid, 0.0, 100.0, now=1000.0) is alive
    assert this_worker().started == 0.0
    this_host.cache_clear()
    assert this_host() == platform.node()
    this_host.cache_clear()
