"""The ledger against a simple model: whatever happens in whatever order, nothing is bought twice."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from unit.state.samples import Clock, intent, result, rows

from callsheet.state import (
    Begun,
    Existing,
    Finished,
    NoSlot,
    OverBudget,
    State,
    SubmissionState,
    Worker,
    memory_state,
    open_state,
)
from callsheet.state.ledger import committed_by
from callsheet.state.workers import SILENCE

SLOTS = 2
CAP = Decimal("4.00")
LIVE = {"intent", "submitted", "unknown"}

keys = st.sampled_from(["a", "b", "c", "d"])
workers = st.sampled_from(["w1", "w2", "w3"])
runs = st.sampled_from(["r1", "r2"])
prices = st.sampled_from([None, Decimal("0.10"), Decimal("1.30")])
ends = st.sampled_from([s for s in SubmissionState if s not in ("intent", "submitted")])


@dataclass
class Row:
    """What the model knows of one generation."""

    run: str
    reserved: Decimal | None
    worker: str
    state: str = "intent"
    cost: Decimal | None = None
    handle: bool = False

    @property
    def committed(self) -> Decimal:
        """Spelled out again, from the protocol's words."""
        if self.cost is not None:
            return self.cost
        return (self.reserved or Decimal(0)) if self.state in {*LIVE, "done"} else Decimal(0)


