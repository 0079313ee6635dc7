"""Lipsyncs: POST /v3/lipsyncs and what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import jobs
from .context import new_id, sandbox_of
from .inputs import resolve
from .jobs import Job
from .replay import Create, Draft, receive_json
from .resources import Kind
from .validation import check
from .window import check_window

if TYPE_CHECKING:
    from starlette.requests import Request

KIND = Kind("lipsync", "lipsync_id", ("video_url", "caption_url"), more=lambda job, _: {"callback_id": job.callback_id})


async def _prepare(request: Request, body: dict[str, Any]) -> Draft:
    sandbox = sandbox_of(request)
    check(body, "lipsync")
    picture = resolve(sandbox, body["video"], "video", "video")
    work = {
        "video": picture,
        "audio": resolve(sandbox, body["audio"], "audio", "audio"),
        "dynamic": body.get("enable_dynamic_duration", True),
        "caption": body.get("enable_caption", False),
        **await check_window(sandbox, body, picture),
    }
    job = Job(new_id("ls"), KIND.name, body.get("title"), body.get("callback_id"), body.get("folder_id"), work)

    def write() -> dict[str, Any]:
        jobs.insert(sandbox, [job])
        return {"lipsync_id": job.id}

    return Draft("lipsyncs", [job.id], write, lambda: sandbox.renderer.queue(job))


create = Create(receive_json, _prepare)
