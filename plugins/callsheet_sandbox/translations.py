"""Translations: POST /v3/video-translations, one job per language, and the list of languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from . import catalog, jobs
from .context import new_id, sandbox_of
from .errors import ApiError, invalid
from .inputs import resolve
from .jobs import Job, State
from .replay import Create, Draft, receive_json
from .resources import Kind
from .validation import check, check_query
from .window import check_window

if TYPE_CHECKING:
    from starlette.requests import Request

    from .catalog import Language

DEFAULT_VOICE = "sandbox-anna"


def _more(job: Job, _: State) -> dict[str, Any]:
    return {
        "callback_id": job.callback_id,
        "input_language": job.work["input_language"],
        "output_language": catalog.languages()[job.work["language"]].code,
        "translate_audio_only": job.work["audio_only"],
    }


KIND = Kind(
    "translation", "video_translation_id", ("video_url", "audio_url", "srt_caption_url", "vtt_caption_url"), more=_more
)


async def _prepare(request: Request, body: dict[str, Any]) -> Draft:
    sandbox = sandbox_of(request)
    check(body, "translation")
    targets = [_language(name, index) for index, name in enumerate(body["output_languages"])]
    picture = resolve(sandbox, body["video"], "video", "video")
    sound = resolve(sandbox, body["audio"], "audio", "audio") if body.get("audio") else None
    if body.get("srt"):
        resolve(sandbox, body["srt"], "srt", "subtitle")
    work = {
        "video": picture,
        "audio": sound,
        "voice": _stock_voice(body),
        "caption": body.get("enable_caption", False),
        "audio_only": body.get("translate_audio_only", False),
        "input_language": body.get("input_language"),
        **await check_window(sandbox, body, picture),
    }
    base = new_id("tr")
    made = [
        Job(
            f"{base}-{language.code}-{index}" if index else f"{base}-{language.code}",
            *(KIND.name, body.get("title"), body.get("callback_id"), body.get("folder_id")),
            {**work, "language": language.name},
        )
        for index, language in enumerate(targets)
    ]
    ids = [job.id for job in made]

    def write() -> dict[str, Any]:
        jobs.insert(sandbox, made)
        return {"video_translation_ids": ids}

    def render() -> None:
        for job in made:
            sandbox.renderer.queue(job)

    return Draft("video-translations", ids, write, render)


async def languages(request: Request) -> Response:
    """GET /v3/video-translations/languages."""
    check_query(request, ())
    return JSONResponse({"data": {"languages": list(catalog.languages())}})


def _language(name: str, index: int) -> Language:
    language = catalog.languages().get(name)
    if language is None:
        message = f"'{name}' is not a supported language; GET /v3/video-translations/languages lists the names."
        raise invalid(message, f"output_languages.{index}")
    return language


def _stock_voice(body: dict[str, Any]) -> str:
    wanted: list[str] = (body.get("stock_voice_config") or {}).get("preferred_stock_voice_ids", [])
    for voice in wanted:
        if voice not in catalog.voices():
            raise ApiError(
                400, "voice_unavailable", f"no voice '{voice}'.", param="stock_voice_config.preferred_stock_voice_ids"
            )
    return wanted[0] if wanted else DEFAULT_VOICE


create = Create(receive_json, _prepare)
