"""Purchases: beginning, taking over, closing, and what each may not do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from unit.state.samples import ELSEWHERE, begin, intent, local_worker, result, rows

from callsheet.errors import StateError
from callsheet.state import (
    LIVE,
    Begun,
    Existing,
    Finished,
    NoSlot,
    OverBudget,
    State,
    Submission,
    SubmissionState,
    this_worker,
)

if TYPE_CHECKING:
    from unit.state.samples import Clock

KEY = "cs1-k1-1"
ENDS = [SubmissionState.DONE, SubmissionState.FAILED, SubmissionState.REJECTED, SubmissionState.ABSENT]


def newest(state: State, key: str = "k1") -> Submission:
    return state.submissions([("acc", key)])["acc", key]


def committed(state: State) -> Decimal:
    found = rows(state, "select committed from spending where run_id = 'run' and currency = 'USD'")
    return Decimal(found[0][0]) if found else Decimal(0)


class TestBegin:
    def test_gives_the_row_that_it_records(self, state: State, clock: Clock) -> None:
        answer = begin(state)
        assert isinstance(answer, Begun)
        assert answer.submission == newest(state)
        assert answer.submission.state is SubmissionState.INTENT
        assert answer.submission.intent_at == answer.submission.sent_at == clock.now
        assert answer.submission.sends == 1
        assert answer.submission.reserved == Decimal("1.50")

    def test_unknown_price_stays_unknown(self, state: State) -> None:
        begin(state, reserved=None)
        assert newest(state).reserved is None

    def test_a_result_ends_the_matter(self, state: State) -> None:
        asyncio.run(state.put_result(result(created_at=7.0)))
        assert begin(state, slots=0) == Finished(result(created_at=7.0))

    def test_a_live_submission_is_not_begun_again(self, state: State) -> None:
        asyncio.run(state.put_worker(this_worker()))
        begin(state)
        answer = begin(state, "k1", 2, worker_id="w2", slots=0)
        assert answer == Existing(newest(state), owner_alive=False)
        assert newest(state).generation == 1

    def test_owner_alive(self, state: State) -> None:
        worker = this_worker()
        asyncio.run(state.put_worker(worker))
        begin(state, worker_id=worker.worker_id)
        assert begin(state, worker_id="w2").owner_alive
        asyncio.run(state.remove_worker(worker.worker_id))
        assert not begin(state, worker_id="w2").owner_alive

    def test_an_unknown_one_is_live_but_holds_no_slot(self, state: State) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, SubmissionState.UNKNOWN, error="lost"))
        assert isinstance(begin(state, slots=1), Existing)
        assert isinstance(begin(state, "k2", slots=1), Begun)
        assert newest(state).ended_at is None

    def test_slots_are_the_account_and_pool(self, state: State) -> None:
        assert isinstance(begin(state, "k1", slots=2), Begun)
        assert isinstance(begin(state, "k2", slots=2), Begun)
        assert begin(state, "k3", slots=2) == NoSlot()
        assert isinstance(begin(state, "k3", slots=2, pool="other"), Begun)
        assert isinstance(begin(state, "k4", slots=2, account="other"), Begun)
        asyncio.run(state.submitted(KEY, {"id": 1}))
        assert begin(state, "k5", slots=2) == NoSlot()
        asyncio.run(state.finish(KEY, SubmissionState.FAILED))
        assert isinstance(begin(state, "k5", slots=2), Begun)

    def test_no_pool_and_no_slots_mean_no_limit(self, state: State) -> None:
        for number in range(5):
            assert isinstance(begin(state, f"a{number}", slots=1, pool=""), Begun)
            assert isinstance(begin(state, f"b{number}", slots=None), Begun)
        assert begin(state, "c", slots=0) == NoSlot()

    @pytest.mark.parametrize("pool", ["jobs", ""])
    def test_hold(self, state: State, clock: Clock, pool: str) -> None:
        until = clock.now + 60
        asyncio.run(state.hold("acc", pool, until))
        asyncio.run(state.hold("acc", pool, until - 30))  # never shortens
        assert begin(state) == NoSlot(until)
        assert isinstance(begin(state, "k2", account="other"), Begun)
        assert isinstance(begin(state, "k3", pool="more"), Begun if pool else NoSlot)
        clock.now = until
        assert isinstance(begin(state), Begun)

    def test_cap_counts_what_is_reserved_and_spent(self, state: State) -> None:
        cap = Decimal("3.00")
        assert isinstance(begin(state, "k1", cap=cap), Begun)
        assert isinstance(begin(state, "k2", cap=cap), Begun)
        assert begin(state, "k3", cap=cap) == OverBudget(Decimal("3.00"), cap)
        assert isinstance(begin(state, "k3", cap=cap, run_id="another"), Begun)
        assert isinstance(begin(state, "k4", cap=cap, currency="EUR"), Begun)
        assert isinstance(begin(state, "k5", cap=cap, reserved=None), Begun)
        asyncio.run(state.finish(KEY, SubmissionState.DONE, cost=Decimal("0.10")))
        assert begin(state, "k6", cap=cap) == OverBudget(Decimal("1.60"), cap)
        assert isinstance(begin(state, "k6", cap=cap, reserved=Decimal("1.40")), Begun)

    @pytest.mark.parametrize("end", ENDS)
    def test_a_dead_generation_cannot_begin_again(self, state: State, end: SubmissionState) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, end))
        with pytest.raises(ValueError, match=f"generation 1 ended as {end.value}"):
            begin(state, slots=0)
        assert isinstance(begin(state, "k1", 2), Begun)
        assert newest(state).generation == 2

    def test_an_idempotency_key_is_not_used_for_two_things(self, state: State) -> None:
        begin(state)
        with pytest.raises(StateError):
            begin(state, "k2", idempotency_key=KEY)
        assert state.submissions([("acc", "k2")]) == {}
        assert committed(state) == Decimal("1.50")

    def test_one_of_many_at_once_begins(self, state: State) -> None:
        async def all_at_once() -> list[object]:
            wanted = [intent("k1", worker_id=f"w{n}") for n in range(50)]
            return await asyncio.gather(*(state.begin(one, slots=3, cap=None) for one in wanted))

        answers = asyncio.run(all_at_once())
        assert [type(a) for a in answers].count(Begun) == 1


class TestSubmitted:
    def test_keeps_the_handle_and_the_first_time(self, state: State, clock: Clock) -> None:
        begin(state)
        first = clock.now
        asyncio.run(state.submitted(KEY, {"id": "v1", "é": "\ud800"}))
        clock.now += 5
        asyncio.run(state.submitted(KEY, {"id": "v2"}))
        row = newest(state)
        assert (row.state, row.handle, row.submitted_at) == (SubmissionState.SUBMITTED, {"id": "v2"}, first)

    def test_settles_an_unknown_one(self, state: State) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, SubmissionState.UNKNOWN))
        asyncio.run(state.submitted(KEY, {"id": "v1"}))
        assert newest(state).state is SubmissionState.SUBMITTED

    def test_brings_an_absent_one_back(self, state: State) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, SubmissionState.ABSENT))
        assert committed(state) == 0
        asyncio.run(state.submitted(KEY, {"id": "v1"}))
        row = newest(state)
        assert (row.state, row.ended_at, row.handle) == (SubmissionState.SUBMITTED, None, {"id": "v1"})
        assert committed(state) == Decimal("1.50")

    def test_does_not_bring_it_back_beside_its_successor(self, state: State) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, SubmissionState.ABSENT))
        begin(state, "k1", 2)
        asyncio.run(state.submitted(KEY, {"id": "v1"}))
        kept = rows(state, "select state, handle from submissions order by generation")
        assert kept == [("absent", '{"id":"v1"}'), ("intent", None)]

    def test_after_the_end_only_adds_what_was_missing(self, state: State) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, SubmissionState.FAILED))
        asyncio.run(state.submitted(KEY, {"id": "v1"}))
        asyncio.run(state.submitted(KEY, {"id": "v2"}))
        assert (newest(state).state, newest(state).handle) == (SubmissionState.FAILED, {"id": "v1"})

    @pytest.mark.parametrize("method", ["submitted", "sent", "claim", "finish"])
    def test_unknown_keys_are_named(self, state: State, method: str) -> None:
        arguments = {"submitted": [{}], "sent": [], "claim": ["w"], "finish": [SubmissionState.DONE]}[method]
        with pytest.raises(StateError, match='no submission "nothing"'):
            asyncio.run(getattr(state, method)("nothing", *arguments))


class TestFinish:
    def test_records_everything_at_once(self, state: State, clock: Clock) -> None:
        begin(state)
        clock.now += 60
        asyncio.run(state.finish(KEY, SubmissionState.DONE, result=result(), cost=Decimal("1.2")))
        row = newest(state)
        assert (row.state, row.cost, row.ended_at) == (SubmissionState.DONE, Decimal("1.2"), clock.now)
        assert state.results([("acc", "k1")])["acc", "k1"] == result(created_at=clock.now)
        assert committed(state) == Decimal("1.2")

    @pytest.mark.parametrize("end", [*ENDS, SubmissionState.UNKNOWN])
    def test_what_counts_without_a_price(self, state: State, end: SubmissionState) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, end, error_kind="x", error="broken \ud800"))
        stands = end in (SubmissionState.DONE, SubmissionState.UNKNOWN)
        assert committed(state) == (Decimal("1.50") if stands else 0)
        assert (newest(state).error_kind, newest(state).error) == ("x", "broken \\ud800")

    def test_a_price_counts_whatever_the_end(self, state: State) -> None:
        begin(state, reserved=None)
        asyncio.run(state.finish(KEY, SubmissionState.ABSENT, cost=Decimal("0.05")))
        assert committed(state) == Decimal("0.05")

    def test_the_first_end_counts(self, state: State) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, SubmissionState.FAILED, error="first"))
        asyncio.run(state.finish(KEY, SubmissionState.DONE, result=result(), cost=Decimal(9)))
        assert (newest(state).state, newest(state).error) == (SubmissionState.FAILED, "first")
        assert state.results([("acc", "k1")]) == {}
        assert committed(state) == 0

    def test_absent_gives_way_to_what_was_seen(self, state: State) -> None:
        begin(state)
        asyncio.run(state.finish(KEY, SubmissionState.ABSENT))
        asyncio.run(state.finish(KEY, SubmissionState.DONE, result=result(), cost=Decimal(1)))
        assert newest(state).state is SubmissionState.DONE
        assert state.results([("acc", "k1")])
        assert committed(state) == 1

    def test_refuses_what_makes_no_sense(self, state: State) -> None:
        begin(state)
        with pytest.raises(ValueError, match="not an end"):
            asyncio.run(state.finish(KEY, SubmissionState.SUBMITTED))
        with pytest.raises(ValueError, match="has no result"):
            asyncio.run(state.finish(KEY, SubmissionState.FAILED, result=result()))
        assert newest(state).state is SubmissionState.INTENT


class TestClaim:
    def test_of_a_process_that_said_goodbye(self, state: State) -> None:
        begin(state, worker_id="gone")
        claimed = asyncio.run(state.claim(KEY, "w2"))
        assert claimed is not None
        assert claimed == newest(state)
        assert claimed.worker_id == "w2"

    def test_only_one_of_many(self, state: State) -> None:
        begin(state, worker_id="gone")
        workers = [local_worker(f"w{n}") for n in range(20)]

        async def all_at_once() -> list[Submission | None]:
            await asyncio.gather(*(state.put_worker(worker) for worker in workers))
            return await asyncio.gather(*(state.claim(KEY, worker.worker_id) for worker in workers))

        assert sum(found is not None for found in asyncio.run(all_at_once())) == 1

    def test_of_a_live_process_is_refused_even_to_itself(self, state: State) -> None:
        worker = this_worker()
        asyncio.run(state.put_worker(worker))
        begin(state, worker_id=worker.worker_id)
        assert asyncio.run(state.claim(KEY, "w2")) is None
        assert asyncio.run(state.claim(KEY, worker.worker_id)) is None

    def test_of_a_killed_process_at_once(self, state: State) -> None:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        assert child.stdin
        ticks = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        started = int(ticks) / os.sysconf("SC_CLK_TCK")
        asyncio.run(state.put_worker(local_worker("w1", child.pid, started)))
        begin(state)
        assert asyncio.run(state.claim(KEY, "w2")) is None
        child.kill()
        while asyncio.run(state.claim(KEY, "w2")) is None:  # a zombie until `wait`, and dead all the same
            pass
        child.wait()
        child.stdin.close()

    def test_of_a_reused_process_id(self, state: State) -> None:
        asyncio.run(state.put_worker(local_worker("w1", started=this_worker().started - 1)))
        begin(state)
        assert asyncio.run(state.claim(KEY, "w2")) is not None

    def test_of_another_machine_after_silence(self, state: State, clock: Clock) -> None:
        asyncio.run(state.put_worker(ELSEWHERE))
        begin(state)
        clock.now += 30
        assert asyncio.run(state.claim(KEY, "w2")) is None
        state.beat("w1")
        asyncio.run(state.sent(KEY))
        clock.now += 30
        assert asyncio.run(state.claim(KEY, "w2")) is None
        clock.now += 1
        assert asyncio.run(state.claim(KEY, "w2")) is not None

    @pytest.mark.parametrize("end", ENDS)
    def test_of_a_closed_one_is_refused(self, state: State, end: SubmissionState) -> None:
        begin(state, worker_id="gone")
        asyncio.run(state.finish(KEY, end))
        assert asyncio.run(state.claim(KEY, "w2")) is None

    def test_of_an_unknown_one(self, state: State) -> None:
        begin(state, worker_id="gone")
        asyncio.run(state.finish(KEY, SubmissionState.UNKNOWN))
        assert SubmissionState.UNKNOWN in LIVE
        assert asyncio.run(state.claim(KEY, "w2")) is not None


def test_sent_counts(state: State, clock: Clock) -> None:
    begin(state)
    clock.now += 3
    asyncio.run(state.sent(KEY))
    assert (newest(state).sends, newest(state).sent_at) == (2, clock.now)


def test_progress_rides_along_and_ends_with_the_job(state: State) -> None:
    async def work() -> None:
        await state.begin(intent(), slots=None, cap=None)
        state.progress(KEY, {"id": "early"}, "queued")  # without an id there is nothing to progress
        await state.submitted(KEY, {"id": "v1"})
        state.progress(KEY, {"id": "v1", "etag": 2}, "rendering")
        await state.finish(KEY, SubmissionState.FAILED)
        state.progress(KEY, {"id": "late"}, "late")
        await state.sent(KEY)

    asyncio.run(work())
    assert (newest(state).handle, newest(state).remote_status) == ({"id": "v1", "etag": 2}, "rendering")


def test_submissions_gives_the_newest_of_each(state: State) -> None:
    begin(state, "k1")
    asyncio.run(state.finish(KEY, SubmissionState.FAILED))
    begin(state, "k1", 2)
    begin(state, "k2", account="other")
    wanted = [("acc", "k1"), ("other", "k2"), ("acc", "k2"), ("acc", "k1")]
    found = state.submissions(wanted)
    assert {pair: row.generation for pair, row in found.items()} == {("acc", "k1"): 2, ("other", "k2"): 1}
    assert state.submissions([]) == {}
