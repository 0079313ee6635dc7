"""Routes outside the API, for tests and benchmarks: what a client did, and counting from zero again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from .context import Sandbox, sandbox_of
from .jobs import open_jobs

if TYPE_CHECKING:
    from starlette.requests import Request

_SINCE = "created_before_reset"


async def state(request: Request) -> Response:
    """GET /_sandbox/state: creates and peak survive a restart, the rest counts since the start."""
    return JSONResponse(_state(sandbox_of(request)))


async def creates(request: Request) -> Response:
    """GET /_sandbox/creates: the whole ledger, oldest first; a reset does not shorten it."""
    rows = sandbox_of(request).store.rows("SELECT at, operation, ids, idempotency_key FROM creates ORDER BY number")
    return JSONResponse({"creates": [{**dict(row), "ids": json.loads(row["ids"])} for row in rows]})


async def reset(request: Request) -> Response:
    """POST /_sandbox/reset: all counters from zero; assets, jobs and the ledger stay."""
    sandbox = sandbox_of(request)
    sandbox.counts.reset()
    with sandbox.store.transaction():
        sandbox.store.set_counter("peak_open", open_jobs(sandbox.store))
        sandbox.store.set_counter(_SINCE, sandbox.store.number("SELECT max(number) FROM creates"))
    return JSONResponse(_state(sandbox))


def _state(sandbox: Sandbox) -> dict[str, object]:
    store, counts = sandbox.store, sandbox.counts
    made = store.rows(
        "SELECT operation, sum(json_array_length(ids)) AS times FROM creates WHERE number > ? GROUP BY operation",
        (store.counter(_SINCE),),
    )
    return {
        "account": store.username,
        "creates": {row["operation"]: row["times"] for row in made},
        "open_jobs": open_jobs(store),
        "peak_open_jobs": store.counter("peak_open"),
        "rate_limited": counts.answers[429],
        "client_errors": dict(counts.client_errors),
        "answers": {str(status): times for status, times in sorted(counts.answers.items())},
        "requests": dict(sorted(counts.requests.items())),
    }
