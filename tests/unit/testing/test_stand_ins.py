"""What stands in for a run: the clock, the client, the context, and whole jobs in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from support.studio import ENV, Studio

import callsheet.testing
from callsheet.api import InvalidInput, Media, Rejected, Reply
from callsheet.errors import SpecError
from callsheet.state import memory_state
from callsheet.testing import FakeClock, FakeContext, ScriptedClient, json_reply, plan_job, run_job

if TYPE_CHECKING:
    from pathlib import Path


def test_the_public_names_are_sorted_and_there() -> None:
    assert callsheet.testing.__all__ == sorted(callsheet.testing.__all__)
    assert all(getattr(callsheet.testing, name).__doc__ for name in callsheet.testing.__all__)


class TestClock:
    def test_sleepers_wake_in_order_and_time_is_theirs(self) -> None:
        clock = FakeClock(start=100.0)
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, *waits: float) -> None:
            for seconds in waits:
                await clock.sleep(seconds)
                woken.append((name, clock.now()))

        async def work() -> None:
            await asyncio.gather(sleeper("a", 3600, 10), sleeper("b", 60, 60), sleeper("c", 0))

        asyncio.run(work())
        assert woken == [("c", 100.0), ("b", 160.0), ("b", 220.0), ("a", 3700.0), ("a", 3710.0)]
        assert clock.elapsed() == 3610.0
        assert sorted(clock.slept) == [0, 10, 60, 60, 3600]

    def test_very_long_sleeps_wait_to_be_told(self) -> None:
        clock = FakeClock(horizon=100)

        async def work() -> None:
            beat = asyncio.create_task(clock.sleep(101))
            await clock.sleep(50)
            await asyncio.sleep(0.01)
            assert not beat.done()
            beat.cancel()

        asyncio.run(work())
        assert clock.elapsed() == 50

    def test_a_canceled_sleep_moves_nothing(self) -> None:
        clock = FakeClock()

        async def work() -> None:
            long = asyncio.create_task(clock.sleep(1000))
            await asyncio.sleep(0)
            long.cancel()
            await clock.sleep(1)

        asyncio.run(work())
        asyncio.run(clock.sleep(1))  # another event loop
        assert clock.elapsed() == 2

    def test_it_moves_when_told(self) -> None:
        clock = FakeClock()

        async def work() -> None:
            sleeping = asyncio.create_task(clock.sleep(5))
            await asyncio.sleep(0)
            clock.advance(7)
            await sleeping

        asyncio.run(work())
        assert clock.elapsed() == 7


class TestClient:
    def test_answers_in_order_the_last_one_for_ever(self) -> None:
        client = ScriptedClient([("GET", "/a", {"n": 1}), ("get", "/a", {"n": 2}), ("POST", "/b/*", Rejected("no"))])

        async def work() -> list[Reply]:
            return [await client.request("GET", "/a", params={"x": "1"}) for _ in range(3)]

        assert [reply.json()["n"] for reply in asyncio.run(work())] == [1, 2, 2]
        with pytest.raises(Rejected, match="no"):
            asyncio.run(client.request("POST", "/b/c", json={"a": 1}))
        assert [(r.method, r.path, r.json) for r in client.requests][2:] == [
            ("GET", "/a", None),
            ("POST", "/b/c", {"a": 1}),
        ]

    def test_a_request_that_nobody_wrote_down(self) -> None:
        with pytest.raises(AssertionError, match="DELETE /a is not in the script, which has GET /a"):
            asyncio.run(ScriptedClient([("GET", "/a", {})]).request("DELETE", "/a"))

    def test_files(self, tmp_path: Path) -> None:
        client = ScriptedClient([("PUT", "https://s3.test/*", Reply(200, {}, b""))])
        asyncio.run(client.put_file("https://s3.test/x", tmp_path / "a", {"h": "1"}))
        assert (client.requests[0].file, client.requests[0].headers) == (tmp_path / "a", {"h": "1"})

    def test_a_reply(self) -> None:
        reply = json_reply({"a": 1}, 202, {"retry-after": "3"})
        assert (reply.status, reply.json(), reply.headers["retry-after"]) == (202, {"a": 1}, "3")


class TestContext:
    def test_paths_stay_inside(self, tmp_path: Path) -> None:
        ctx = FakeContext(tmp_path)
        assert ctx.target("out/a.txt") == tmp_path / "out/a.txt"
        assert (tmp_path / "out").is_dir()
        for name in ("../a", "/etc/a"):
            with pytest.raises(InvalidInput):
                ctx.target(name)
        with pytest.raises(InvalidInput, match="there is no file"):
            ctx.source("nothing")

    def test_media(self, tmp_path: Path) -> None:
        ctx = FakeContext(tmp_path, contents={"https://x.test/a": b"bytes"})
        fetched = asyncio.run(ctx.fetch(Media("file", url="https://x.test/a"), tmp_path / "a"))
        assert ((tmp_path / "a").read_bytes(), fetched.bytes, fetched.url) == (b"bytes", 5, None)
        again = asyncio.run(ctx.fetch(fetched, tmp_path / "b"))
        assert again.sha256 == fetched.sha256
        assert asyncio.run(ctx.url(Media("video", origin="k/video"))) == "https://results.invalid/k/video"
        with pytest.raises(InvalidInput, match="has no URL"):
            asyncio.run(ctx.url(Media("video", asset="a")))

    def test_templates_and_clients(self, tmp_path: Path) -> None:
        ctx = FakeContext(tmp_path)
        assert ctx.render("Hi ${{ who }}", {"who": "Ada"}) == "Hi Ada"
        with pytest.raises(InvalidInput, match="line 1"):
            ctx.render("Hi ${{ whom }}", {"who": "Ada"})
        with pytest.raises(InvalidInput, match="no provider"):
            _ = ctx.client


JOB = """
version: 1
name: job
provider: studio
inputs: {lang: {type: language, default: es-ES}}
steps:
  - {id: dub, uses: dub, with: {video: 'https://x.test/a.mp4', language: '${{ inputs.lang }}'}}
