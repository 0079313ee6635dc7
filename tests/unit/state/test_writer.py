"""The writer's thread: grouping, errors of one among many, several event loops, closing."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from unit.state.samples import begin, intent, result, rows

from callsheet.errors import StateError
from callsheet.state import State, memory_state, open_state
from callsheet.state.database import FileDatabase
from callsheet.state.sqlite import SqliteState
from callsheet.state.writer import Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


class CountedDatabase(FileDatabase):
    """Counts commits, by whether they waited for the disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.commits: list[bool] = []

    @contextmanager
    def transaction(self, *, synced: bool) -> Iterator[sqlite3.Connection]:
        with super().transaction(synced=synced) as connection:
            yield connection
        self.commits.append(synced)


@pytest.fixture
def database(path: Path) -> Iterator[CountedDatabase]:
    database = CountedDatabase(path)
    yield database
    database.close()


def insert(connection: sqlite3.Connection, kind: str) -> int:
    connection.execute("insert into events values ('run', 1, ?, '')", [kind])
    if kind == "bad":
        raise LookupError(kind)
    return 7


RIDE = "insert into events values ('run', 1, ?, '')"


def kinds(database: FileDatabase) -> list[str]:
    with database.reading() as connection:
        return [kind for (kind,) in connection.execute("select kind from events").fetchall()]


def test_a_crowd_shares_commits(database: CountedDatabase) -> None:
    state = SqliteState(database)

    async def crowd() -> None:
        await asyncio.gather(*(state.put_result(result(f"k{n}")) for n in range(1000)))

    asyncio.run(crowd())
    state.close()
    assert len(database.commits) <= 5
    assert all(database.commits)


def test_only_durable_writes_wait_for_the_disk(database: CountedDatabase) -> None:
    state = SqliteState(database)
    asyncio.run(state.reserve_request("acc", 10))
    asyncio.run(state.remove_worker("w"))
    asyncio.run(state.hold("acc", "", 1.0))
    state.close()
    assert database.commits == [False, False, True]


@pytest.mark.parametrize(("synced", "level"), [(True, 2), (False, 1)])
def test_how_the_disk_is_waited_for(database: CountedDatabase, synced: bool, level: int) -> None:
    for _ in range(2):
        with database.transaction(synced=synced) as connection:
            assert connection.execute("pragma synchronous").fetchone() == (level,)  # 2 is full, 1 is normal
        with database.transaction(synced=not synced):
            pass


def test_an_operation_that_raises_undoes_only_itself(database: CountedDatabase) -> None:
    writer = Writer(database)

    async def work() -> list[object]:
        wanted = [writer.durable(insert, kind) for kind in ("a", "bad", "b", "bad", "c")]
        return await asyncio.gather(*wanted, return_exceptions=True)

    answers = asyncio.run(work())
    writer.close()
    assert [type(answer) for answer in answers] == [int, LookupError, int, LookupError, int]
    assert kinds(database) == ["a", "b", "c"]
    assert len(database.commits) <= 2


def test_what_rides_comes_within_a_second(database: CountedDatabase) -> None:
    writer = Writer(database)
    started = time.monotonic()
    writer.ride(RIDE, ["alone"])
    while not kinds(database):
        assert time.monotonic() - started < 1.5
        time.sleep(0.02)
    assert time.monotonic() - started > 0.8
    assert database.commits == [False]
    writer.close()


def test_a_row_that_cannot_be_written_does_not_take_others_with_it(
    database: CountedDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(database)
    for kind in ("a", None, "b"):
        writer.ride(RIDE, [kind])
    writer.ride(RIDE, ["too", "many"])
    writer.close()
    assert kinds(database) == ["a", "b"]
    assert len(caplog.records) == 2


def test_a_busy_event_loop_makes_way(database: CountedDatabase) -> None:
    """Short bursts of work without a pause: Python alone would let the thread wait for many seconds."""
    writer = Writer(database)

    async def burn() -> None:
        while True:
            end = time.perf_counter() + 0.003
            while time.perf_counter() < end:
                pass
            await asyncio.sleep(0)

    async def work() -> float:
        burning = asyncio.create_task(burn())
        longest = 0.0
        for _ in range(100):
            started = time.perf_counter()
            await writer.durable(insert, "a")
            longest = max(longest, time.perf_counter() - started)
        burning.cancel()
        return longest

    assert asyncio.run(work()) < 1.0
    writer.close()


def test_a_cancelled_waiter_disturbs_nobody(state: State) -> None:
    async def work() -> None:
        waiting = [asyncio.create_task(state.put_result(result(f"k{n}"))) for n in range(10)]
        await asyncio.sleep(0)
        waiting[3].cancel()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(a) for a in answers].count(asyncio.CancelledError) == 1

    asyncio.run(work())
    assert len(state.results([("acc", f"k{n}") for n in range(10)])) == 10  # what was queued is done all the same


def test_several_event_loops_and_readers_at_once(state: State) -> None:
    problems: list[BaseException] = []

    def lane(number: int) -> None:
        async def work() -> None:
            for n in range(40):
                key = f"{number}-{n}"
                await state.begin(intent(key), slots=None, cap=None)
                assert state.submissions([("acc", key)])

        try:
            asyncio.run(work())
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=lane, args=[n]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert rows(state, "select count(*) from submissions") == [(240,)]


def test_a_loop_that_ended_meanwhile_is_no_problem(database: CountedDatabase) -> None:
    writer = Writer(database)
    release = threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        release.wait(5)

    loop = asyncio.new_event_loop()

    async def queue() -> None:
        writer.durable(slow)

    loop.run_until_complete(queue())
    loop.close()
    release.set()

    async def next_one() -> int:
        return await writer.durable(insert, "a")

    assert asyncio.run(next_one()) == 7
    writer.close()


def test_closing_writes_what_is_queued(path: Path) -> None:
    state = open_state(None, path)

    async def work() -> None:
        state.add_event("run", "rides", {})
        waiting = asyncio.create_task(state.put_result(result()))
        await asyncio.sleep(0)
        state.close()
        await waiting

    asyncio.run(work())
    state.close()
    again = open_state(None, path)
    assert again.results([("acc", "k1")])
    assert rows(again, "select kind from events") == [("rides",)]
    again.close()


def test_after_closing_everything_says_so(state: State) -> None:
    begin(state)
    state.close()
    with pytest.raises(StateError, match="is closed"):
        begin(state)
    with pytest.raises(StateError, match="is closed"):
        state.add_event("run", "x", {})
    with pytest.raises(StateError, match="is closed"):
        state.runs()


def test_unused_states_start_no_thread(path: Path) -> None:
    before = threading.active_count()
    state = open_state(None, path)
    assert state.runs() == []
    assert threading.active_count() == before
    state.close()
    memory_state().close()


def test_what_rides_survives_a_failed_commit(path: Path) -> None:
    state = open_state(None, path)
    state.add_event("run", "first", {})
    aside = path.with_name("aside")
    path.rename(aside)

    async def crowd() -> list[object]:
        return await asyncio.gather(*(state.put_result(result(f"k{n}")) for n in range(5)), return_exceptions=True)

    assert {type(answer) for answer in asyncio.run(crowd())} == {StateError}
    state.add_event("run", "second", {})
    aside.rename(path)
    asyncio.run(state.put_result(result()))
    assert rows(state, "select kind from events") == [("first",), ("second",)]
    state.close()


def test_what_rides_is_given_up_when_closing_fails(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = open_state(None, path)
    state.add_event("run", "x", {})
    path.unlink()
    with caplog.at_level(logging.WARNING):
        state.close()
    assert "1 notes on progress were not recorded" in caplog.text
