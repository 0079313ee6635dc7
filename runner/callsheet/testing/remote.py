"""Remote operations against a scripted provider: from `start` to the end, again, and with everything going wrong."""

from __future__ import annotations

import copy
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.operation import Done, Reply, Waiting
from ..errors import Ambiguous, NotSent, OperationError, Rejected, Retryable
from .attempts import attempt, is_json, service, wrong_outputs
from .client import ScriptedClient, json_reply
from .context import FakeContext

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from ..core.operation import Handle, RemoteOperation
    from .attempts import Attempt
    from .examples import Example

_MOST_POLLS = 100
_PAGE = Reply(200, {"content-type": "text/html"}, b"<html>busy</html>")
#: What a provider in trouble answers. None of it says anything about the remote job.
_TROUBLE: dict[str, Any] = {
    "a lost connection": Retryable("the connection was lost"),
    "a request that could not be sent": NotSent("no route to host"),
    "status 429": json_reply({"error": {"code": "slow_down", "message": "slow down"}}, 429, {"retry-after": "3"}),
    "status 500": json_reply({"error": "oops"}, 500),
    "status 502 with a page": Reply(502, {"content-type": "text/html"}, b"<html>bad gateway</html>"),
    "status 200 with a page": _PAGE,
    "status 200 with an empty document": json_reply({}),
    "status 200 with a list": json_reply([]),
}


async def remote(
    operation: RemoteOperation, example: Example, folder: Path, base_url: str | None
) -> AsyncIterator[str]:
    """What driving the example from its start to its end shows."""
    handle: Handle | None = None
    with service(example, base_url) as client:
        if client is not None:
            drive = _Drive(operation, example, FakeContext(folder, client))
            async for violation in drive.all():
                yield violation
            handle = drive.handle
    if client is None:
        return
    async for violation in _again(operation, example, folder):
        yield violation
    for name, answer in _TROUBLE.items():
        context = FakeContext(folder, ScriptedClient([(m, "*", answer) for m in ("GET", "POST", "PUT", "DELETE")]))
        for violation in _start_in_trouble(example, name, answer, await _start(operation, example, context)):
            yield violation
        if handle is not None:
            polled = await attempt(partial(operation.check, copy.deepcopy(handle), context))
            for violation in _check_in_trouble(example, name, answer, polled):
                yield violation
    lost = ScriptedClient([(m, "*", Ambiguous("the answer was lost")) for m in ("GET", "POST", "PUT", "DELETE")])
    answered = await _start(operation, example, FakeContext(folder, lost))
    if answered.error is not None and isinstance(answered.error, Retryable):
        yield f"{example.label}: `start` turns a lost answer (Ambiguous) into {type(answered.error).__name__}"


async def _start(operation: RemoteOperation, example: Example, context: FakeContext) -> Attempt:
    return await attempt(lambda: operation.start(copy.deepcopy(example.inputs), context))


class _Drive:
    """One example from `start` to its end. ``handle`` is the last one that came."""

    def __init__(self, operation: RemoteOperation, example: Example, context: FakeContext) -> None:
        self.operation, self.example, self.context = operation, example, context
        self.handle: Handle | None = None

    async def all(self) -> AsyncIterator[str]:
        """Start it and ask until it is done."""
        label = self.example.label
        given = copy.deepcopy(self.example.inputs)
        answer = await attempt(lambda: self.operation.start(given, self.context))
        if given != self.example.inputs:
            yield f"{label}: `start` changes the inputs that it is given"
        polls = 0
        while True:
            for violation in self._ends(answer, "check" if polls else "start"):
                yield violation
            if not isinstance(answer.value, Waiting):
                break
            self.handle = json.loads(json.dumps(answer.value.handle)) if is_json(answer.value.handle) else None
            if self.handle is None:
                return
            if polls == _MOST_POLLS:
                yield f"{label}: it is not done after {_MOST_POLLS} polls; end the script with a finished job"
                return
            polls += 1
            answer = await self._check()
        if isinstance(answer.value, Done) and polls and self.operation.lasting:
            again = await self._check()
            if not isinstance(again.value, Done):
                yield f"{label}: `check` of a finished job must give Done again: it is how fresh URLs are read"

    async def _check(self) -> Attempt:
        handle = copy.deepcopy(self.handle or {})
        return await attempt(lambda: self.operation.check(handle, self.context))

    def _ends(self, answer: Attempt, method: str) -> Iterator[str]:
        """What is wrong with one answer."""
        label, wanted = self.example.label, self.example.raises
        if answer.broke:
            yield f"{label}: `{method}` raises {answer.broke}; raise a class of callsheet.api for what can be expected"
        elif answer.error is not None:
            if wanted is None or not isinstance(answer.error, wanted):
                yield f"{label}: `{method}` raises {type(answer.error).__name__}: {answer.error}"
        elif isinstance(answer.value, Waiting):
            if not isinstance(answer.value.handle, dict) or not is_json(answer.value.handle):
                yield f"{label}: the handle of `{method}` is not a map of JSON values, so the state cannot keep it"
        elif isinstance(answer.value, Done):
            if wanted is not None:
                yield f"{label}: it is done, but should have raised {wanted.__name__}"
            yield from wrong_outputs(self.operation, self.example, answer.value.outputs)
        else:
            yield f"{label}: `{method}` gives {type(answer.value).__name__}, not Waiting or Done"
        if answer.slow:
            yield f"{label}: `{method}` takes more than a second here; an operation never sleeps"


async def _again(operation: RemoteOperation, example: Example, folder: Path) -> AsyncIterator[str]:
    """The same request twice: a key must never be sent with two different bodies, and must be sent at all."""
    sent = []
    for _ in range(2):
        client = ScriptedClient(example.replies)
        context = FakeContext(folder, client)
        await _start(operation, example, context)
        sent.append(client.requests)
    if sent[0] != sent[1]:
        yield f"{example.label}: `start` sends another request when it is called again with the same key"
    marks = {"keyed": ("key", context.key), "tagged": ("tag", context.tag)}
    name, mark = marks.get(operation.repeat.kind, ("", ""))
    if mark and sent[0] and not any(mark in repr(request) for request in sent[0]):
        yield f"{example.label}: `repeat` says {operation.repeat.kind}, but `start` does not send ctx.{name}"


def _start_in_trouble(example: Example, name: str, answer: Any, got: Attempt) -> Iterator[str]:
    if got.broke:
        yield f"{example.label}: on {name} `start` raises {got.broke}"
    elif isinstance(answer, Reply) and answer.ok and isinstance(got.error, NotSent):
        yield f"{example.label}: on {name} `start` raises NotSent, although the request has arrived"
    elif got.error is None and not (isinstance(answer, Reply) and answer.ok):
        yield f"{example.label}: on {name} `start` gives {type(got.value).__name__} instead of raising"


def _check_in_trouble(example: Example, name: str, answer: Any, got: Attempt) -> Iterator[str]:
    if got.broke:
        yield f"{example.label}: on {name} `check` raises {got.broke}; raise Retryable or another OperationError"
    elif isinstance(got.error, Rejected):
        yield f"{example.label}: on {name} `check` raises {type(got.error).__name__}, which fails a job that goes on"
    elif isinstance(got.value, Done):
        yield f"{example.label}: on {name} `check` says that the job is done"
    elif got.error is None and isinstance(answer, OperationError):
        yield f"{example.label}: on {name} `check` gives {type(got.value).__name__} instead of raising"
