"""Several real processes on one file: at once, killed, out of disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from unit.state.samples import begin, python_path, result, rows, schema_of

from callsheet.errors import StateError
from callsheet.state import SubmissionState, open_state

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTORS = Path(__file__).with_name("actors.py")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def start(name: str, path: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", ACTORS, name, path, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=python_path())


def said(process: subprocess.Popen[str]) -> list[list[str]]:
    output, _ = process.communicate(timeout=60)
    return [line.split(" ", 1) for line in output.splitlines()]


def test_one_begun_per_key_and_never_too_many_slots(path: Path) -> None:
    processes = [start("hammer", path, 60, 4) for _ in range(4)]
    lines = [line for process in processes for line in said(process)]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    begun = Counter(rest for what, rest in lines if what == "begun")
    assert begun == {f"k{n}": 1 for n in range(60)}
    assert max(int(rest) for what, rest in lines if what == "taken") <= 4


def test_two_processes_create_the_file_at_once(path: Path) -> None:
    for attempt in range(5):
        file = path.with_name(f"{attempt}.db")
        processes = [start("create", file) for _ in range(4)]
        assert [said(process) for process in processes] == [[["created"]]] * 4
        state = open_state(None, file)
        assert rows(state, "select count(*) from submissions") == [(4,)]
        state.close()
    assert sorted(child.name for child in path.parent.iterdir()) == [f"{n}.db" for n in range(5)]
    assert len({str(schema_of(path.with_name(f"{n}.db"))) for n in range(5)}) == 1


def test_what_was_said_to_be_durable_survives_kill(path: Path) -> None:
    states = {"intent": 0, "submitted": 1, "done": 2}
    rounds = 8
    for number in range(rounds):
        process = start("endless", path, number)
        assert process.stdout
        first = process.stdout.readline().split()
        time.sleep(random.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        lines = [first, *(line for line in said(process) if len(line) == 2)]
        state = open_state(None, path)
        found = state.submissions([("acc", key) for _, key in lines])
        results = state.results([("acc", key) for _, key in lines])
        for what, key in lines:
            row = found["acc", key]
            assert states[row.state.value] >= states[what]
            assert what != "done" or ("acc", key) in results
            assert row.state is SubmissionState.INTENT or row.handle == {"id": key}
        state.close()


def test_a_program_that_forgets_to_close_ends(path: Path) -> None:
    process = start("forgetful", path)
    assert said(process) == []
    assert process.returncode == 0
    state = open_state(None, path)
    assert state.results([("acc", "k1")])
    state.close()


def test_no_room_by_limit(path: Path) -> None:
    process = start("limited", path, 400_000)
    (error, message), (_, kept) = said(process)
    assert error == "error"
    assert str(path) in message
    assert "free space" in message
    assert kept == "True"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        not ROOT
        or not mount
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def test_disk_full(small_disk: Path) -> None:
    path = small_disk / "state.db"
    state = open_state(None, path)
    begin(state, "k1")
    asyncio.run(state.put_result(result("before")))
    filler = fill(small_disk)

    async def crowd() -> list[object]:
        big = {"text": "x" * 5000}
        wanted = [state.put_result(result(f"big{n}", outputs=big)) for n in range(20)]
        state.add_event("run", "rides", {"text": "x" * 5000})
        return await asyncio.gather(*wanted, return_exceptions=True)

    answers = asyncio.run(crowd())
    assert {type(answer) for answer in answers} == {StateError}
    assert len({id(answer) for answer in answers}) == len(answers)
    assert f'disk of the state file "{path}" is full' in str(answers[0])
    assert "free some space" in answers[0].hint  # type: ignore[attr-defined]
    with pytest.raises(StateError):
        begin(state, "k2", task="x" * 5000)
    assert state.results([("acc", "before")])
    assert state.results([("acc", f"big{n}") for n in range(20)]) == {}
    assert state.submissions([("acc", "k2")]) == {}
    filler.unlink()
    begin(state, "k2")
    state.close()
    again = open_state(None, path)
    assert len(again.submissions([("acc", "k1"), ("acc", "k2")])) == 2
    assert rows(again, "select kind from events") == [("rides",)]
    again.close()


def test_no_room_for_a_new_file(small_disk: Path) -> None:
    fill(small_disk)
    with pytest.raises(StateError, match="full"):
        open_state(None, small_disk / "state.db")
    assert [child.name for child in small_disk.iterdir()] == ["filler"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def refused(path: Path) -> str:
    """What a user without rights is told."""
    process = start("refused", path)
    lines = said(process)
    assert process.returncode == 0
    return " ".join(lines[0])


def test_a_folder_that_cannot_be_written(open_folder: Path) -> None:
    folder = open_folder / "locked"
    folder.mkdir(mode=0o555)
    message = refused(folder / "state.db")
    assert f'state file "{folder}/state.db" cannot be used: permission denied - make its folder' in message
    assert list(folder.iterdir()) == []


def test_a_file_that_cannot_be_written(open_folder: Path) -> None:
    path = open_folder / "state.db"
    open_state(None, path).close()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    message = refused(path)
    assert f'state file "{path}" cannot be' in message
    assert "writable" in message


def test_a_file_that_cannot_be_read(open_folder: Path) -> None:
    path = open_folder / "state.db"
    open_state(None, path).close()
    path.chmod(0)
    assert "cannot be" in refused(path)


def test_a_parent_that_cannot_be_entered(open_folder: Path) -> None:
    (open_folder / "secret").mkdir(mode=0o700)
    (open_folder / "secret").chmod(0)
    assert "permission denied" in refused(open_folder / "secret" / "sub" / "state.db")
