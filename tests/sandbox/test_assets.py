"""Uploads of both ways, and the storage behind them."""

from __future__ import annotations

import hashlib
import socket
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox.client import Api, Settings, asset, make_png, running

if TYPE_CHECKING:
    from pathlib import Path

PNG = make_png(16, 16)


def announce(api: Api, content: bytes, **more: Any) -> Any:
    body = {"filename": "a.png", "content_type": "image/png", "size_bytes": len(content), **more}
    return api.data("POST", "/v3/assets/direct-uploads", json=body)


def put(announced: Any, content: bytes, **headers: str) -> int:
    return httpx.put(
        announced["upload_url"], content=content, headers={**announced["upload_headers"], **headers}
    ).status_code


def test_multipart_upload_answers_what_it_found(api: Api, clip: Path) -> None:
    data = api.data("POST", "/v3/assets", files={"file": ("my clip.mp4", clip.read_bytes(), "text/plain")})
    assert (data["mime_type"], data["size_bytes"]) == ("video/mp4", clip.stat().st_size)
    assert httpx.get(data["url"]).content == clip.read_bytes()
    shown = api.data("GET", f"/v3/assets/{data['asset_id']}")
    assert (shown["type"], shown["name"], shown["url"]) == ("video", "my clip.mp4", data["url"])
    assert shown["owner"] == api.data("GET", "/v3/users/me")["username"]


def test_multipart_upload_refuses(api: Api) -> None:
    assert api.error("POST", "/v3/assets", files={"other": b"x"})[2] == "file"
    assert api.error("POST", "/v3/assets", data={"file": "text"}, files={"x": b""})[2] == "file"
    assert api.error("POST", "/v3/assets", files={"file": b"no known type"})[2] == "file"
    assert api.error("POST", "/v3/assets", files={"file": PNG}, data={"folder": "x"})[2] == "folder"
    assert api.error("POST", "/v3/assets", json={})[2] == "file"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert api.error("POST", "/v3/assets", content=b"--y\r\n" * 99, headers=headers)[0] == 400


def test_files_above_the_multipart_limit_are_413(tmp_path: Path) -> None:
    settings = Settings(tmp_path, max_multipart=100_000)
    with running(settings) as base_url, Api(base_url) as api:
        api.upload(PNG + bytes(100_000 - len(PNG)))
        for excess in (1, 10_000_000):
            content = PNG + bytes(100_000 - len(PNG) + excess)
            assert api.error("POST", "/v3/assets", files={"file": content})[:2] == (413, "file_too_large")
        announced = announce(api, content)
        assert put(announced, content) == 200
        identifier = api.data("POST", f"/v3/assets/{announced['asset_id']}/complete")["asset_id"]
        public = api.data("GET", f"/v3/assets/{identifier}")["url"]
        body = {"type": "image", "image": {"type": "url", "url": public}, "script": "Hello.", "voice_id": "sandbox-ben"}
        assert api.error("POST", "/v3/videos", json=body) == (400, "download_failed", "image.url")
        api.data("POST", "/v3/videos", json={**body, "image": asset(identifier)})
        assert list(tmp_path.glob("assets/*.part")) == []


def test_direct_upload_is_usable_once_completed(api: Api) -> None:
    digest = hashlib.sha256(PNG).hexdigest()
    announced = announce(api, PNG, checksum_sha256=digest)
    complete = f"/v3/assets/{announced['asset_id']}/complete"
    assert announced["status"] == "pending_upload"
    assert api.error("POST", complete, json={})[:2] == (409, "resource_not_ready")
    assert api.data("GET", f"/v3/assets/{announced['asset_id']}")["url"] is None
    assert put(announced, PNG) == 200
    body = {"type": "image", "image": asset(announced["asset_id"]), "script": "Hello.", "voice_id": "sandbox-ben"}
    assert api.error("POST", "/v3/videos", json=body)[:2] == (409, "resource_not_ready")
    first = api.data("POST", complete, json={"checksum_sha256": digest})
    assert first == api.data("POST", complete)
    assert (first["status"], first["mime_type"], first["size_bytes"]) == ("processing", "image/png", len(PNG))
    assert httpx.get(first["url"]).content == PNG
    assert put(announced, PNG) == 403
    assert api.error("POST", complete, json={"checksum_sha256": "0" * 64})[2] == "checksum_sha256"
    api.data("POST", "/v3/videos", json={**body, "resolution": "720p"})


