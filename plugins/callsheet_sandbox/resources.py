"""Reading jobs over HTTP: one, a page, many states at once; and renaming or deleting one. The same for every kind."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from . import jobs
from .context import base_url, sandbox_of
from .errors import invalid, missing
from .jobs import Job, State
from .rendering import RESULTS
from .validation import check, check_query, page_limit, read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

NEWEST = 2**62  # above every row number
MAX_IDS = 100  # of one statuses request
# The words of every statuses endpoint; the detail endpoints have their own.
STATUS_WORDS = {
    State.PENDING: "queued",
    State.RUNNING: "processing",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}


def no_more(_: Job, __: State) -> dict[str, Any]:
    """For a kind without fields of its own."""
    return {}


@dataclass(frozen=True)
class Kind:
    """What differs between lipsyncs, translations and videos."""

    name: str  # in the database
    id_name: str  # of the path parameter; its plural is the query parameter of statuses
    urls: tuple[str, ...]  # fields that carry presigned URLs once completed
    running: str = "running"
    filters: tuple[str, ...] = ()
    more: Callable[[Job, State], dict[str, Any]] = no_more
    title_changes: bool = True

    def word(self, state: State) -> str:
        """This kind's word for a state."""
        return self.running if state is State.RUNNING else state.value

    def find(self, request: Request) -> Job:
        """The job that the path names, or 404."""
        identifier = request.path_params[self.id_name]
        job = jobs.find(sandbox_of(request).store, self.name, identifier)
        if job is None:
            raise missing(self.name, identifier)
        return job

    async def get(self, request: Request) -> Response:
        """GET …/{id}."""
        check_query(request, ())
        return JSONResponse({"data": self._view(request, self.find(request))})

    async def list(self, request: Request) -> Response:
        """GET …: newest first, by pages."""
        check_query(request, ("limit", "token", *self.filters))
        limit, query = page_limit(request, 10), request.query_params
        before = _row_of(query["token"]) if "token" in query else NEWEST
        folder = query.get("folder_id") if "folder_id" in self.filters else None
        title = query.get("title", "") if "title" in self.filters else ""
        found = jobs.page(
            sandbox_of(request).store, self.name, before=before, limit=limit + 1, title=title, folder=folder
        )
        shown, more = found[:limit], len(found) > limit
        return JSONResponse(
            {
                "data": [self._view(request, job) for job in shown],
                "has_more": more,
                "next_token": _token_of(shown[-1].number) if more else None,
            }
        )

    async def statuses(self, request: Request) -> Response:
        """GET …/statuses: up to 100 ids; unknown ones are ``not_found``."""
        plural = f"{self.id_name}s"
        check_query(request, (plural,))
        wanted = [part.strip() for part in request.query_params.get(plural, "").split(",") if part.strip()]
        if not 1 <= len(wanted) <= MAX_IDS:
            raise invalid(f"'{plural}' must be 1 to {MAX_IDS} ids separated by commas.", plural)
        entries = [self._status(request, identifier) for identifier in wanted]
        return JSONResponse({"data": entries, "has_more": False, "next_token": None})

    async def rename(self, request: Request) -> Response:
        """PATCH …/{id}: only the title changes."""
        job, body = self.find(request), await read_json(request)
        check(body, "title")
        sandbox_of(request).store.write("UPDATE jobs SET title = ? WHERE id = ?", (body["title"], job.id))
        return JSONResponse({"data": self._view(request, self.find(request))})

    async def delete(self, request: Request) -> Response:
        """DELETE …/{id}: the job is gone; its files stay until the data directory goes."""
        job = self.find(request)
        sandbox_of(request).store.write("DELETE FROM jobs WHERE id = ?", (job.id,))
        return JSONResponse({"data": {"id": job.id}})

    def _status(self, request: Request, identifier: str) -> dict[str, Any]:
        job = jobs.find(sandbox_of(request).store, self.name, identifier)
        state = None if job is None else job.state(time.time())
        failed = job is not None and state is State.FAILED
        error = {"code": job.failure_code, "message": job.failure_message} if job is not None and failed else None
        status = "not_found" if state is None else STATUS_WORDS[state]
        return {"video_id": identifier, "status": status, "error": error, "batch_id": None, "item_index": None}

    def _view(self, request: Request, job: Job) -> dict[str, Any]:
        state = job.state(time.time())
        result = job.result if state is State.COMPLETED else None
        files = {} if result is None else result.files
        links = {name: _link(request, job, files[name]) if name in files else None for name in self.urls}
        return {
            "id": job.id,
            "title": job.title,
            "status": self.word(state),
            "created_at": int(job.created_at),
            "duration": None if result is None else round(result.duration, 3),
            **links,
            "failure_message": job.failure_message if state is State.FAILED else None,
            **self.more(job, state),
        }


def _link(request: Request, job: Job, name: str) -> str:
    return sandbox_of(request).links.presign("GET", base_url(request), f"/media/{RESULTS}/{job.id}/{name}")


def _token_of(row: int) -> str:
    return base64.urlsafe_b64encode(f"before:{row}".encode()).decode()


def _row_of(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("before:"))
    except (binascii.Error, ValueError):
        raise invalid("'token' is not one that a list answered.", "token") from None
