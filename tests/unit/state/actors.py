"""What the tests run as processes of their own: ``python actors.py <name> <state file> <arguments>``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import sys
from pathlib import Path

from unit.state.samples import begin, intent, result, rows

from callsheet.errors import StateError
from callsheet.state import Begun, NoSlot, State, SubmissionState, open_state, this_worker


def say(text: str) -> None:
    """Written at once: a killed process takes its buffers with it."""
    os.write(1, f"{text}\n".encode())


def hammer(state: State, keys: str, slots: str) -> None:
    """Try to begin every key until all are done, never trusting that this process is alone."""
    worker = this_worker()

    async def one(key: str) -> None:
        while True:
            answer = await state.begin(intent(key, worker_id=worker.worker_id), slots=int(slots), cap=None)
            if isinstance(answer, Begun):
                break
            if not isinstance(answer, NoSlot):
                return
            await asyncio.sleep(0.002)
        say(f"begun {key}")
        taken = rows(state, "select count(*) from submissions where state in ('intent', 'submitted')")[0][0]
        say(f"taken {taken}")
        await state.submitted(answer.submission.idempotency_key, {"id": key})
        await asyncio.sleep(random.random() * 0.005)
        await state.finish(answer.submission.idempotency_key, SubmissionState.FAILED)

    async def work() -> None:
        await state.put_worker(worker)
        names = [f"k{n}" for n in range(int(keys))]
        random.shuffle(names)
        await asyncio.gather(*(claim_failures(one, key) for key in names))

    asyncio.run(work())


async def claim_failures(one, key: str) -> None:
    with contextlib.suppress(ValueError):  # another process began and closed it: the generation is dead
        await one(key)


def endless(state: State, prefix: str) -> None:
    """Write until killed, and say what is durable."""

    async def purchase(number: int) -> None:
        key = f"{prefix}-{number}"
        await state.begin(intent(key), slots=None, cap=None)
        say(f"intent {key}")
        await state.submitted(f"cs1-{key}-1", {"id": key})
        say(f"submitted {key}")
        await state.finish(f"cs1-{key}-1", SubmissionState.DONE, result=result(key))
        say(f"done {key}")

    async def work() -> None:
        numbers = iter(range(10**9))

        async def lane() -> None:
            for number in numbers:
                await purchase(number)

        await asyncio.gather(*(lane() for _ in range(20)))

    asyncio.run(work())


def create(state: State) -> None:
    begin(state, f"k{os.getpid()}")
    say("created")


def limited(state: State, room: str) -> None:
    """Fill the room that the file may grow by, get an error, then go on with more room."""
    size = Path(state.location + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + int(room), resource.RLIM_INFINITY))
    kept = 0
    try:
        while kept < 1000:
            asyncio.run(state.put_result(result(f"k{kept}", outputs={"text": "x" * 20_000})))
            kept += 1
    except StateError as problem:
        say(f"error {problem} - {problem.hint}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    asyncio.run(state.put_result(result("after")))
    found = state.results([("acc", f"k{n}") for n in range(1000)] + [("acc", "after")])
    say(f"kept {len(found) == kept + 1}")


def forgetful(state: State) -> None:
    """End without closing, with a write still riding along."""
    asyncio.run(state.put_result(result("k1")))
    state.add_event("run", "x", {})


def refused(path: str) -> None:
    """Open as a user without special rights."""
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        open_state(path, Path(path), patience=0.2).close()
    except StateError as problem:
        say(f"error {problem} - {problem.hint}")


def main(name: str, path: str, *arguments: str) -> None:
    if name == "refused":
        return refused(path)
    state = open_state(path, Path(path))
    {"hammer": hammer, "endless": endless, "create": create, "limited": limited, "forgetful": forgetful}[name](
        state, *arguments
    )
    if name != "forgetful":
        state.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