def test_presigned_put_takes_exactly_what_was_signed(api: Api) -> None:
    before = api.state()["client_errors"].get("api_key_sent_to_storage", 0)
    announced = announce(api, PNG)
    assert put(announced, PNG, **{"X-Api-Key": "sandbox"}) == 403
    assert api.state()["client_errors"]["api_key_sent_to_storage"] == before + 1
    assert put(announced, PNG, **{"X-Extra": "1"}) == 403
    assert put(announced, PNG, **{"Content-Type": "image/jpeg"}) == 403
    assert put(announced, PNG[:-1]) == 403
    assert put(announced, PNG + b"x" * 3_000_000) == 403
    refused = httpx.put(announced["upload_url"] + "0", content=PNG, headers=announced["upload_headers"])
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/xml"
    assert (
        httpx.put(announced["upload_url"], content=iter([PNG]), headers=announced["upload_headers"]).status_code == 403
    )
    assert put(announced, PNG) == 200
    assert put(announced, PNG) == 200  # a client that lost the answer


def test_a_checksum_is_enforced(api: Api) -> None:
    announced = announce(api, PNG, checksum_sha256="0" * 64)
    assert put(announced, PNG) == 400
    assert api.error("POST", f"/v3/assets/{announced['asset_id']}/complete")[0] == 409


def test_the_declared_type_must_be_the_real_one(api: Api) -> None:
    announced = announce(api, PNG, content_type="video/mp4")
    assert put(announced, PNG) == 200
    refusal = api.error("POST", f"/v3/assets/{announced['asset_id']}/complete")
    assert refusal == (400, "invalid_parameter", "content_type")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"size_bytes": 0}, "size_bytes"),
        ({"size_bytes": 2**50}, "size_bytes"),
        ({"size_bytes": "5"}, "size_bytes"),
        ({"content_type": "text/html"}, "content_type"),
        ({"checksum_sha256": "abc"}, "checksum_sha256"),
        ({"folder_id": "x"}, "folder_id"),
    ],
)
def test_direct_uploads_refuse(api: Api, change: dict[str, Any], param: str) -> None:
    body = {"filename": "a.png", "content_type": "image/png", "size_bytes": 10, **change}
    assert api.error("POST", "/v3/assets/direct-uploads", json=body) == (400, "invalid_parameter", param)


def test_an_upload_that_breaks_off_leaves_nothing(api: Api, base_url: str) -> None:
    announced = announce(api, PNG)
    with socket.create_connection(("127.0.0.1", int(base_url.rsplit(":", 1)[1]))) as connection:
        path = announced["upload_url"].removeprefix(base_url)
        head = (
            f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: {len(PNG)}\r\n\r\n"
        )
        connection.sendall(head.encode() + PNG[:10])
    assert api.error("POST", f"/v3/assets/{announced['asset_id']}/complete")[0] == 409
    assert put(announced, PNG) == 200


def test_urls_expire(tmp_path: Path) -> None:
    with running(Settings(tmp_path, url_lifetime=0.3)) as base_url, Api(base_url) as api:
        announced = announce(api, PNG)
        spoken = api.data("POST", "/v3/voices/speech", json={"text": "hello", "voice_id": "sandbox-anna"})
        assert httpx.get(spoken["audio_url"]).status_code == 200
        time.sleep(0.35)
        expired = httpx.get(spoken["audio_url"])
        assert expired.status_code == 403
        assert "expired" in expired.text
        assert put(announced, PNG) == 403


def test_ranges_and_etags(api: Api, clip_id: str, clip: Path) -> None:
    address = api.data("GET", f"/v3/assets/{clip_id}")["url"]
    content = clip.read_bytes()
    whole = httpx.get(address)
    assert (whole.headers["content-length"], whole.headers["accept-ranges"]) == (str(len(content)), "bytes")
    part = httpx.get(address, headers={"Range": "bytes=100-", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, content[100:])
    changed = httpx.get(address, headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, content)
    assert httpx.get(address, headers={"Range": f"bytes={len(content)}-"}).status_code == 416


def test_a_deleted_asset_is_gone(api: Api, clip: Path) -> None:
    identifier = api.upload(clip)
    address = api.data("GET", f"/v3/assets/{identifier}")["url"]
    api.data("DELETE", f"/v3/assets/{identifier}")
    assert api.error("GET", f"/v3/assets/{identifier}")[:2] == (404, "asset_not_found")
    assert httpx.get(address).status_code == 404