class Ledger(RuleBasedStateMachine):
    """Workers on other machines (so that death is silence), a few keys, two runs with a cap each."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.state = self.open()
        self.loop = asyncio.new_event_loop()
        self.model: dict[str, list[Row]] = {}
        self.finished: set[str] = set()
        self.beats: dict[str, float] = {}

    def open(self) -> State:
        return memory_state(clock=self.clock)

    def teardown(self) -> None:
        self.state.close()
        self.loop.close()

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def alive(self, worker: str) -> bool:
        return worker in self.beats and self.clock.now - self.beats[worker] <= SILENCE

    def newest(self, key: str) -> Row | None:
        return self.model[key][-1] if key in self.model else None

    def spent(self, run: str) -> Decimal:
        return sum((row.committed for line in self.model.values() for row in line if row.run == run), Decimal(0))

    def taken(self) -> int:
        return sum(row.state in ("intent", "submitted") for line in self.model.values() for row in line)

    # -- what may happen

    @rule(worker=workers)
    def start_worker(self, worker: str) -> None:
        self.do(self.state.put_worker(Worker(worker, "elsewhere", 1, 1.0)))
        self.beats[worker] = self.clock.now

    @rule(worker=workers)
    def stop_worker(self, worker: str) -> None:
        self.do(self.state.remove_worker(worker))
        self.beats.pop(worker, None)

    @rule(seconds=st.sampled_from([1.0, SILENCE, SILENCE + 1]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(key=keys, worker=workers, run=runs, reserved=prices, again=st.booleans())
    def begin(self, key: str, worker: str, run: str, reserved: Decimal | None, again: bool) -> None:
        row = self.newest(key)
        generation = len(self.model.get(key, [])) + (1 if again or row is None else 0)
        wanted = intent(key, generation, worker_id=worker, run_id=run, reserved=reserved)
        spent, taken = self.spent(run), self.taken()
        try:
            answer = self.do(self.state.begin(wanted, slots=SLOTS, cap=CAP))
        except ValueError:
            assert row is not None
            assert row.state not in LIVE
            assert not again
            assert key not in self.finished
            return
        match answer:
            case Finished():
                assert key in self.finished
            case Existing(submission, owner_alive):
                assert row is not None
                assert row.state == submission.state
                assert row.state in LIVE
                assert owner_alive == self.alive(row.worker)
            case NoSlot():
                assert taken >= SLOTS
            case OverBudget(committed, cap):
                assert committed == spent
                assert committed + (reserved or 0) > cap
            case Begun(submission):
                assert key not in self.finished
                assert row is None or (row.state not in LIVE and again)
                assert taken < SLOTS
                assert spent + (reserved or 0) <= CAP
                assert submission.generation == generation
                self.model.setdefault(key, []).append(Row(run, reserved, worker))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), worker=workers)
    def claim(self, data: st.DataObject, worker: str) -> None:
        key, generation, row = self.pick(data)
        claimed = self.do(self.state.claim(f"cs1-{key}-{generation}", worker))
        assert (claimed is not None) == (row.state in LIVE and not self.alive(row.worker))
        if claimed is not None:
            assert claimed.worker_id == worker
            row.worker = worker

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def submitted(self, data: st.DataObject) -> None:
        key, generation, row = self.pick(data)
        self.do(self.state.submitted(f"cs1-{key}-{generation}", {"id": key}))
        row.handle = True
        if row.state in LIVE or (row.state == "absent" and row is self.newest(key)):
            if row.state == "absent":
                row.cost = None
            row.state = "submitted"

    @precondition(lambda self: self.model)
    @rule(data=st.data(), end=ends, cost=prices, with_result=st.booleans())
    def finish(self, data: st.DataObject, end: SubmissionState, cost: Decimal | None, with_result: bool) -> None:
        key, generation, row = self.pick(data)
        gained = result(key) if end is SubmissionState.DONE and with_result else None
        self.do(self.state.finish(f"cs1-{key}-{generation}", end, result=gained, cost=cost))
        if row.state in LIVE or (row.state == "absent" and end in ("done", "failed")):
            row.state, row.cost = end.value, cost
            if gained:
                self.finished.add(key)

    def pick(self, data: st.DataObject) -> tuple[str, int, Row]:
        key = data.draw(st.sampled_from(sorted(self.model)))
        generation = data.draw(st.integers(1, len(self.model[key])))
        return key, generation, self.model[key][generation - 1]

    # -- what must always hold

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        found = rows(
            self.state,
            "select key, generation, state, worker_id, handle is not null from submissions order by key, generation",
        )
        assert found == [
            (key, number, row.state, row.worker, row.handle)
            for key, line in sorted(self.model.items())
            for number, row in enumerate(line, 1)
        ]

    @invariant()
    def never_two_live_rows_for_one_key(self) -> None:
        live = "select key from submissions where state in ('intent', 'submitted', 'unknown')"
        found = rows(self.state, live)
        assert len(found) == len(set(found))

    @invariant()
    def a_generation_begins_only_after_the_last_one_died(self) -> None:
        for line in self.model.values():
            assert all(row.state not in LIVE for row in line[:-1])

    @invariant()
    def totals_agree_with_the_rows(self) -> None:
        totals: dict[str, Decimal] = {}
        for run, state, reserved, cost in rows(self.state, "select run_id, state, reserved, cost from submissions"):
            amounts = [None if text is None else Decimal(text) for text in (reserved, cost)]
            totals[run] = totals.get(run, Decimal(0)) + committed_by(state, *amounts)
        kept = {run: Decimal(text) for run, text in rows(self.state, "select run_id, committed from spending")}
        assert {run: total for run, total in totals.items() if total} == {run: t for run, t in kept.items() if t}
        assert all(totals.get(run, 0) == self.spent(run) for run in ("r1", "r2"))

    @invariant()
    def results_are_kept(self) -> None:
        assert {key for _, key in self.state.results([("acc", key) for key in "abcd"])} == self.finished


class LedgerOnDisk(Ledger):
    """The same on a file that is closed and opened in between."""

    def open(self) -> State:
        self.folder = getattr(self, "folder", None) or tempfile.TemporaryDirectory()
        return open_state(None, Path(self.folder.name) / "state.db", clock=self.clock)

    @rule()
    def reopen(self) -> None:
        self.state.close()
        self.state = self.open()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


Ledger.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
LedgerOnDisk.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestLedger = pytest.mark.timeout(300)(Ledger.TestCase)
TestLedgerOnDisk = pytest.mark.timeout(300)(LedgerOnDisk.TestCase)
