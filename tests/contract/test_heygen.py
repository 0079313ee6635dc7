"""HeyGen's operations over real sockets: the engine's own client against a server that answers what the test says."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.scripted_api import CUT, Answer, ScriptedApi
from support.task_context import KEY, TAG, TaskContext

from callsheet.api import Ambiguous, InvalidInput, Media, NotReady, Rejected, Retryable, ServerError, Waiting
from callsheet.engine.http import HttpClient
from callsheet_heygen.catalog import operations
from callsheet_heygen.provider import HeyGen
from callsheet_heygen.upload import MULTIPART_LIMIT, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INIT = "/v3/assets/direct-uploads"
COMPLETE = "/v3/assets/asset_1/complete"
HEADERS = {"Content-Type": "video/mp4", "x-amz-checksum-sha256": "abc="}


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi().running() as server:
        yield server


@pytest.fixture
def ctx(api: ScriptedApi) -> Iterator[TaskContext]:
    client = HttpClient(HeyGen().connect({"api_base": api.base_url}, {"HEYGEN_API_KEY": "secret-key"}), "tester@host")
    yield TaskContext(client)
    client.close()


def operation(name: str) -> Any:
    return next(made for made in operations() if made.name == name)


def lipsync(ctx: TaskContext) -> Any:
    inputs = {"video": Media("video", asset="v1"), "audio": Media("audio", url="https://media.test/a.mp3")}
    return asyncio.run(operation("heygen/lipsync").start(inputs, ctx))


def data(**values: Any) -> Answer:
    return Answer(200, {"data": values})


# -- remote jobs


def test_a_lipsync_from_start_to_done(api, ctx):
    api.answer("POST", "/v3/lipsyncs", data(lipsync_id="l1"))
    done = data(id="l1", status="completed", video_url="https://cdn.test/v.mp4?sig=1", duration=4.0)
    api.answer("GET", "/v3/lipsyncs/l1", data(id="l1", status="pending"), Answer(502, raw=b"<html>"), done)
    waiting = lipsync(ctx)
    check = operation("heygen/lipsync").check
    assert asyncio.run(check(waiting.handle, ctx)) == Waiting(waiting.handle, "pending")
    with pytest.raises(ServerError):
        asyncio.run(check(waiting.handle, ctx))
    video = asyncio.run(check(waiting.handle, ctx)).outputs["video"]
    assert (video.fresh, video.url, video.duration) == ("https://cdn.test/v.mp4?sig=1", None, 4.0)
    create = api.asked[0]
    assert create.headers["x-api-key"] == "secret-key"
    assert create.headers["idempotency-key"] == KEY
    assert create.json == {
        "video": {"type": "asset_id", "asset_id": "v1"},
        "audio": {"type": "url", "url": "https://media.test/a.mp3"},
        "callback_id": TAG,
    }


def test_a_lost_answer_is_ambiguous_and_the_same_key_finds_the_job(api, ctx):
    api.answer(
        "POST", "/v3/lipsyncs", CUT, Answer(409, {"error": {"code": "request_in_progress"}}), data(lipsync_id="l1")
    )
    with pytest.raises(Ambiguous):
        lipsync(ctx)
    with pytest.raises(NotReady):
        lipsync(ctx)
    assert lipsync(ctx).handle["id"] == "l1"
    assert len({asked.headers["idempotency-key"] for asked in api.asked}) == 1
    assert len({asked.body for asked in api.asked}) == 1


def test_a_redirect_is_not_followed(api, ctx):
    api.answer("POST", "/v3/lipsyncs", Answer(307, {}, headers={"Location": "/elsewhere"}))
    with pytest.raises(Rejected, match="never followed"):
        lipsync(ctx)
    assert [asked.path for asked in api.asked] == ["/v3/lipsyncs"]


def test_a_poll_that_is_cut_off_is_retryable(api, ctx):
    api.answer("GET", "/v3/lipsyncs/l1", CUT)
    with pytest.raises(Retryable):
        asyncio.run(operation("heygen/lipsync").check({"id": "l1", "inputs": {}}, ctx))


def test_speech_without_an_answer_is_ambiguous(api, ctx):
    api.answer("POST", "/v3/voices/speech", CUT)
    with pytest.raises(Ambiguous):
        asyncio.run(operation("heygen/speech").start({"text": "Hello", "voice": "v1"}, ctx))
    assert "idempotency-key" not in api.asked[0].headers


def test_the_account_is_asked_for_once(api, ctx):
    api.answer("GET", "/v3/users/me", data(username="ann", email=None, first_name=None, last_name=None))
    assert asyncio.run(HeyGen().identify(ctx.client)) == "ann@127.0.0.1"


# -- uploads


@pytest.fixture
def upload() -> Upload:
    made = operation("heygen/upload")
    assert isinstance(made, Upload)
    return made


@pytest.fixture
def small(tmp_path: Path) -> Media:
    return media(tmp_path / "a.mp4", b"small film")


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Media:
    """A film that counts as large: the limit is made small instead."""
    monkeypatch.setattr("callsheet_heygen.upload.MULTIPART_LIMIT", 4)
    return media(tmp_path / "a.mp4", b"large film")


def media(file: Path, content: bytes, mime: str = "video/mp4") -> Media:
    file.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Media("video", path=str(file), sha256=digest, mime=mime, bytes=len(content), duration=2.0)


@pytest.fixture
def send(upload: Upload, ctx: TaskContext) -> Callable[[Media], Any]:
    return lambda file: asyncio.run(upload.run({"file": file}, ctx))["asset"]


def begin(api: ScriptedApi, number: int = 0, **more: Any) -> Answer:
    values = {
        "asset_id": "asset_1",
        "upload_url": f"{api.base_url}/store/{number}?X-Amz-Signature=s",
        "status": "pending_upload",
    }
    return data(**values, upload_headers=HEADERS, expires_in_seconds=600, max_bytes=1000, **more)


def stored(number: int = 0) -> str:
    return f"/store/{number}?X-Amz-Signature=s"


COMPLETED = data(
    asset_id="asset_1", url="https://cdn.test/a", mime_type="video/mp4", size_bytes=10, status="processing"
)


def test_a_small_file_goes_through_the_api(api, send, small):
    api.answer(
        "POST", "/v3/assets", data(asset_id="asset_9", url="https://cdn.test/a", mime_type="video/mp4", size_bytes=10)
    )
    found = send(small)
    assert (found.asset, found.account, found.path) == ("asset_9", "tester@host", None)
    assert (found.kind, found.duration, found.sha256, found.bytes) == ("video", 2.0, small.sha256, 10)
    (asked,) = api.asked
    assert asked.headers["idempotency-key"] == KEY
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"' in asked.body
    assert b'filename="a.mp4"' in asked.body
    assert b"Content-Type: video/mp4" in asked.body
    assert b"small film" in asked.body


def test_the_limit_is_32_megabytes_of_the_smaller_kind():
    assert MULTIPART_LIMIT == 32_000_000


def test_a_large_file_goes_to_the_store(api, send, large):
    api.answer("POST", INIT, begin(api))
    api.answer("PUT", stored(), Answer(200, raw=b""))
    api.answer("POST", COMPLETE, COMPLETED)
    assert send(large).asset == "asset_1"
    init, put, complete = api.asked
    assert init.json == {
        "filename": "a.mp4",
        "content_type": "video/mp4",
        "size_bytes": 10,
        "checksum_sha256": large.sha256,
    }
    assert init.headers["idempotency-key"] == KEY
    assert set(put.headers) == {"host", "content-length", "content-type", "x-amz-checksum-sha256"}
    assert put.headers["content-length"] == "10"
    assert put.body == b"large film"
    assert complete.json == {}


def test_a_put_that_fails_is_sent_again_to_the_same_address(api, send, large):
    api.answer("POST", INIT, begin(api))
    api.answer("PUT", stored(), Answer(503, raw=b"<Error/>"), CUT, Answer(200, raw=b""))
    api.answer("POST", COMPLETE, COMPLETED)
    with pytest.raises(ServerError):
        send(large)
    with pytest.raises(Retryable):
        send(large)
    assert send(large).asset == "asset_1"
    assert api.paths("PUT") == [stored()] * 3
    assert {asked.headers["idempotency-key"] for asked in api.asked if asked.path == INIT} == {KEY}


def test_an_address_that_ran_out_is_replaced_under_a_new_key(api, send, large):
    api.answer("POST", INIT, begin(api, 0), begin(api, 1))
    api.answer("PUT", stored(0), Answer(403, raw=b"<Error>expired</Error>"))
    api.answer("PUT", stored(1), Answer(200, raw=b""))
    api.answer("POST", COMPLETE, COMPLETED)
    assert send(large).asset == "asset_1"
    keys = [asked.headers["idempotency-key"] for asked in api.asked if asked.path == INIT]
    assert keys == [KEY, f"{KEY}-r1"]


def test_a_store_that_always_refuses_is_given_up(api, send, large):
    api.answer("POST", INIT, begin(api))
    api.answer("PUT", stored(), Answer(403, raw=b""))
    with pytest.raises(Rejected, match="storage refuses"):
        send(large)
    assert [a.headers["idempotency-key"][-3:] for a in api.asked if a.path == INIT] == ["b-1", "-r1", "-r2", "-r3"]


@pytest.mark.parametrize("code", ["conflict", "resource_not_ready", ""])
def test_a_file_that_is_not_visible_yet_is_not_sent_twice(api, send, large, code):
    early = Answer(409, {"error": {"code": code, "message": "not yet"}})
    api.answer("POST", INIT, begin(api))
    api.answer("PUT", stored(), Answer(200, raw=b""))
    api.answer("POST", COMPLETE, early, early, CUT, COMPLETED)
    for error in (NotReady, NotReady, Retryable):
        with pytest.raises(error):
            send(large)
    assert send(large).asset == "asset_1"
    assert len(api.paths("PUT")) == 1


def test_a_lost_memory_only_sends_the_bytes_again(api, ctx, large):
    """As after a crash: another process runs the same upload with the same key."""
    api.answer("POST", INIT, begin(api))
    api.answer("PUT", stored(), Answer(200, raw=b""))
    api.answer("POST", COMPLETE, CUT, COMPLETED)
    with pytest.raises(Retryable):
        asyncio.run(operation("heygen/upload").run({"file": large}, ctx))
    assert asyncio.run(operation("heygen/upload").run({"file": large}, ctx))["asset"].asset == "asset_1"
    assert {asked.headers["idempotency-key"] for asked in api.asked if asked.path == INIT} == {KEY}


def test_a_file_that_is_too_large_is_not_sent(api, send, large):
    small_store = begin(api)
    small_store.document["data"]["max_bytes"] = 5
    api.answer("POST", INIT, small_store)
    with pytest.raises(InvalidInput, match="10 bytes; HeyGen takes at most 5"):
        send(large)
    assert api.paths("PUT") == []


def test_bytes_that_differ_from_their_checksum_name_the_file(api, send, large):
    api.answer("POST", INIT, begin(api))
    api.answer("PUT", stored(), Answer(400, raw=b"<Error>BadDigest</Error>"))
    with pytest.raises(Rejected, match=r'HTTP 400 for "a\.mp4"'):
        send(large)


def test_a_file_that_changed_is_not_sent(api, send, small):
    from pathlib import Path

    Path(small.path).write_bytes(b"something else")
    with pytest.raises(InvalidInput, match="has changed since"):
        send(small)
    Path(small.path).unlink()
    with pytest.raises(InvalidInput, match="cannot read"):
        send(small)
    assert api.asked == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, raw=b"<html>"), ServerError),
        (Answer(200, {"data": {}}), ServerError),
        (Answer(200, {"error": {"code": "invalid_parameter", "message": "no"}}), Rejected),
        (Answer(400, {"error": {"code": "invalid_parameter", "message": "no"}}), InvalidInput),
        (Answer(402, {"error": {"code": "insufficient_credit", "message": "no"}}), Rejected),
        (Answer(503, raw=b"<html>"), ServerError),
        (CUT, Retryable),
    ],
)
def test_an_upload_that_is_refused(api, send, small, answer, error):
    api.answer("POST", "/v3/assets", answer)
    with pytest.raises(error):
        send(small)


@pytest.mark.parametrize(
    ("name", "mime", "wanted"),
    [
        ("a.mov", "video/quicktime", ('HeyGen does not take "video/quicktime"', "ffmpeg -i IN")),
        ("a.flac", "audio/flac", ('HeyGen does not take "audio/flac"', "convert it to MP3")),
        ("a.gif", "image/gif", ('HeyGen does not take "image/gif"', "PNG or JPEG")),
        ("a.zip", "application/zip", ('HeyGen does not take "application/zip"', "it takes jpeg, jpg, mp3")),
        ("a", None, ("HeyGen does not take files of an unknown type", "it takes")),
    ],
)
def test_files_of_other_types_are_problems(upload, tmp_path, name, mime, wanted):
    file = Media("file", path=str(tmp_path / name), mime=mime)
    (problem,) = upload.problems({"file": file})
    assert problem.path == ("file",)
    assert problem.message == wanted[0]
    assert wanted[1] in problem.hint


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("a.jpg", "image/jpg"),
        ("a.wav", "audio/x-wav"),
        ("a.mp3", "audio/mp3"),
        ("a.srt", "text/plain"),
        ("a.srt", "application/x-subrip"),
        ("a.pdf", "application/pdf"),
        ("a.MP4", None),
    ],
)
def test_files_under_other_names_of_the_types_are_fine(upload, tmp_path, name, mime):
    assert list(upload.problems({"file": Media("file", path=str(tmp_path / name), mime=mime)})) == []


def test_a_problem_that_nobody_looked_for_stops_the_upload(api, send, tmp_path):
    with pytest.raises(InvalidInput, match="HeyGen does not take"):
        send(media(tmp_path / "a.mov", b"x", "video/quicktime"))
    assert api.asked == []


def test_a_file_without_a_known_checksum_is_sent_without_one(api, send, large):
    api.answer("POST", INIT, begin(api))
    api.answer("PUT", stored(), Answer(200, raw=b""))
    api.answer(
        "POST", COMPLETE, Answer(400, {"error": {"code": "invalid_parameter", "message": "odd bytes"}}), COMPLETED
    )
    with pytest.raises(InvalidInput, match="odd bytes"):
        send(replace(large, sha256=None))
    assert "checksum_sha256" not in api.asked[0].json
    send(large)
    assert len(api.paths("PUT")) == 2  # what was refused is sent anew


def test_only_local_files_are_uploaded(upload):
    (problem,) = upload.problems({"file": Media("video", url="https://media.test/a.mp4")})
    assert problem.message == "only a local file can be uploaded"
    assert list(upload.problems({})) == []
    assert list(upload.problems({"file": Media("video", expected=(1, 2))})) == []


def test_the_asset_is_predicted_as_the_same_file(upload, tmp_path):
    file = media(tmp_path / "a.mp4", b"x")
    assert upload.predict({"file": file})["asset"].duration == 2.0
    assert upload.predict({}) == {}
