"""Creates and their Idempotency-Key.

A create has two halves: ``receive`` and ``prepare`` may wait and may refuse; ``Draft.write`` then runs inside one
transaction together with the stored answer and the ledger, so a killed sandbox has either all of them or none.
Only successes are stored: HeyGen does not say what it does with refusals, and a refusal changes nothing here.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from starlette.responses import JSONResponse, Response

from .context import Sandbox, base_url, sandbox_of
from .errors import ApiError, invalid
from .validation import read_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

KEY = re.compile(r"[A-Za-z0-9_:.\-]{1,255}")
ORIGIN = "sandbox-origin:"  # stands for the base URL in stored answers, because a restart may change the port
Received = TypeVar("Received")


def nothing() -> None:
    """For a draft that has nothing to do after its transaction."""


@dataclass(frozen=True)
class Draft:
    """A create that was accepted and only has to be written down."""

    operation: str  # name in the ledger
    ids: list[str]
    write: Callable[[], dict[str, Any]]  # inside the transaction; returns the answer's data
    after: Callable[[], None] = nothing  # once everything is durable


@dataclass(frozen=True)
class Create(Generic[Received]):
    """The endpoint of a create; ``receive`` also digests the body, to compare a replay with the original."""

    receive: Callable[[Request], Awaitable[tuple[Received, str]]]
    prepare: Callable[[Request, Received], Awaitable[Draft]]
    keyed: bool = True  # False: the endpoint ignores Idempotency-Key

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        sandbox = sandbox_of(request)
        key = request.headers.get("idempotency-key") if self.keyed else None
        if key is None:
            received, _ = await self.receive(request)
            return await self._create(request, received, None, "")
        if not KEY.fullmatch(key):
            raise invalid("Idempotency-Key must be 1 to 255 characters of [A-Za-z0-9_:.-].", "Idempotency-Key")
        scope = scope_of(request)
        if _stored(sandbox, scope, key) is None:
            return await self._first(request, scope, key)
        _, digest = await self.receive(request)
        return _replayed(request, scope, key, digest)

    async def _first(self, request: Request, scope: str, key: str) -> Response:
        sandbox = sandbox_of(request)
        if (scope, key) in sandbox.in_flight:
            raise ApiError(
                409, "request_in_progress", "a request with this Idempotency-Key is already in progress; retry shortly."
            )
        sandbox.in_flight.add((scope, key))
        try:
            received, digest = await self.receive(request)
            return await self._create(request, received, key, digest)
        finally:
            sandbox.in_flight.discard((scope, key))

    async def _create(self, request: Request, received: Received, key: str | None, digest: str) -> Response:
        draft = await self.prepare(request, received)
        store, scope = sandbox_of(request).store, scope_of(request)
        with store.transaction():
            # Another process on the same data may have been faster; its answer wins.
            if key is not None and _stored(sandbox_of(request), scope, key) is not None:
                return _replayed(request, scope, key, digest)
            body = {"data": draft.write()}
            store.record_create(draft.operation, draft.ids, key)
            if key is not None:
                text = json.dumps(body).replace(base_url(request), ORIGIN)
                row = (scope, key, time.time(), digest, text)
                store.write("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?)", row)
        draft.after()
        return JSONResponse(body)


def scope_of(request: Request) -> str:
    """Where a key is unique: the endpoint and its path resource."""
    return f"{request.method} {request.url.path}"


async def receive_json(request: Request) -> tuple[dict[str, Any], str]:
    """A JSON body and a digest that ignores key order and white space."""
    body = await read_json(request)
    return body, hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _stored(sandbox: Sandbox, scope: str, key: str) -> tuple[str, str] | None:
    oldest = time.time() - sandbox.settings.idempotency_window
    found = sandbox.store.row(
        "SELECT digest, body FROM replies WHERE scope = ? AND key = ? AND stored_at > ?", (scope, key, oldest)
    )
    return None if found is None else (str(found["digest"]), str(found["body"]))


def _replayed(request: Request, scope: str, key: str, digest: str) -> Response:
    sandbox = sandbox_of(request)
    stored = _stored(sandbox, scope, key)
    assert stored is not None
    if stored[0] != digest:
        sandbox.counts.client_errors["replay_with_another_body"] += 1
    text = stored[1].replace(ORIGIN, base_url(request))
    return Response(text, media_type="application/json", headers={"Idempotent-Replayed": "true"})
