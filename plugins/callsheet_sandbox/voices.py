"""Voices, and speech with them: GET /v3/voices and POST /v3/voices/speech, which answers with the finished sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.responses import JSONResponse, Response

from . import catalog
from .context import base_url, new_id, sandbox_of
from .errors import ApiError, MediaError, invalid
from .rendering import RESULTS
from .replay import Create, Draft, receive_json
from .validation import check, check_query, page_limit
from .videos import stock_voice

if TYPE_CHECKING:
    from starlette.requests import Request

    from .catalog import Voice


async def voices(request: Request) -> Response:
    """GET /v3/voices; one page holds them all."""
    check_query(request, ("type", "engine", "language", "gender", "limit", "token"))
    query, limit = request.query_params, page_limit(request, 20)
    shown = [voice for voice in catalog.voices().values() if _fits(voice, "gender", query.get("gender"))]
    shown = [voice for voice in shown if _fits(voice, "language", query.get("language"))]
    if query.get("type", "public") != "public" or query.get("engine", "starfish") != "starfish":
        shown = []
    return JSONResponse({"data": [_view(voice) for voice in shown[:limit]], "has_more": False, "next_token": None})


async def _prepare(request: Request, body: dict[str, Any]) -> Draft:
    sandbox = sandbox_of(request)
    check(body, "speech")
    voice = stock_voice(body["voice_id"])
    work: dict[str, Any] = {
        "text": body["text"],
        "espeak": voice.speaking(_espeak_voice(body)),
        "speed": body.get("speed", 1.0),
        "ssml": body.get("input_type") == "ssml",
    }
    identifier = new_id("req")
    try:
        result = await anyio.to_thread.run_sync(sandbox.renderer.make, identifier, "speech", work)
    except MediaError as error:
        raise ApiError(400, error.code, f"{error}.", param="text") from None
    path = f"/media/{RESULTS}/{identifier}/{result.files['audio_url']}"

    def write() -> dict[str, Any]:
        return {
            "audio_url": sandbox.links.presign("GET", base_url(request), path),
            "duration": result.duration,
            "request_id": identifier,
            "word_timestamps": work.get("words", []),
        }

    return Draft("voices/speech", [identifier], write)


def _espeak_voice(body: dict[str, Any]) -> str:
    field = "locale" if body.get("locale") else "language"
    wanted = body.get(field)
    language = catalog.language_of(wanted or "en-US")
    if language is None:
        raise invalid(f"no voice speaks '{wanted}'.", field)
    return language.voice


def _fits(voice: Voice, attribute: str, wanted: str | None) -> bool:
    return wanted is None or str(getattr(voice, attribute)).lower() == wanted.lower()


def _view(voice: Voice) -> dict[str, Any]:
    return {
        "voice_id": voice.id,
        "name": voice.name,
        "language": voice.language,
        "gender": voice.gender,
        "type": "public",
        "support_pause": True,
        "support_locale": True,
        "preview_audio_url": None,
    }


speech = Create(receive_json, _prepare, keyed=False)
