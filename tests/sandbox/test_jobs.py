"""How jobs move, how many may be open, and how they are read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.client import Api, Settings, asset, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, clip: Path, voice: Path) -> Iterator[tuple[Api, dict[str, Any]]]:
    """A sandbox whose jobs take a second, three at once, with ready-made media; and a lipsync body for it."""
    settings = Settings(tmp_path_factory.mktemp("slow"), job_seconds=1.0, concurrency=3, media=False)
    with running(settings) as base_url, Api(base_url) as api:
        yield api, {"video": asset(api.upload(clip)), "audio": asset(api.upload(voice))}


def wait_until_idle(api: Api) -> None:
    while api.state()["open_jobs"]:
        time.sleep(0.02)


def test_a_job_is_pending_then_running_then_completed(slow: tuple[Api, dict[str, Any]]) -> None:
    api, body = slow
    wait_until_idle(api)
    start = time.monotonic()
    path = f"/v3/lipsyncs/{api.data('POST', '/v3/lipsyncs', json={**body, 'callback_id': 'mine'})['lipsync_id']}"
    seen: list[str] = []
    while "completed" not in seen:
        job = api.data("GET", path)
        if job["status"] not in seen:
            seen.append(job["status"])
        assert (job["video_url"] is None) == (job["status"] != "completed")
    assert seen == ["pending", "running", "completed"]
    assert 0.9 < time.monotonic() - start < 3
    assert job["callback_id"] == "mine"
    assert job["failure_message"] is None


def test_videos_have_their_own_words(slow: tuple[Api, dict[str, Any]]) -> None:
    api, _ = slow
    wait_until_idle(api)
    video = {"type": "avatar", "avatar_id": "sandbox-avatar-1", "script": "Hello and welcome."}
    identifier = api.data("POST", "/v3/videos", json=video)["video_id"]
    assert api.data("GET", f"/v3/videos/{identifier}")["status"] == "pending"
    time.sleep(0.2)
    assert api.data("GET", f"/v3/videos/{identifier}")["status"] == "processing"
    assert api.data("GET", "/v3/videos/statuses", params={"video_ids": identifier})[0]["status"] == "processing"
    assert api.finished(f"/v3/videos/{identifier}")["thumbnail_url"]


def test_more_open_jobs_than_the_limit_are_429(slow: tuple[Api, dict[str, Any]]) -> None:
    api, body = slow
    wait_until_idle(api)
    api.post("/_sandbox/reset")
    translation = {"video": body["video"], "output_languages": ["English", "German"]}
    api.data("POST", "/v3/video-translations", json=translation)
    assert api.post("/v3/video-translations", json=translation).status_code == 429
    api.data("POST", "/v3/lipsyncs", json=body)
    refused = api.post("/v3/lipsyncs", json=body, headers={"Idempotency-Key": "later"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) == 1
    time.sleep(1.05)
    api.data("POST", "/v3/lipsyncs", json=body, headers={"Idempotency-Key": "later"})
    state = api.state()
    assert (state["peak_open_jobs"], state["rate_limited"]) == (3, 2)
    assert state["creates"] == {"lipsyncs": 2, "video-translations": 2}
    assert state["requests"]["POST /v3/lipsyncs"] == 3


def test_a_request_that_can_never_fit_says_so(slow: tuple[Api, dict[str, Any]]) -> None:
    api, body = slow
    many = {"video": body["video"], "output_languages": ["English", "German", "French", "Italian"]}
    assert api.error("POST", "/v3/video-translations", json=many)[:2] == (400, "resource_limit_reached")


def test_a_title_can_ask_for_a_failure(slow: tuple[Api, dict[str, Any]]) -> None:
    api, body = slow
    wait_until_idle(api)
    identifier = api.data("POST", "/v3/lipsyncs", json={**body, "title": "demo [fail]"})["lipsync_id"]
    job = api.finished(f"/v3/lipsyncs/{identifier}")
    assert (job["status"], job["video_url"], job["duration"]) == ("failed", None, None)
    assert "[fail]" in job["failure_message"]
    status = api.data("GET", "/v3/lipsyncs/statuses", params={"lipsync_ids": f"{identifier},ls_none"})
    assert [entry["status"] for entry in status] == ["failed", "not_found"]
    assert status[0]["error"]["message"] == job["failure_message"]


def test_lists_go_page_by_page_newest_first(api: Api, clip_id: str, voice_id: str) -> None:
    body = {"video": asset(clip_id), "audio": asset(voice_id)}
    made = [
        api.data("POST", "/v3/lipsyncs", json={**body, "callback_id": f"c{number}"})["lipsync_id"]
        for number in range(5)
    ]
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while len(found) < 5:
        page = api.get("/v3/lipsyncs", params=query).json()
        assert 1 <= len(page["data"]) <= 2
        assert page["has_more"] == (page["next_token"] is not None)
        found += page["data"]
        query["token"] = page["next_token"]
    assert [job["id"] for job in found[:5]] == made[::-1]
    assert [job["callback_id"] for job in found[:5]] == ["c4", "c3", "c2", "c1", "c0"]
    for wrong in ({"limit": 0}, {"limit": 101}, {"limit": "x"}, {"token": "nonsense"}, {"page": 2}):
        assert api.error("GET", "/v3/lipsyncs", params=wrong) == (400, "invalid_parameter", next(iter(wrong)))


def test_videos_can_be_found_by_title(api: Api) -> None:
    video = {"type": "avatar", "avatar_id": "sandbox-avatar-3", "script": "Hello and welcome.", "resolution": "720p"}
    api.data("POST", "/v3/videos", json={**video, "title": "needle [cs-1]"})
    api.data("POST", "/v3/videos", json={**video, "title": "other"})
    assert [job["title"] for job in api.data("GET", "/v3/videos", params={"title": "[cs-1]"})] == ["needle [cs-1]"]


def test_jobs_can_be_renamed_and_deleted(api: Api, clip_id: str, voice_id: str) -> None:
    body = {"video": asset(clip_id), "audio": asset(voice_id)}
    path = f"/v3/lipsyncs/{api.data('POST', '/v3/lipsyncs', json=body)['lipsync_id']}"
    assert api.data("PATCH", path, json={"title": "new"})["title"] == "new"
    assert api.error("PATCH", path, json={"title": "new", "x": 1})[2] == "x"
    assert api.data("DELETE", path)["id"] in path
    assert api.error("GET", path)[:2] == (404, "lipsync_not_found")
    assert api.error("DELETE", path)[0] == 404


def test_statuses_need_ids(api: Api) -> None:
    assert api.error("GET", "/v3/lipsyncs/statuses")[2] == "lipsync_ids"
    many = ",".join(["x"] * 101)
    assert api.error("GET", "/v3/lipsyncs/statuses", params={"lipsync_ids": many})[2] == "lipsync_ids"
