"""Idempotency-Key: replays, scope, expiry, and two requests at once."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.client import Api, Settings, asset, make_png, running

if TYPE_CHECKING:
    from pathlib import Path

PNG = make_png(16, 16)


@pytest.fixture
def body(clip_id: str, voice_id: str) -> dict[str, Any]:
    return {"video": asset(clip_id), "audio": asset(voice_id)}


@pytest.fixture
def fresh(api: Api) -> Api:
    """The shared sandbox with its counters at zero."""
    api.post("/_sandbox/reset")
    return api


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def test_the_same_key_answers_the_same_and_creates_once(fresh: Api, body: dict[str, Any]) -> None:
    first = fresh.post("/v3/lipsyncs", json=body, headers=key("once"))
    again = fresh.post("/v3/lipsyncs", json=dict(reversed(body.items())), headers=key("once"))
    assert again.json() == first.json()
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert fresh.state()["creates"] == {"lipsyncs": 1}
    assert fresh.state()["client_errors"] == {}


def test_another_body_is_replayed_and_counted_against_the_client(fresh: Api, body: dict[str, Any]) -> None:
    first = fresh.data("POST", "/v3/lipsyncs", json=body, headers=key("edited"))
    again = fresh.data("POST", "/v3/lipsyncs", json={**body, "title": "other"}, headers=key("edited"))
    assert first == again
    assert fresh.state()["client_errors"] == {"replay_with_another_body": 1}


def test_uploads_are_compared_by_content(fresh: Api) -> None:
    def send(content: bytes) -> Any:
        return fresh.data("POST", "/v3/assets", files={"file": ("a.png", content)}, headers=key("upload"))

    assert send(PNG) == send(PNG)
    assert fresh.state()["client_errors"] == {}
    send(make_png(20, 20))
    assert fresh.state()["client_errors"] == {"replay_with_another_body": 1}
    assert fresh.state()["creates"] == {"assets": 1}


def test_a_key_belongs_to_its_endpoint(fresh: Api, body: dict[str, Any]) -> None:
    fresh.data("POST", "/v3/lipsyncs", json=body, headers=key("shared"))
    translation = {"video": body["video"], "output_languages": ["English", "German"]}
    fresh.data("POST", "/v3/video-translations", json=translation, headers=key("shared"))
    assert fresh.state()["creates"] == {"lipsyncs": 1, "video-translations": 2}


def test_speech_ignores_the_key(fresh: Api) -> None:
    speech = {"text": "hello", "voice_id": "sandbox-anna"}
    ids = {fresh.data("POST", "/v3/voices/speech", json=speech, headers=key("speech"))["request_id"] for _ in range(2)}
    assert len(ids) == 2
    assert fresh.state()["creates"] == {"voices/speech": 2}


def test_refusals_are_not_stored(fresh: Api, body: dict[str, Any]) -> None:
    assert fresh.error("POST", "/v3/lipsyncs", json={}, headers=key("retried"))[0] == 400
    fresh.data("POST", "/v3/lipsyncs", json=body, headers=key("retried"))
    assert fresh.state()["creates"] == {"lipsyncs": 1}


@pytest.mark.parametrize("name", ["x" * 256, "with space", "semi;colon", ""])
def test_malformed_keys_are_400(api: Api, body: dict[str, Any], name: str) -> None:
    refusal = api.error("POST", "/v3/lipsyncs", json=body, headers=key(name))
    assert refusal == (400, "invalid_parameter", "Idempotency-Key")


def test_a_key_may_be_long(api: Api, body: dict[str, Any]) -> None:
    api.data("POST", "/v3/lipsyncs", json=body, headers=key("aZ09_:.-" + "x" * 247))


def test_a_duplicate_in_flight_is_409(api: Api, base_url: str, body: dict[str, Any]) -> None:
    import json

    content = json.dumps(body).encode()
    head = (
        "POST /v3/lipsyncs HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: sandbox\r\nIdempotency-Key: slow\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(base_url.rsplit(":", 1)[1]))) as slow:
        slow.sendall(head.encode() + content[:10])
        while (answer := api.post("/v3/lipsyncs", json={}, headers=key("slow"))).status_code != 409:
            time.sleep(0.01)  # until the sandbox has read the head
        assert answer.json()["error"]["code"] == "request_in_progress"
        slow.sendall(content[10:])
        assert slow.recv(4096).startswith(b"HTTP/1.1 200")
    assert api.post("/v3/lipsyncs", json=body, headers=key("slow")).headers["idempotent-replayed"] == "true"


def test_after_the_window_a_key_creates_again(tmp_path: Path, clip: Path) -> None:
    settings = Settings(tmp_path, idempotency_window=0.2)
    with running(settings) as base_url, Api(base_url) as api:
        speech = {"filename": "a.png", "content_type": "image/png", "size_bytes": 5}
        ids = []
        for pause in (0, 0, 0.25):
            time.sleep(pause)
            ids.append(api.data("POST", "/v3/assets/direct-uploads", json=speech, headers=key("old"))["asset_id"])
        assert ids[0] == ids[1] != ids[2]
