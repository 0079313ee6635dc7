"""Accounts, runs, tasks, results, files and pace."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from unit.state.samples import result, rows, task

from callsheet.core.states import TaskState
from callsheet.errors import StateError
from callsheet.state import Account, Artifact, FileFacts, Run, State

if TYPE_CHECKING:
    from unit.state.samples import Clock

ACCOUNT = Account("f1", "heygen", "ann@example.com")
RUN = Run("run", "job", "job.yaml", "active", 5.0, details={"cost": "1"})


def test_accounts(state: State, clock: Clock) -> None:
    assert state.account_of("c1") is None
    assert state.accounts("heygen") == []
    asyncio.run(state.put_account(ACCOUNT, "c1"))
    clock.now += 1
    asyncio.run(state.put_account(ACCOUNT, "c2"))
    second = Account("f2", "heygen", "bob")
    asyncio.run(state.put_account(second, "c3"))
    asyncio.run(state.put_account(Account("f3", "other", "bob"), "c4"))
    assert state.account_of("c1") == state.account_of("c2") == ACCOUNT
    assert state.accounts("heygen") == [ACCOUNT, second]
    asyncio.run(state.put_account(replace(second, name="rob"), "c1"))
    assert state.account_of("c1") == replace(second, name="rob")


def test_runs(state: State, clock: Clock) -> None:
    asyncio.run(state.begin_run(RUN, (task(n) for n in reversed(range(2500)))))
    asyncio.run(state.begin_run(replace(RUN, run_id="run2", job="b", started_at=6.0), []))
    assert [run.run_id for run in state.runs()] == ["run2", "run"]
    assert [run.run_id for run in state.runs(limit=1)] == ["run2"]
    assert state.runs("job") == [RUN]
    assert state.tasks("run") == [task(n, updated_at=clock.now) for n in range(2500)]
    assert state.tasks("none") == []
    asyncio.run(state.end_run("run", "failed", {"failed": 3}))
    ended = replace(RUN, state="failed", ended_at=clock.now, details={"cost": "1", "failed": 3})
    assert state.runs("job") == [ended]
    with pytest.raises(ValueError, match='no run "x"'):
        asyncio.run(state.end_run("x", "failed", {}))
    with pytest.raises(StateError):
        asyncio.run(state.begin_run(RUN, []))


def test_a_run_shows_only_when_its_tasks_are_there(state: State) -> None:
    def tasks():
        for number in range(1500):
            yield task(number)
            assert state.runs() == []

    asyncio.run(state.begin_run(RUN, tasks()))
    assert len(state.tasks("run")) == 1500
    assert state.runs() == [RUN]


def test_set_task(state: State, clock: Clock) -> None:
    asyncio.run(state.begin_run(RUN, [task(1), task(2)]))
    clock.now += 1

    async def work() -> None:
        state.set_task("run", "step[1]", TaskState.RUNNING, key="k", account="acc", error="trying again \udc80")
        state.add_event("run", "retry", {"n": 1})
        state.set_task("run", "step[2]", TaskState.SKIPPED)
        state.set_task("run", "nowhere", TaskState.FAILED)
        await state.put_result(result())

    asyncio.run(work())
    first, second = state.tasks("run")
    assert first == task(
        1, state=TaskState.RUNNING, key="k", account="acc", error="trying again \\udc80", updated_at=clock.now
    )
    assert second.state is TaskState.SKIPPED
    assert rows(state, "select * from events") == [("run", clock.now, "retry", '{"n":1}')]
    state.set_task("run", "step[1]", TaskState.SUCCEEDED)
    asyncio.run(state.end_run("run", "succeeded", {}))
    assert state.tasks("run")[0] == task(1, state=TaskState.SUCCEEDED, key="k", account="acc", updated_at=clock.now)


def test_results(state: State, clock: Clock) -> None:
    async def work() -> None:
        await asyncio.gather(*(state.put_result(result(f"k{n}")) for n in range(1200)))
        await state.put_result(result("k0", account="other", outputs={"a": [1, None, "é"]}, created_at=3.0))
        await state.put_result(result("k1", outputs={}))

    asyncio.run(work())
    found = state.results([("acc", f"k{n}") for n in range(1300)] + [("other", "k0"), ("other", "k1")])
    assert len(found) == 1201
    assert found["acc", "k7"] == result("k7", created_at=clock.now)
    assert found["other", "k0"] == result("k0", account="other", outputs={"a": [1, None, "é"]}, created_at=3.0)
    assert found["acc", "k1"].outputs == {}
    assert state.results([]) == {}


def test_artifacts(state: State) -> None:
    odd = "/out/caf\udce9.mp4"  # a file name that is no UTF-8
    files = [Artifact("/out/a.mp4", "s1", 2**40, 2**60, "k9"), Artifact(odd, "s2", 1, 2)]
    asyncio.run(state.put_result(result("k1"), files))
    assert state.artifact("/out/a.mp4") == files[0]
    assert state.artifact(odd) == replace(files[1], key="k1")
    assert state.artifact("/out/b.mp4") is None
    asyncio.run(state.put_result(result("k2"), [replace(files[0], sha256="s3", key="")]))
    assert state.artifact("/out/a.mp4") == replace(files[0], sha256="s3", key="k2")
    assert len(state.results([("acc", "k1"), ("acc", "k2")])) == 2


def test_values_that_are_no_json_are_refused_to_their_caller(state: State) -> None:
    with pytest.raises(TypeError):
        asyncio.run(state.put_result(result(outputs={"a": object()})))
    with pytest.raises(TypeError):
        state.add_event("run", "x", {"a": object()})


def test_file_facts(state: State) -> None:
    facts = FileFacts("/in/a\udce9.mp4", 10, 11, 2**64 - 1, {"sha256": "s", "duration": 1.5})

    async def work(facts: FileFacts) -> None:
        state.put_file_facts(facts)
        await state.put_result(result())

    asyncio.run(work(facts))
    assert state.file_facts(facts.path, 10, 11, 2**64 - 1) == facts.facts
    assert state.file_facts(facts.path, 10, 12, 2**64 - 1) is None
    assert state.file_facts("/in/b", 10, 11, 12) is None
    asyncio.run(work(replace(facts, mtime_ns=12, facts={})))
    assert state.file_facts(facts.path, 10, 12, 2**64 - 1) == {}
    assert state.file_facts(facts.path, 10, 11, 2**64 - 1) is None


def test_pace(state: State, clock: Clock) -> None:
    async def turns(count: int, account: str = "acc") -> list[float]:
        return await asyncio.gather(*(state.reserve_request(account, 4) for _ in range(count)))

    assert asyncio.run(turns(3)) == [0, 0.25, 0.5]
    assert asyncio.run(turns(1, "other")) == [0]
    clock.now += 0.5
    assert asyncio.run(turns(1)) == [0.25]
    clock.now += 100  # an idle time gives no right to a burst
    assert asyncio.run(turns(2)) == [0, 0.25]
    asyncio.run(state.hold("acc", "", clock.now + 9))
    asyncio.run(state.hold("acc", "jobs", clock.now + 99))
    assert asyncio.run(turns(2)) == [9, 9.25]