outputs: {lang: '${{ steps.dub.outputs.language }}'}
"""


class TestJobs:
    def test_a_text_needs_no_folder(self) -> None:
        report = run_job(JOB, {"studio": Studio()}, env=ENV)
        assert (report.status, report.outputs) == ("succeeded", {"lang": "es-ES"})

    def test_waits_are_not_real_and_a_second_run_buys_nothing(self, tmp_path: Path) -> None:
        studio, state, clock, events = Studio(), memory_state(), FakeClock(), []
        for _ in range(2):
            report = run_job(
                JOB, {"studio": studio}, inputs={"lang": "de"}, folder=tmp_path, state=state, env=ENV, clock=clock,
                listener=events.append,
            )  # fmt: skip
            assert report.outputs == {"lang": "de"}
        assert len(studio.bought) == 1
        assert clock.elapsed() >= 2
        assert events[-1].kind == "run-ended"
        state.close()

    def test_a_file_as_well(self, tmp_path: Path) -> None:
        (tmp_path / "my.yaml").write_text(JOB, encoding="utf-8")
        plan = plan_job(tmp_path / "my.yaml", {"studio": Studio()}, env=ENV)
        assert str(plan.total) == "2.00 USD"

    def test_the_budget_holds(self) -> None:
        studio = Studio()
        assert int(run_job(JOB, {"studio": studio}, env=ENV, max_cost="1.99").exit_code) == 5
        assert studio.bought == []
        assert run_job(JOB, {"studio": studio}, env=ENV, max_cost="1", free=["studio"]).status == "succeeded"

    def test_problems_are_raised_with_their_places(self) -> None:
        with pytest.raises(SpecError) as caught:
            plan_job(JOB.replace("uses: dub", "uses: dubb"), {"studio": Studio()}, env=ENV)
        assert [(problem.code, problem.place.line) for problem in caught.value.diagnostics] == [
            ("unknown-operation", 7)
        ]

    def test_select(self) -> None:
        report = run_job(JOB, {"studio": Studio()}, env=ENV, select=["nothing*"])
        assert [task.state.value for task in report.tasks] == ["skipped"]
