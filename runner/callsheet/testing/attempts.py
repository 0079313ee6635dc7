"""Doing what an operation offers, once, and telling what came of it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.operation import Connection
from ..core.values import Media, to_state
from ..engine.http import HttpClient
from ..errors import CredentialsError, OperationError
from .client import ScriptedClient
from .declared import misfits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ..core.operation import BaseOperation, Client
    from .examples import Example

#: Real seconds that one call may take against a scripted client; more means that it sleeps.
_LONG = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a call gave: a value, an error of the contract, or ``broke``, which says what else it raised."""

    value: Any = None
    error: OperationError | None = None
    broke: str = ""
    slow: bool = False


async def attempt(call: Callable[[], Awaitable[Any]]) -> Attempt:
    """Make a call. Exceptions become part of the answer."""
    began = time.perf_counter()
    try:
        value = await call()
    except OperationError as problem:
        return Attempt(error=problem)
    except (CredentialsError, Exception) as problem:
        return Attempt(broke=f"{type(problem).__name__}: {problem}")
    return Attempt(value, slow=time.perf_counter() - began > _LONG)


def is_json(value: Any) -> bool:
    """Whether the value comes back from JSON as it is."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError):
        return False


def wrong_outputs(operation: BaseOperation, example: Example, outputs: Any) -> Iterator[str]:
    """How outputs break the operation's schema, or differ from what the example expects."""
    if not isinstance(outputs, dict):
        yield f"{example.label}: the outputs are {type(outputs).__name__}, not a dict"
        return
    for misfit in misfits(operation.outputs, outputs):
        yield f"{example.label}: the outputs do not fit their schema: {misfit}"
    if not is_json(to_state(outputs)):
        yield f"{example.label}: the outputs hold values that are neither JSON nor Media"
    for name in sorted(set(outputs) - set(operation.outputs.get("properties", {}))):
        yield f'{example.label}: the output "{name}" is not in the schema, so no job can refer to it'
    for name, wanted in (example.outputs or {}).items():
        if outputs.get(name) != wanted:
            yield f'{example.label}: the output "{name}" is {outputs.get(name)!r}, not {wanted!r}'


def wrong_media(example: Example, outputs: Any, folder: Path) -> Iterator[str]:
    """Output files that are not where they should be."""
    for name, media in outputs.items() if isinstance(outputs, dict) else ():
        if isinstance(media, Media) and media.path is not None:
            path = Path(media.path)
            if not path.is_absolute() or not path.is_file():
                yield f'{example.label}: the output "{name}" names a file that is not there: {media.path}'
            elif not path.resolve().is_relative_to(folder):
                yield f'{example.label}: the output "{name}" lies outside the job\'s folder; ask ctx.target for a path'
            elif media.sha256 is None:
                yield f'{example.label}: the output "{name}" has no sha256, so it cannot be told whether it changed'


@contextmanager
def service(example: Example, base_url: str | None) -> Iterator[Client | None]:
    """The client for an example: scripted, or real for a server of the test's own."""
    if base_url is not None:
        client = HttpClient(Connection(base_url, {}, frozenset(), "test"), "test-account")
        try:
            yield client
        finally:
            client.close()
    else:
        yield ScriptedClient(example.replies) if example.replies else None
