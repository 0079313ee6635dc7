"""Requests that are refused, and with what."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from sandbox.client import Api, asset, make_png, url

GOOD_SPEECH = {"text": "hello", "voice_id": "sandbox-anna"}


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "other"}, {"Authorization": "Bearer sandbox"}])
def test_a_wrong_key_is_401_with_the_envelope(base_url: str, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{base_url}/v3/users/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["x-request-id"].startswith("req_")
    assert set(answer.json()["error"]) == {"code", "message", "param", "doc_url"}


def test_every_answer_has_its_own_request_id(api: Api) -> None:
    answers = [api.get("/v3/users/me"), api.get("/v3/users/me"), api.get("/nowhere"), api.put("/v3/users/me")]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 405]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4


def test_other_host_names_are_refused(base_url: str) -> None:
    answer = httpx.get(f"{base_url}/v3/users/me", headers={"Host": "evil.example", "X-Api-Key": "sandbox"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_host")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"video": None}, "video"),
        ({"video": ...}, "video"),
        ({"audio": ...}, "audio"),
        ({"foo": 1}, "foo"),
        ({"mode": "fast"}, "mode"),
        ({"mode": None}, "mode"),
        ({"enable_caption": None}, "enable_caption"),
        ({"enable_caption": "yes"}, "enable_caption"),
        ({"title": 5}, "title"),
        ({"start_time": -1}, "start_time"),
        ({"start_time": True}, "start_time"),
        ({"start_time": 3, "end_time": 2}, "end_time"),
        ({"start_time": 100}, "start_time"),
        ({"end_time": 100}, "end_time"),
        ({"video": {"type": "asset_id"}}, "video.asset_id"),
        ({"video": {"type": "base64", "data": "eA=="}}, "video.type"),
        ({"video": {"asset_id": "x"}}, "video.type"),
        ({"video": {"type": "url", "url": "x", "asset_id": "y"}}, "video.asset_id"),
    ],
)
def test_wrong_fields_are_400_with_param(
    api: Api, clip_id: str, voice_id: str, change: dict[str, Any], param: str
) -> None:
    body = {"video": asset(clip_id), "audio": asset(voice_id), **change}
    body = {name: value for name, value in body.items() if value is not ...}
    assert api.error("POST", "/v3/lipsyncs", json=body) == (400, "invalid_parameter", param)


def test_null_is_allowed_where_the_schema_says_so(api: Api, clip_id: str, voice_id: str) -> None:
    nulls = dict.fromkeys(("title", "callback_id", "folder_id", "start_time", "end_time", "fps_mode"))
    api.data("POST", "/v3/lipsyncs", json={"video": asset(clip_id), "audio": asset(voice_id), **nulls})


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"{", {"Content-Type": "application/json"}),
        (b"[]", {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "text/plain"}),
    ],
)
def test_a_body_that_is_no_json_object_is_400(api: Api, content: bytes, headers: dict[str, str]) -> None:
    assert api.error("POST", "/v3/lipsyncs", content=content, headers=headers)[:2] == (400, "invalid_parameter")


def test_inputs_must_exist_and_fit(api: Api, clip_id: str, voice_id: str) -> None:
    def refusal(video: dict[str, str], audio: dict[str, str]) -> tuple[int, str, str | None]:
        return api.error("POST", "/v3/lipsyncs", json={"video": video, "audio": audio})

    assert refusal(asset("asset_none"), asset(voice_id)) == (404, "asset_not_found", "video.asset_id")
    assert refusal(asset(voice_id), asset(voice_id)) == (400, "invalid_parameter", "video.asset_id")
    assert refusal(asset(clip_id), asset(clip_id)) == (400, "invalid_parameter", "audio.asset_id")
    assert refusal(url("https://example.com/a.mp4"), asset(voice_id)) == (400, "download_failed", "video.url")


def test_urls_of_the_sandbox_are_checked_like_downloads(api: Api, voice_id: str, clip_id: str) -> None:
    public = api.data("GET", f"/v3/assets/{voice_id}")["url"]
    spoken = api.data("POST", "/v3/voices/speech", json=GOOD_SPEECH)["audio_url"]
    api.data("POST", "/v3/lipsyncs", json={"video": asset(clip_id), "audio": url(public)})
    for wrong, code in [
        (spoken.replace("signature=", "signature=0"), "download_failed"),
        (spoken.replace("speech.mp3", "../x"), "download_failed"),
        (public.replace(voice_id, "asset_none"), "asset_not_found"),
        (public.replace("/media/", "/v3/"), "download_failed"),
    ]:
        body = {"video": asset(clip_id), "audio": url(wrong)}
        assert api.error("POST", "/v3/lipsyncs", json=body)[1:] == (code, "audio.url")
    body = {"video": url(spoken), "audio": asset(voice_id)}
    assert api.error("POST", "/v3/lipsyncs", json=body) == (400, "invalid_parameter", "video.url")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"voice_id": "nobody"}, (400, "voice_unavailable", "voice_id")),
        ({"text": ""}, (400, "invalid_parameter", "text")),
        ({"text": "x" * 5001}, (400, "invalid_parameter", "text")),
        ({"text": "  "}, (400, "tts_text_invalid", "text")),
        ({"speed": 2.1}, (400, "invalid_parameter", "speed")),
        ({"language": "tlh-x"}, (400, "invalid_parameter", "language")),
    ],
)
def test_speech_refuses(api: Api, change: dict[str, Any], answer: tuple[int, str, str]) -> None:
    assert api.error("POST", "/v3/voices/speech", json={**GOOD_SPEECH, **change}) == answer


def test_languages_are_exact_names(api: Api, clip_id: str) -> None:
    names = api.data("GET", "/v3/video-translations/languages")["languages"]
    assert {"Spanish (Spain)", "French (France)", "German (Germany)", "Norwegian Bokmål (Norway)"} <= set(names)
    for name in ("es", "spanish (spain)", "Klingon"):
        body = {"video": asset(clip_id), "output_languages": ["English", name]}
        refusal = api.error("POST", "/v3/video-translations", json=body)
        assert refusal == (400, "invalid_parameter", "output_languages.1")


AVATAR = {"type": "avatar", "avatar_id": "sandbox-avatar-1", "script": "Hello and welcome."}


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"avatar_id": "none"}, (404, "avatar_not_found", "avatar_id")),
        ({"voice_id": "none"}, (400, "voice_unavailable", "voice_id")),
        ({"type": "studio"}, (400, "invalid_parameter", "type")),
        ({"image": asset("x")}, (400, "invalid_parameter", "image")),
        ({"script": None}, (400, "invalid_parameter", "script")),
        ({"audio_asset_id": "x"}, (400, "invalid_parameter", "script")),
        ({"resolution": "480p"}, (400, "invalid_parameter", "resolution")),
        ({"output_format": "webm"}, (400, "invalid_parameter", "output_format")),
        ({"caption": {"style": "default"}}, (400, "invalid_parameter", "caption.style")),
        ({"engine": {"type": "avatar_iv", "reference_look_id": "x"}}, (400, "invalid_parameter", None)),
        ({"voice_settings": {"speed": 2}}, (400, "invalid_parameter", "voice_settings.speed")),
        (
            {"voice_settings": {"engine_settings": {"engine_type": "starfish", "style": 1}}},
            (400, "invalid_parameter", "voice_settings.engine_settings.style"),
        ),
        ({"background": {"type": "color"}}, (400, "invalid_parameter", "background.value")),
    ],
)
def test_videos_refuse(api: Api, change: dict[str, Any], answer: tuple[int, str, str | None]) -> None:
    status, code, param = api.error("POST", "/v3/videos", json={**AVATAR, **change})
    assert (status, code) == answer[:2]
    assert answer[2] in (None, param)


def test_inline_images_are_checked(api: Api) -> None:
    image = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(make_png(64, 64)).decode()}
    body = {"type": "image", "image": image, "script": "Hello and welcome.", "voice_id": "sandbox-anna"}
    made = api.data("POST", "/v3/videos", json={**body, "resolution": "720p"})
    assert api.finished(f"/v3/videos/{made['video_id']}")["status"] == "completed"
    wrong = {**body, "image": {**image, "media_type": "image/jpeg"}}
    assert api.error("POST", "/v3/videos", json=wrong) == (400, "invalid_parameter", "image.media_type")
    wrong = {**body, "image": {**image, "data": "%%%"}}
    assert api.error("POST", "/v3/videos", json=wrong) == (400, "invalid_parameter", "image.data")
    assert api.error("POST", "/v3/videos", json={**body, "voice_id": None})[2] == "voice_id"


def test_answers_fit_the_published_shapes(api: Api) -> None:
    me = api.data("GET", "/v3/users/me")
    assert me["username"].startswith("sandbox-")
    assert len(me["username"]) == len("sandbox-") + 8
    assert (me["billing_type"], me["wallet"]["currency"]) == ("wallet", "usd")
    voices = api.data("GET", "/v3/voices", params={"engine": "starfish", "gender": "female"})
    assert {"sandbox-anna"} <= {voice["voice_id"] for voice in voices}
    assert "sandbox-ben" not in {voice["voice_id"] for voice in voices}
    assert api.error("GET", "/v3/voices", params={"color": "red"})[2] == "color"


def test_its_languages_are_those_of_the_client() -> None:
    """A job that runs in the sandbox must not fail at the provider for a name, nor the other way round."""
    from callsheet_heygen.languages import LANGUAGES
    from callsheet_sandbox.catalog import languages

    assert set(languages()) <= set(LANGUAGES.names.values())
