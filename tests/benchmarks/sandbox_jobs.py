"""300 lipsync jobs of 0.5 s at 10 slots on the sandbox, then the same run again.

The floor is a plain asyncio script on httpx that creates and polls the same jobs, without journal, plan or checks.
Goals: makespan at most 1.10 × ideal (15 s), no 429, CPU at most 2 × the floor's; the second run sends no request and
takes less than 2 × the time of `plan`.

    python tests/benchmarks/sandbox_jobs.py
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from measure import Figures, once

from callsheet_sandbox.server import Settings, serve

JOBS, SECONDS, SLOTS = 300, 0.5, 10
IDEAL = JOBS * SECONDS / SLOTS
KEY = "benchmark"

JOB = """\
version: 1
name: three-hundred
provider: heygen
foreach:
  n: ${{ range(%d) | list }}
steps:
  - id: clip
    uses: lipsync
    with:
      video: {asset: "%s"}
      audio: {asset: "%s"}
      end: ${{ 1 + n / 1000 }}
"""
PROJECT = """\
[providers.heygen]
concurrency = 10
requests_per_second = 200
poll = {first = 0.03, longest = 2.0}
"""
FLOOR = """\
import asyncio, sys, httpx
base, video, audio, jobs = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
async def main():
    slots = asyncio.Semaphore(10)
    async with httpx.AsyncClient(base_url=base, headers={"X-Api-Key": "benchmark"}, timeout=30) as client:
        async def one(n):
            async with slots:
                asset = {"type": "asset_id"}
                body = {"video": {**asset, "asset_id": video}, "audio": {**asset, "asset_id": audio},
                        "end_time": 1 + n / 1000}
                reply = await client.post("/v3/lipsyncs", json=body, headers={"Idempotency-Key": f"floor-{n}"})
                reply.raise_for_status()
                id_ = reply.json()["data"]["lipsync_id"]
                await asyncio.sleep(0.5)
                while True:
                    reply = await client.get(f"/v3/lipsyncs/{id_}")
                    if reply.json()["data"]["status"] == "completed":
                        return
                    await asyncio.sleep(0.05)
        await asyncio.gather(*(one(n) for n in range(jobs)))
asyncio.run(main())
"""


def serving(folder: Path, announced: Any) -> None:
    """The sandbox in a process of its own, so that its CPU is not counted."""
    settings = Settings(data=folder / "sandbox", job_seconds=SECONDS, concurrency=SLOTS, api_key=KEY, media=False)
    serve(settings, announced.put)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        announced: Any = multiprocessing.Queue()
        server = multiprocessing.Process(target=serving, args=(folder, announced), daemon=True)
        server.start()
        base = next(word.rstrip(".,") for word in announced.get(timeout=20).split() if word.startswith("http"))
        try:
            measure(folder, base)
        finally:
            server.terminate()
            server.join()


def measure(folder: Path, base: str) -> None:
    """Upload the inputs, then run the floor and us."""
    media = Path(__file__).parents[2] / "examples" / "01-lipsync" / "media"
    subprocess.run([sys.executable, str(media.parents[1] / "make_media.py")], check=True)
    video, audio = upload(base, media / "launch.mp4"), upload(base, media / "recorded.mp3")
    (folder / "job.yaml").write_text(JOB % (JOBS, video, audio))
    (folder / "callsheet.toml").write_text(PROJECT)
    (folder / "floor.py").write_text(FLOOR)
    env = {"HEYGEN_API_BASE": base, "HEYGEN_API_KEY": KEY}
    bare = once([sys.executable, str(folder / "floor.py"), base, video, audio, str(JOBS)])
    show("plain poller", bare, base)
    command = [sys.executable, "-m", "callsheet", "-q", "run", str(folder / "job.yaml"), "--yes", *sys.argv[1:]]
    post(base, "/_sandbox/reset")
    ours = once(command, env)
    state = show("callsheet", ours, base)
    ratio = ours.cpu / bare.cpu
    verdict = "ok" if ours.wall / IDEAL <= 1.10 and ratio <= 2 and not state["rate_limited"] else "MISSED"
    print(f"makespan {ours.wall / IDEAL:.3f} × ideal (goal 1.10), CPU {ratio:.2f} × (goal 2): {verdict}")
    post(base, "/_sandbox/reset")
    again = once(command, env)
    state = read(base)
    plan = once([sys.executable, "-m", "callsheet", "plan", str(folder / "job.yaml")], env)
    sent = sum(state["requests"].values())
    verdict = "ok" if sent <= 0 and again.wall <= 2 * plan.wall else "MISSED"
    print(f"second run: {sent} requests, {again.wall:.2f} s against {plan.wall:.2f} s of plan: {verdict}")


def show(name: str, figures: Figures, base: str) -> dict[str, Any]:
    """One line about a run, with what the server saw."""
    state = read(base)
    print(
        f"{name}: {figures.wall:.2f} s = {figures.wall / IDEAL:.3f} × ideal, CPU {figures.cpu:.2f} s, "
        f"{sum(state['requests'].values())} requests, {state['rate_limited']} × 429, "
        f"peak {state['peak_open_jobs']} jobs"
    )
    return state


def read(base: str) -> dict[str, Any]:
    """The server's counters."""
    with urllib.request.urlopen(f"{base}/_sandbox/state") as reply:
        counters: dict[str, Any] = json.load(reply)
        return counters


def post(base: str, path: str) -> None:
    """Zero the counters."""
    urllib.request.urlopen(urllib.request.Request(f"{base}{path}", method="POST", data=b"")).close()


def upload(base: str, path: Path) -> str:
    """An asset of the sandbox."""
    import httpx

    with path.open("rb") as file:
        reply = httpx.post(f"{base}/v3/assets", files={"file": (path.name, file)}, headers={"X-Api-Key": KEY})
    return str(reply.json()["data"]["asset_id"])


if __name__ == "__main__":
    begun = time.time()
    main()
