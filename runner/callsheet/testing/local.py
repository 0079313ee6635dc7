"""Local operations, done twice in a temporary job folder."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING

from ..core.values import to_state
from .attempts import attempt, service, wrong_media, wrong_outputs
from .context import FakeContext

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ..core.operation import Operation
    from .examples import Example


async def local(operation: Operation, example: Example, folder: Path, base_url: str | None) -> AsyncIterator[str]:
    """What doing the example's work, and doing it again, shows."""
    found = []
    for _ in range(2):
        with service(example, base_url) as client:
            given = copy.deepcopy(example.inputs)
            done = await attempt(partial(operation.run, given, FakeContext(folder, client)))
        if done.broke:
            yield f"{example.label}: `run` raises {done.broke}; raise a class of callsheet.api for what can be expected"
            return
        if given != example.inputs:
            yield f"{example.label}: `run` changes the inputs that it is given"
        if example.raises is not None or done.error is not None:
            if example.raises is None or not isinstance(done.error, example.raises):
                wanted = f"not {example.raises.__name__}" if example.raises else "though it should succeed"
                raised = f"{type(done.error).__name__}: {done.error}" if done.error else "nothing"
                yield f"{example.label}: `run` raises {raised}, {wanted}"
            return
        if done.slow:
            yield f"{example.label}: `run` takes more than a second here; an operation never sleeps"
        for violation in (*wrong_outputs(operation, example, done.value), *wrong_media(example, done.value, folder)):
            yield violation
        found.append(to_state(done.value))
    if operation.repeat.kind == "pure" and found[0] != found[1]:
        yield f"{example.label}: `run` is PURE, but gives other outputs the second time"
