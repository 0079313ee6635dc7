"""What leaves through the HTTP client and what its failures mean, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.wire import Peer, WireServer, answering, reply

from callsheet.core.operation import Connection
from callsheet.engine.bodies import CHUNK
from callsheet.engine.http import HttpClient, RequestTimeouts
from callsheet.engine.threads import DaemonPool
from callsheet.errors import (
    Ambiguous,
    CredentialsError,
    InvalidInput,
    NotSent,
    Rejected,
    Retryable,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Connect = Callable[..., HttpClient]

KEY = "sk-canary-1f2e3d"
QUICK = RequestTimeouts(connect=1.0, read=0.3, write=0.5, chunk=0.5, multipart=0.5)


@pytest.fixture
def connect() -> Iterator[Connect]:
    made: list[HttpClient] = []

    def build(url: str, **options: Any) -> HttpClient:
        connection = Connection(url, {"X-Api-Key": KEY}, frozenset({KEY}), "digest")
        client = HttpClient(connection, "acc", timeouts=options.pop("timeouts", QUICK), **options)
        made.append(client)
        return client

    yield build
    for client in made:
        client.close()


def ask(client: HttpClient, method: str = "GET", path: str = "/v3/videos", **options: Any) -> Any:
    return asyncio.run(client.request(method, path, **options))


# -- what is sent


def test_a_request_carries_the_key_the_agent_and_compact_json(connect: Connect) -> None:
    with WireServer([answering(reply(201, b'{"data": 1}', X_Request_Id="r1"))]) as server:
        client = connect(server.url, user_agent="callsheet/0.1")
        answer = ask(client, "post", "/v3/videos", json={"title": "Grüße", "n": 1.5}, headers={"Idempotency-Key": "k"})
        client.close()
    seen = server.requests[0]
    assert (answer.status, answer.ok, answer.json()) == (201, True, {"data": 1})
    assert answer.headers["x-request-id"] == "r1"
    assert (seen.method, seen.target) == ("POST", "/v3/videos")
    assert seen.body == '{"title":"Grüße","n":1.5}'.encode()
    assert seen.header("x-api-key") == KEY
    assert seen.header("user-agent") == "callsheet/0.1"
    assert seen.header("idempotency-key") == "k"
    assert seen.header("content-type") == "application/json"


def test_params_are_encoded_and_repeated(connect: Connect) -> None:
    with WireServer([answering(reply(), reply())]) as server:
        client = connect(server.url + "/api/")
        ask(client, path="/v3/videos", params={"ids": ["a", "b"], "title": "x & y/ü"})
        answer = ask(client, path="/v3/videos?limit=2", params={"token": "t"})
        client.close()
    assert server.requests[0].target == "/api/v3/videos?ids=a&ids=b&title=x+%26+y%2F%C3%BC"
    assert server.requests[1].target == "/api/v3/videos?limit=2&token=t"
    assert answer.url == f"{server.url}/api/v3/videos"  # without the query


def test_a_post_without_body_says_so(connect: Connect) -> None:
    with WireServer([answering(reply())]) as server:
        ask(connect(server.url), "POST")
    assert server.requests[0].header("content-length") == "0"


def test_the_caller_cannot_replace_the_key(connect: Connect) -> None:
    with WireServer([answering(reply())]) as server:
        ask(connect(server.url), headers={"x-API-key": "other"})
    assert [value for name, value in server.requests[0].headers if name.lower() == "x-api-key"] == [KEY]


def test_the_pace_is_kept_before_each_request(connect: Connect) -> None:
    waits: list[int] = []

    async def before() -> None:
        waits.append(len(server.requests))

    with WireServer([answering(reply(), reply())]) as server:
        client = connect(server.url, before_request=before)
        ask(client)
        ask(client)
        client.close()
    assert waits == [0, 1]


def test_connections_are_kept_and_cookies_are_not(connect: Connect) -> None:
    with WireServer([answering(reply(200, Set_Cookie="session=1"), reply())]) as server:
        client = connect(server.url)
        ask(client)
        ask(client)
        client.close()
    assert server.connections == 1
    assert "cookie" not in server.requests[1].names


def test_many_requests_at_once_wait_for_threads_and_not_for_the_pool(connect: Connect) -> None:
    async def all_of_them(client: HttpClient) -> list[int]:
        replies = await asyncio.gather(*(client.request("GET", f"/{n}") for n in range(40)))
        return [answer.status for answer in replies]

    def script(peer: Peer) -> None:
        while True:
            peer.request()
            peer.wait(0.02)
            peer.send(reply(200))

    with WireServer([script]) as server:
        client = connect(server.url, workers=4)
        assert asyncio.run(all_of_them(client)) == [200] * 40
        client.close()
    assert server.connections <= 4


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "@evil.example/",
        "v3/videos",
        "",
        "/a\\b",
        "/a b",
        "/a\r\nX: y",
        "/a#b",
        "/v3/videos/../users",
        "/v3/%2e%2e/users",
        "/v3/./x",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(connect: Connect, path: str) -> None:
    with WireServer([answering(reply())]) as server, pytest.raises(InvalidInput):
        ask(connect(server.url), path=path)
    assert server.requests == []


@pytest.mark.parametrize("headers", [{"X-Title": "a\r\nX-Evil: 1"}, {"X Title": "a"}, {"X-Title": "ü"}])
def test_an_illegal_header_is_refused_without_its_value(connect: Connect, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask(connect("http://127.0.0.1:1"), headers=headers)
    assert "Evil" not in str(caught.value)


def test_a_key_with_a_line_break_is_named_but_not_shown() -> None:
    with pytest.raises(CredentialsError) as caught:
        HttpClient(Connection("https://api.example", {"x-api-key": KEY + "\n"}, frozenset(), ""))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://a", "api.example", "https://", "https://u:p@a", "https://a?b", "http://a:99999"]
)
def test_a_wrong_base_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        HttpClient(Connection(url, {}, frozenset(), ""))


def test_json_and_file_exclude_each_other(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="either"):
        ask(connect("http://127.0.0.1:1"), "POST", json={}, file=("file", tmp_path, "video/mp4"))


# -- what comes back


@pytest.mark.parametrize("status", [301, 307, 401, 404, 429, 500, 503])
def test_any_status_is_a_reply_and_no_redirect_is_followed(connect: Connect, status: int) -> None:
    with WireServer([answering(reply())]) as other, WireServer([]) as server:
        server.scripts.append(answering(reply(status, b"<html>", Location=other.url + "/x")))
        answer = ask(connect(server.url), "POST", json={})
        assert (answer.status, answer.body) == (status, b"<html>")
        assert other.requests == []


def test_a_compressed_reply_is_understood_though_not_asked_for(connect: Connect) -> None:
    import gzip

    with WireServer([answering(reply(200, gzip.compress(b'{"a":1}'), Content_Encoding="gzip"))]) as server:
        assert ask(connect(server.url)).json() == {"a": 1}
    assert server.requests[0].header("accept-encoding") == "identity"


def test_a_chunked_reply_is_read_to_its_end(connect: Connect) -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"
    with WireServer([answering(data)]) as server:
        assert ask(connect(server.url)).json() == [1, 2]


def reset_at_once(peer: Peer) -> None:
    peer.request()
    peer.reset()


def hang_up(peer: Peer) -> None:
    peer.request()


def stay_silent(peer: Peer) -> None:
    peer.request()
    peer.wait(5)


def cut_the_body(peer: Peer) -> None:
    peer.request()
    peer.send(reply(200, b'{"data":', length=500))


def cut_the_chunks(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n")


def talk_nonsense(peer: Peer) -> None:
    peer.request()
    peer.send(b"220 mail.example ESMTP\r\n\r\n")


def drip_for_ever(peer: Peer) -> None:
    peer.request()
    peer.send(reply(200, length=1000))
    peer.drip(b" " * 1000, 1, 0.1)


def break_the_compression(peer: Peer) -> None:
    peer.request()
    peer.send(reply(200, b"no gzip", Content_Encoding="gzip"))


LOST = [
    reset_at_once,
    hang_up,
    stay_silent,
    cut_the_body,
    cut_the_chunks,
    talk_nonsense,
    drip_for_ever,
    break_the_compression,
]


@pytest.mark.parametrize("script", LOST, ids=lambda script: script.__name__)
def test_a_lost_answer_is_ambiguous_for_writes_and_repeatable_for_reads(connect: Connect, script: Any) -> None:
    with WireServer([script]) as server:
        client = connect(server.url)
        with pytest.raises(Ambiguous, match="POST /v3/videos: ") as write:
            ask(client, "POST", "/v3/videos?signature=hidden", json={"a": 1})
        with pytest.raises(Retryable, match="GET /v3/videos: ") as read:
            ask(client, "GET", "/v3/videos?signature=hidden")
    assert read.value.kind == "network"
    assert not isinstance(read.value, NotSent)
    assert "hidden" not in f"{write.value}{read.value}"
    assert len(server.requests) == 2  # nothing is repeated here


def test_an_endless_reply_is_cut_off(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not server.closing.is_set():
            peer.send(b" " * 65536)

    with WireServer([script]) as server:
        client = connect(server.url, timeouts=RequestTimeouts(read=10, write=10))
        with pytest.raises(Ambiguous, match="16 MB"):
            ask(client, "POST", json={})
        with pytest.raises(Rejected, match="16 MB"):
            ask(client)


def test_a_refused_connection_was_not_sent(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for method in ("GET", "POST"):
        with pytest.raises(NotSent, match=f"{method} /v3/videos: connection refused"):
            ask(connect(f"http://127.0.0.1:{port}"), method)


def test_an_unknown_name_was_not_sent(connect: Connect) -> None:
    with pytest.raises(NotSent, match="cannot be resolved"):
        ask(connect("http://nowhere.invalid"), "POST", json={})


def test_failed_tls_was_not_sent(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with WireServer([script]) as server, pytest.raises(NotSent, match=r"POST /v3/videos: .*(TLS|reset)"):
        ask(connect(server.url.replace("http", "https")), "POST", json={})


def test_a_silent_tls_handshake_was_not_sent(connect: Connect) -> None:
    with WireServer([lambda peer: peer.wait(5)]) as server:
        client = connect(server.url.replace("http", "https"), timeouts=RequestTimeouts(connect=0.2))
        with pytest.raises(NotSent, match=r"no connection within 0\.2 s"):
            ask(client, "POST", json={})


def test_cancelling_does_not_wait_for_the_server(connect: Connect) -> None:
    async def cancelled(client: HttpClient) -> float:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.request("GET", "/"), 0.1)
        return time.monotonic() - started

    with WireServer([stay_silent]) as server:
        client = connect(server.url, timeouts=RequestTimeouts())
        assert asyncio.run(cancelled(client)) < 1


def test_a_hanging_request_does_not_hold_up_the_exit(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from callsheet.core.operation import Connection\n"
        "from callsheet.engine.http import HttpClient\n"
        "client = HttpClient(Connection(sys.argv[1], {}, frozenset(), ''))\n"
        "async def main():\n"
        "    task = asyncio.create_task(client.request('GET', '/'))\n"
        "    await asyncio.wait({task}, timeout=0.3)\n"
        "asyncio.run(main())\n"
        "client.close()\n"
    )
    with WireServer([stay_silent]) as server:
        done = subprocess.run([sys.executable, "-c", code, server.url], timeout=4, check=False, capture_output=True)
        assert len(server.requests) == 1
    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_secret_is_logged(connect: Connect, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "a.mp4"
    file.write_bytes(b"film")
    with WireServer([answering(reply(200, Set_Cookie="hidden"), reply())]) as server:
        client = connect(server.url)
        ask(client, path="/v3/videos?token=hidden")
        asyncio.run(client.put_file(server.url + "/put?X-Amz-Signature=hidden", file, {}))
        client.close()
    assert "hidden" not in caplog.text
    assert KEY not in caplog.text


def test_a_pool_drops_what_has_not_begun_and_takes_no_more() -> None:
    pool, started, go = DaemonPool(1, "test"), threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        go.wait(5)
        return "done"

    running, waiting = pool.submit(work), pool.submit(work)
    assert started.wait(5)
    pool.shutdown()
    go.set()
    assert running.result(5) == "done"
    assert waiting.cancelled()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(work)


def test_a_pool_starts_no_more_threads_than_it_needs_and_passes_errors_on() -> None:
    pool = DaemonPool(8, "frugal")
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result(5)
        time.sleep(0.01)  # the thread says that it is idle after it has given the answer
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("frugal")]) == 1
    pool.shutdown()


# -- files


def film(folder: Path, size: int) -> Path:
    path = folder / 'fi"lm\nü.mp4'
    path.write_bytes(os.urandom(size))
    return path


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_a_multipart_upload_arrives_whole(connect: Connect, tmp_path: Path, size: int) -> None:
    path = film(tmp_path, size)
    with WireServer([answering(reply(200, b"{}"))]) as server:
        assert ask(connect(server.url), "POST", "/v3/assets", file=("file", path, "video/mp4")).ok
    seen = server.requests[0]
    kind, _, boundary = str(seen.header("content-type")).partition("; boundary=")
    head, _, rest = seen.body.partition(b"\r\n\r\n")
    assert kind == "multipart/form-data"
    assert head.decode().split("\r\n") == [
        f"--{boundary}",
        'Content-Disposition: form-data; name="file"; filename="fi%22lm%0Aü.mp4"',
        "Content-Type: video/mp4",
    ]
    assert rest == path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    assert seen.header("transfer-encoding") is None
    assert seen.header("x-api-key") == KEY


@pytest.mark.parametrize("size", [0, 5, 2 * CHUNK + 5])
def test_a_put_carries_exactly_the_given_headers(connect: Connect, tmp_path: Path, size: int) -> None:
    path = film(tmp_path, size)
    with WireServer([answering(reply(200, ETag='"e"'))]) as server:
        given = {"Content-Type": "video/mp4", "x-amz-checksum-sha256": "abc="}
        answer = asyncio.run(connect(server.url).put_file(server.url + "/b/k?sig=hidden", path, given))
    seen = server.requests[0]
    assert (answer.ok, answer.headers["etag"]) == (True, '"e"')
    assert "hidden" not in answer.url
    assert (seen.method, seen.target, seen.body) == ("PUT", "/b/k?sig=hidden", path.read_bytes())
    assert seen.names == {"host", "content-length", "content-type", "x-amz-checksum-sha256"}
    assert len(seen.headers) == 4


def test_a_put_may_be_told_its_length_but_not_a_wrong_one(connect: Connect, tmp_path: Path) -> None:
    path = film(tmp_path, 10)
    with WireServer([answering(reply(), reply())]) as server:
        client = connect(server.url)
        asyncio.run(client.put_file(server.url, path, {"Content-Length": "10"}))
        with pytest.raises(InvalidInput, match="has 10 bytes, but 11 were announced"):
            asyncio.run(client.put_file(server.url, path, {"Content-Length": "11"}))
        client.close()
    assert len(server.requests) == 1


def test_a_lost_answer_to_a_put_is_repeatable(connect: Connect, tmp_path: Path) -> None:
    with WireServer([hang_up]) as server, pytest.raises(Retryable) as caught:
        asyncio.run(connect(server.url).put_file(server.url + "/k?sig=hidden", film(tmp_path, 9), {}))
    assert "hidden" not in str(caught.value)


def test_an_upload_is_not_sent_in_the_clear(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="not https"):
        asyncio.run(connect("https://api.example").put_file("http://bucket.example/k", film(tmp_path, 9), {}))
    with pytest.raises(Rejected, match="not a valid"):
        asyncio.run(connect("https://api.example").put_file("https://[bucket/k", film(tmp_path, 9), {}))


def test_a_refusal_while_the_body_is_still_going_out_is_a_reply(connect: Connect, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        left = int(peer.request(body=False).header("content-length") or 0)
        peer.send(reply(413, b"too big", Connection="close"))
        while left > 0:  # or the system would answer the unread rest with a reset
            left -= len(peer.take(left))

    with WireServer([script]) as server:
        answer = ask(connect(server.url), "POST", file=("file", film(tmp_path, 500_000), "video/mp4"))
    assert (answer.status, answer.body) == (413, b"too big")


def test_a_server_that_stops_taking_data_is_noticed(connect: Connect, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.request(body=False)
        peer.wait(5)

    with WireServer([script]) as server, pytest.raises(Ambiguous, match=r"took no data for 0\.5 s"):
        ask(connect(server.url), "POST", file=("file", film(tmp_path, 30_000_000), "video/mp4"))


def test_a_slow_upload_that_moves_is_left_alone(connect: Connect, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        seen = peer.request(body=False)
        left = int(seen.header("content-length") or 0)
        while left > 0:
            peer.wait(0.001)
            left -= len(peer.take(left))
        peer.send(reply(200))

    path = film(tmp_path, 60_000_000)
    with WireServer([script]) as server:
        started = time.monotonic()
        answer = asyncio.run(connect(server.url).put_file(server.url, path, {}))
    assert answer.ok
    assert time.monotonic() - started > 2 * QUICK.chunk


@pytest.mark.parametrize("change", ["grown", "shrunk", "touched"])
def test_a_file_that_changes_while_it_is_sent_is_never_complete(connect: Connect, tmp_path: Path, change: str) -> None:
    path = film(tmp_path, 12_000_000)
    got: list[int] = []

    def script(peer: Peer) -> None:
        seen = peer.request(body=False)
        if change == "grown":
            with path.open("ab") as handle:
                handle.write(b"more")
        elif change == "shrunk":
            os.truncate(path, 9_000_000)
        else:
            os.utime(path, ns=(1, 1))
        total = 0
        try:
            while True:
                total += len(peer.take())
        except OSError:
            got.append(int(seen.header("content-length") or 0) - total)

    with WireServer([script]) as server, pytest.raises(InvalidInput, match="changed while it was being sent"):
        ask(connect(server.url), "POST", file=("file", path, "video/mp4"))
    assert got[0] > 0


def test_a_missing_file_is_an_input_problem(connect: Connect, tmp_path: Path) -> None:
    with WireServer([answering(reply())]) as server:
        with pytest.raises(InvalidInput, match="cannot read"):
            ask(connect(server.url), "POST", file=("file", tmp_path / "none.mp4", "video/mp4"))
        with pytest.raises(InvalidInput, match="cannot read"):
            asyncio.run(connect(server.url).put_file(server.url, tmp_path / "none.mp4", {}))
    assert server.requests == []


def test_a_cancelled_upload_stops_reading(connect: Connect, tmp_path: Path) -> None:
    done = threading.Event()

    def script(peer: Peer) -> None:
        peer.request(body=False)
        try:
            while True:
                peer.take()
                time.sleep(0.005)
        except OSError:
            done.set()

    async def cancelled(client: HttpClient, path: Path) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.put_file(server.url, path, {}), 0.2)

    with WireServer([script]) as server:
        client = connect(server.url)
        asyncio.run(cancelled(client, film(tmp_path, 40_000_000)))
        assert done.wait(3)
        assert client.account == "acc"
