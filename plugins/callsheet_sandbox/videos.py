"""Videos of an avatar or an image: POST /v3/videos with type avatar or image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import catalog, jobs
from .context import Sandbox, new_id, sandbox_of
from .errors import ApiError, invalid, missing
from .inputs import of_asset, of_url, resolve
from .jobs import Job, State
from .media.pictures import PLAIN
from .replay import Create, Draft, receive_json
from .resources import Kind
from .validation import check

if TYPE_CHECKING:
    from starlette.requests import Request

    from .catalog import Voice

DEFAULT_RESOLUTION = "1080p"


def _more(job: Job, state: State) -> dict[str, Any]:
    return {
        "folder_id": job.folder_id,
        "completed_at": int(job.due_at) if state is State.COMPLETED else None,
        "failure_code": job.failure_code if state is State.FAILED else None,
        "captioned_video_url": None,
        "gif_url": None,
        "video_page_url": None,
    }


KIND = Kind(
    *("video", "video_id", ("video_url", "thumbnail_url", "subtitle_url")),
    running="processing",
    filters=("folder_id", "title"),
    more=_more,
    title_changes=False,
)


async def _prepare(request: Request, body: dict[str, Any]) -> Draft:
    sandbox = sandbox_of(request)
    check(body, "video")
    _refuse_what_is_missing(body)
    work = {**_look(sandbox, body), **_sound(sandbox, body)}
    job = Job(new_id("vid"), KIND.name, body.get("title"), body.get("callback_id"), None, work)

    def write() -> dict[str, Any]:
        jobs.insert(sandbox, [job])
        return {"video_id": job.id, "status": "waiting", "output_format": "mp4"}

    return Draft("videos", [job.id], write, lambda: sandbox.renderer.queue(job))


def _refuse_what_is_missing(body: dict[str, Any]) -> None:
    """Better a clear no than a file that is not what was asked for."""
    if body.get("output_format") == "webm":
        raise invalid("the sandbox renders mp4 only.", "output_format")
    if (body.get("caption") or {}).get("style"):
        raise invalid("the sandbox does not burn captions in; subtitle_url always has them.", "caption.style")


def _look(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    colour, image = PLAIN, None
    if body["type"] == "avatar":
        avatar = catalog.avatars().get(body["avatar_id"])
        if avatar is None:
            raise missing("avatar", body["avatar_id"], "avatar_id")
        colour = avatar.colour
    else:
        image = resolve(sandbox, body["image"], "image", "image")
    background = body.get("background") or {}
    if background.get("type") == "color":
        if not background.get("value"):
            raise invalid("'background.value' is required for a colour.", "background.value")
        colour = background["value"].replace("#", "0x")
    return {
        "image": image,
        "colour": colour,
        "fit": body.get("fit") or "cover",
        "resolution": body.get("resolution") or DEFAULT_RESOLUTION,
        "aspect": body.get("aspect_ratio") or "16:9",
    }


def _sound(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    given = [name for name in ("script", "audio_url", "audio_asset_id") if body.get(name)]
    if len(given) != 1:
        raise invalid("exactly one of 'script', 'audio_url' and 'audio_asset_id' is required.", "script")
    if body.get("audio_url"):
        return {"audio": of_url(sandbox, body["audio_url"], "audio_url", "audio")}
    if body.get("audio_asset_id"):
        return {"audio": of_asset(sandbox, body["audio_asset_id"], "audio_asset_id", "audio")}
    settings = body.get("voice_settings") or {}
    return {
        "audio": None,
        "script": body["script"],
        "espeak": _voice(body).speaking(_espeak_voice(settings.get("locale"))),
        "speed": settings.get("speed", 1.0),
        "pitch": settings.get("pitch", 0),
    }


def _voice(body: dict[str, Any]) -> Voice:
    wanted = body.get("voice_id")
    if not wanted and body["type"] == "image":
        raise invalid("'voice_id' is required with a script.", "voice_id")
    return stock_voice(wanted or catalog.avatars()[body["avatar_id"]].voice)


def stock_voice(identifier: str) -> Voice:
    """A voice by id, or 400 voice_unavailable."""
    voice = catalog.voices().get(identifier)
    if voice is None:
        raise ApiError(
            400, "voice_unavailable", f"no voice '{identifier}'; GET /v3/voices lists them.", param="voice_id"
        )
    return voice


def _espeak_voice(locale: str | None) -> str:
    language = catalog.language_of(locale or "en-US")
    if language is None:
        raise invalid(f"no voice speaks '{locale}'.", "voice_settings.locale")
    return language.voice


create = Create(receive_json, _prepare)
