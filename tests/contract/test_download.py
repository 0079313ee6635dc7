"""Downloads over real sockets: what comes under the final name, what is kept for the next attempt, what is refused."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from support.wire import Peer, WireServer, answering, reply

from callsheet.engine.addresses import Policy, is_public
from callsheet.engine.partfile import LocalFileProblem
from callsheet.engine.transfer import Downloaded, Downloader, ExpiredUrl
from callsheet.engine.wire import Timeouts, Wire
from callsheet.errors import NotReady, NotSent, RateLimited, Rejected, Retryable, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(range(256)) * 400
ETAG = '"e1"'


def get(url: str, target: Path, *, resumes: int = 20, receive: float = 0.4, **options: Any) -> Downloaded:
    downloader = Downloader(timeouts=Timeouts(1.0, receive, receive), resumes=resumes, interval=0.0)
    try:
        return asyncio.run(downloader.download(url, target, **{"allow_private": True, "kind": "video"} | options))
    finally:
        downloader.close()


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def ranged(content: bytes = FILM, *, cut: int = 0, etag: str | None = ETAG, **more: str) -> Callable[[Peer], None]:
    """A server that knows ranges like S3 does, and hangs up after ``cut`` bytes of each answer."""

    def script(peer: Peer) -> None:
        seen = peer.request()
        headers = more | ({"ETag": etag} if etag else {})
        asked = seen.header("range")
        start = 0
        if asked and seen.header("if-range") == etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        sent = body[:cut] if cut else body
        peer.send(reply(206 if start else 200, sent, length=len(body), **headers))

    return script


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out" / "film.mp4"


# -- what arrives


def test_a_file_arrives_with_its_facts(target: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    with WireServer([ranged()]) as server:
        found = get(server.url + "/a.mp4?sig=hidden", target, progress=lambda *step: steps.append(step))
    status = target.stat()
    assert target.read_bytes() == FILM
    assert found == Downloaded(hashlib.sha256(FILM).hexdigest(), len(FILM), status.st_mtime_ns, "video/mp4")
    assert left_over(target) == []
    assert steps[-1] == (len(FILM), len(FILM))
    seen = server.requests[0]
    assert seen.names == {"host", "user-agent", "accept", "accept-encoding"}
    assert seen.header("accept-encoding") == "identity"
    assert status.st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_old_file_is_replaced_only_by_a_whole_one(target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    with WireServer([ranged(cut=100, etag=None), ranged()]) as server:
        with pytest.raises(Retryable):
            get(server.url, target)
        assert target.read_bytes() == b"old"
        get(server.url, target)
    assert target.read_bytes() == FILM


def test_chunks_without_a_length_are_fine_when_they_end(target: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FILM), FILM)
    with WireServer([answering(head + whole), answering(head + whole[:-5])]) as server:
        assert get(server.url, target).size == len(FILM)
        target.unlink()
        with pytest.raises(Retryable, match="closed before"):
            get(server.url, target)
    assert not target.exists()
    assert left_over(target) == []


def test_a_body_that_only_a_hang_up_ends_is_refused_unless_its_size_is_known(target: Path) -> None:
    data = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + FILM
    with WireServer([answering(data)]) as server:
        with pytest.raises(Rejected, match="a cut could not be seen"):
            get(server.url, target)
        assert get(server.url, target, expected_size=len(FILM)).size == len(FILM)


def test_gzip_is_taken_off(target: Path) -> None:
    text = b"WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n" * 2000
    packed = gzip.compress(text)
    with WireServer([answering(reply(200, packed, Content_Encoding="gzip", ETag=ETAG))]) as server:
        found = get(server.url, target, kind="subtitle")
    assert target.read_bytes() == text
    assert (found.size, found.mime) == (len(text), "text/vtt")
    for broken in (packed[:-12], b"no gzip at all"):
        script = answering(reply(200, broken, Content_Encoding="gzip", ETag=ETAG))
        with WireServer([script]) as server, pytest.raises(Retryable, match="compressed content"):
            get(server.url, target, kind="subtitle")
    assert left_over(target) == []


def test_another_encoding_is_refused(target: Path) -> None:
    with (
        WireServer([answering(reply(200, FILM, Content_Encoding="br"))]) as server,
        pytest.raises(Rejected, match="br"),
    ):
        get(server.url, target)


def test_memory_does_not_grow_with_the_file(target: Path) -> None:
    size = 200 << 20
    piece = FILM[:32] + bytes(1 << 20)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(reply(200, piece, length=size))
        left = size - len(piece)
        while left > 0:
            peer.send(piece[: min(left, len(piece))])
            left -= len(piece)

    code = (
        "import asyncio, sys, pathlib, tracemalloc\n"
        "from callsheet.engine.transfer import Downloader\n"
        "tracemalloc.start()\n"
        "asyncio.run(Downloader().download(sys.argv[1], pathlib.Path(sys.argv[2]), allow_private=True))\n"
        "print(tracemalloc.get_traced_memory()[1])\n"
    )
    with WireServer([script]) as server:
        words = [sys.executable, "-c", code, server.url, str(target)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert target.stat().st_size == size
    assert int(done.stdout) < 10 << 20


# -- cuts


def test_a_cut_download_goes_on_where_it_stopped(target: Path) -> None:
    with WireServer([ranged(cut=30_000)]) as server:
        found = get(server.url, target)
    assert target.read_bytes() == FILM
    assert found.sha256 == hashlib.sha256(FILM).hexdigest()
    assert [seen.header("range") for seen in server.requests] == [
        None,
        "bytes=30000-",
        "bytes=60000-",
        "bytes=90000-",
    ]
    assert {seen.header("if-range") for seen in server.requests[1:]} == {ETAG}


def test_silence_in_the_middle_counts_as_a_cut(target: Path) -> None:
    def silent(peer: Peer) -> None:
        peer.request()
        peer.send(reply(200, FILM[:9000], length=len(FILM), ETag=ETAG))
        peer.wait(5)

    with WireServer([silent, ranged()]) as server:
        get(server.url, target)
    assert server.requests[1].header("range") == "bytes=9000-"
    assert target.read_bytes() == FILM


def test_a_cut_that_brings_nothing_is_left_to_the_engine_and_resumed_later(target: Path) -> None:
    def nothing(peer: Peer) -> None:
        peer.request()
        peer.reset()

    with WireServer([ranged(cut=50_000), nothing, ranged()]) as server:
        with pytest.raises(Retryable, match=r"download of http://127.0.0.1:[0-9]+/a.mp4: ") as caught:
            get(server.url + "/a.mp4?sig=hidden", target)
        assert "hidden" not in str(caught.value)
        assert not target.exists()
        assert left_over(target) == ["film.mp4.part", "film.mp4.part.json"]
        found = get(server.url + "/other-signature", target)
    assert server.requests[2].header("range") == "bytes=50000-"
    assert found.sha256 == hashlib.sha256(FILM).hexdigest()
    assert left_over(target) == []


def test_endless_cuts_end(target: Path) -> None:
    message = "cut 4 times; it goes on from 40000 bytes"
    with WireServer([ranged(cut=10_000)]) as server, pytest.raises(Retryable, match=message):
        get(server.url, target, resumes=3)
    assert len(server.requests) == 4


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_etag_nothing_is_kept(target: Path, etag: str | None) -> None:
    with WireServer([ranged(cut=50_000, etag=etag), ranged()]) as server:
        with pytest.raises(Retryable):
            get(server.url, target)
        assert left_over(target) == []
        get(server.url, target)
    assert server.requests[1].header("range") is None
    assert target.read_bytes() == FILM


def test_new_content_replaces_the_part(target: Path) -> None:
    other = FILM[:40] + b"another film" * 5000
    with WireServer([ranged(cut=50_000), ranged(other, etag='"e2"')]) as server:
        found = get(server.url, target)
    assert server.requests[1].header("range") == "bytes=50000-"
    assert target.read_bytes() == other
    assert found.sha256 == hashlib.sha256(other).hexdigest()


@pytest.mark.parametrize(
    "answer",
    [
        reply(206, FILM[10:], Content_Range=f"bytes 10-{len(FILM) - 1}/{len(FILM)}"),
        reply(206, FILM[50_000:], Content_Range=f"bytes 50000-{len(FILM) - 1}/{len(FILM) + 1}"),
        reply(206, FILM[50_000:], Content_Range=f"bytes 50000-{len(FILM) - 1}/{len(FILM)}", ETag='"e2"'),
        reply(206, FILM[50_000:]),
        reply(416, b"", Content_Range=f"bytes */{len(FILM)}"),
    ],
    ids=["wrong start", "wrong total", "wrong etag", "no range", "416"],
)
def test_a_wrong_part_is_never_appended(target: Path, answer: bytes) -> None:
    with WireServer([ranged(cut=50_000), answering(answer), ranged()]) as server:
        get(server.url, target)
    assert [seen.header("range") for seen in server.requests] == [None, "bytes=50000-", None]
    assert target.read_bytes() == FILM


def test_a_part_nobody_asked_for_is_refused_once(target: Path) -> None:
    data = reply(206, FILM, Content_Range=f"bytes 0-{len(FILM) - 1}/{len(FILM)}")
    with WireServer([answering(data)]) as server, pytest.raises(Retryable, match="another part"):
        get(server.url, target)
    assert len(server.requests) == 1


def test_a_server_may_give_less_than_the_rest(target: Path) -> None:
    part = reply(206, FILM[10_000:20_000], Content_Range=f"bytes 10000-19999/{len(FILM)}", ETag=ETAG)
    with WireServer([ranged(cut=10_000), answering(part), ranged()]) as server:
        get(server.url, target)
    assert server.requests[2].header("range") == "bytes=20000-"
    assert target.read_bytes() == FILM


def test_a_complete_part_is_confirmed_by_its_last_byte(target: Path) -> None:
    target.parent.mkdir()
    target.with_name("film.mp4.part").write_bytes(FILM)
    target.with_name("film.mp4.part.json").write_text(f'{{"etag": "\\"e1\\"", "total": {len(FILM)}}}')
    with WireServer([ranged()]) as server:
        found = get(server.url, target)
    assert server.requests[0].header("range") == f"bytes={len(FILM) - 1}-"
    assert found.sha256 == hashlib.sha256(FILM).hexdigest()


@pytest.mark.parametrize("note", ["", "[]", "{", '{"etag": 1, "total": 5}', '{"etag": "\\"e1\\"", "total": 3}'])
def test_a_damaged_note_means_starting_over(target: Path, note: str) -> None:
    target.parent.mkdir()
    target.with_name("film.mp4.part").write_bytes(b"xxxxx")
    target.with_name("film.mp4.part.json").write_text(note)
    with WireServer([ranged()]) as server:
        get(server.url, target)
    assert server.requests[0].header("range") is None
    assert target.read_bytes() == FILM
    assert left_over(target) == []


def test_a_killed_download_is_resumed_by_the_next_process(target: Path) -> None:
    def slow(peer: Peer) -> None:
        peer.request()
        peer.send(reply(200, FILM[:60_000], length=len(FILM), ETag=ETAG))
        peer.wait(10)

    code = (
        "import asyncio, sys, pathlib\n"
        "from callsheet.engine.transfer import Downloader\n"
        "asyncio.run(Downloader().download(sys.argv[1], pathlib.Path(sys.argv[2]), allow_private=True))\n"
    )
    part = target.with_name("film.mp4.part")
    with WireServer([slow, ranged()]) as server:
        with subprocess.Popen([sys.executable, "-c", code, server.url, str(target)]) as process:
            deadline = time.monotonic() + 10
            while not (part.exists() and part.stat().st_size == 60_000) and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        assert not target.exists()
        get(server.url, target)
    assert server.requests[1].header("range") == "bytes=60000-"
    assert target.read_bytes() == FILM


# -- what is not the file


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "text/html"),
        (b"\n <HTML><body>502 Bad Gateway", "text/html"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "application/xml"),
        (b'{"error": {"code": "not_found"}}', "application/json"),
        (b"upstream connect error", "text/plain"),
    ],
)
def test_a_page_in_place_of_a_film_is_refused(target: Path, body: bytes, what: str) -> None:
    with WireServer([answering(reply(200, body, Content_Type="video/mp4"))]) as server:
        with pytest.raises(NotReady, match=f"the answer is {what}, not a video"):
            get(server.url, target)
        assert left_over(target) == []
        assert get(server.url, target, kind="file").size == len(body)


def test_a_page_does_not_cost_the_part_that_is_there(target: Path) -> None:
    with WireServer([ranged(cut=50_000), answering(reply(200, b"<html>busy")), ranged()]) as server:
        with pytest.raises(NotReady):
            get(server.url, target)
        get(server.url, target)
    assert server.requests[2].header("range") == "bytes=50000-"


def test_text_is_fine_as_a_subtitle_and_an_svg_as_an_image(target: Path) -> None:
    with WireServer([answering(reply(200, b"some text")), answering(reply(200, b"<svg xmlns=''/>"))]) as server:
        get(server.url, target, kind="subtitle")
        assert get(server.url, target, kind="image").mime == "image/svg+xml"


def test_an_empty_file_is_not_ready(target: Path) -> None:
    with WireServer([answering(reply(200))]) as server, pytest.raises(NotReady, match="is empty"):
        get(server.url, target)


def test_another_size_than_expected_is_refused_before_it_is_read(target: Path) -> None:
    with WireServer([ranged()]) as server, pytest.raises(Retryable, match=f"has {len(FILM)} bytes, 5 were expected"):
        get(server.url, target, expected_size=5)
    assert left_over(target) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_url_that_no_longer_works_is_named(target: Path, status: int) -> None:
    script = answering(reply(status, b"<Error/>"))
    with WireServer([script]) as server, pytest.raises(ExpiredUrl, match=f"status {status}"):
        get(server.url, target)
    assert left_over(target) == []


def test_refusals_for_now_carry_their_wait(target: Path) -> None:
    now = time.time()
    date = {"Date": formatdate(now - 5000, usegmt=True), "Retry_After": formatdate(now - 4993, usegmt=True)}
    answers = [reply(429, Retry_After="7"), reply(503, **date), reply(500, Retry_After="soon"), reply(408), reply(204)]
    with WireServer([answering(answer) for answer in answers]) as server:
        with pytest.raises(RateLimited) as limited:
            get(server.url, target)
        with pytest.raises(ServerError) as busy:
            get(server.url, target)
        with pytest.raises(ServerError) as broken:
            get(server.url, target)
        with pytest.raises(ServerError):
            get(server.url, target)
        with pytest.raises(NotReady, match="status 204"):
            get(server.url, target)
    assert (limited.value.retry_after, busy.value.retry_after, broken.value.retry_after) == (7.0, 7.0, None)


@pytest.mark.parametrize("status", [304, 405, 416, 451])
def test_other_refusals_are_final(target: Path, status: int) -> None:
    with WireServer([answering(reply(status))]) as server, pytest.raises(Rejected, match=f"status {status}"):
        get(server.url, target)


def test_an_unreachable_server_was_not_asked(target: Path) -> None:
    with pytest.raises(NotSent, match="connection refused"):
        get("http://127.0.0.1:9/a.mp4", target)


# -- redirects and addresses


def test_redirects_are_followed_without_credentials(target: Path) -> None:
    with WireServer([ranged()]) as store, WireServer([]) as server:
        there = store.url.replace("//", "//user:word@") + "/b.mp4"
        server.scripts.append(answering(reply(302, Location="/next")))
        server.scripts.append(answering(reply(307, Location=there)))
        get(server.url.replace("//", "//me:pw@") + "/a.mp4", target)
    assert target.read_bytes() == FILM
    assert server.requests[0].header("authorization") is not None  # what stands in the user's own URL
    assert store.requests[0].target == "/b.mp4"
    assert "authorization" not in store.requests[0].names


def test_redirects_end(target: Path) -> None:
    script, message = answering(reply(302, Location="/again")), "redirected more than 5 times"
    with WireServer([script]) as server, pytest.raises(Rejected, match=message):
        get(server.url, target)
    assert len(server.requests) == 6


@pytest.mark.parametrize("location", ["", "ftp://a/b", "file:///etc/passwd", "http://[bad/"])
def test_redirects_lead_to_the_web_only(target: Path, location: str) -> None:
    with WireServer([answering(reply(302, Location=location))]) as server, pytest.raises(Rejected):
        get(server.url, target)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
    ],
)
def test_local_addresses_are_refused(target: Path, url: str) -> None:
    with WireServer([ranged()]) as server, pytest.raises(Rejected, match="private or local"):
        get(url.format(port=server.port), target, allow_private=False, allow_http=True)
    assert server.requests == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),  # NAT64 of a public address
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),  # a carrier's own network
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),  # 6to4 of 127.0.0.1
        ("nonsense", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_the_address_that_is_connected_to_decides_whatever_the_name_resolved_to_before() -> None:
    wire, policy = Wire(), Policy(http=True)
    with WireServer([ranged()]) as server, pytest.raises(Rejected, match="private or local"):
        wire.open(
            "GET", f"http://localhost:{server.port}/", {}, timeouts=Timeouts(), check_peer=policy.check_peer
        ).__enter__()
    wire.close()
    assert server.requests == []


def test_a_connection_that_one_download_was_allowed_does_not_serve_another(target: Path) -> None:
    async def both(url: str) -> None:
        downloader = Downloader()
        await downloader.download(url, target, allow_private=True)
        with pytest.raises(Rejected):
            await downloader.download(url, target, allow_http=True)
        downloader.close()

    with WireServer([answering(reply(200, FILM), reply(200, FILM))]) as server:
        asyncio.run(both(server.url))
    assert len(server.requests) == 1


def test_only_https_unless_allowed(target: Path) -> None:
    with pytest.raises(Rejected, match=r"http://media.example/a.mp4 is not https"):
        get("http://media.example/a.mp4?sig=hidden", target, allow_private=False)


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "/etc/passwd", "https://", "https://a b/", "http://a:99999/", "https://[x/"]
)
def test_what_is_no_url_is_refused(target: Path, url: str) -> None:
    with pytest.raises(Rejected, match="not a valid"):
        get(url, target)


# -- the disk


def test_a_full_disk_is_said_plainly_and_leaves_nothing(target: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))  # writing beyond fails as on a full disk
    try:
        message = r'cannot write ".*film.mp4": file too large'
        with WireServer([ranged()]) as server, pytest.raises(LocalFileProblem, match=message):
            get(server.url, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_over(target) == []


def test_a_target_that_cannot_be_a_file_is_said_before_anything_is_asked(target: Path) -> None:
    target.mkdir(parents=True)
    with WireServer([ranged()]) as server, pytest.raises(LocalFileProblem, match="is a directory"):
        get(server.url, target)
    assert server.requests == []


def test_a_planted_link_is_not_followed(target: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    target.parent.mkdir()
    target.with_name("film.mp4.part").symlink_to(victim)
    with WireServer([ranged()]) as server, pytest.raises(LocalFileProblem):
        get(server.url, target)
    assert victim.read_text() == "precious"


def test_cancelling_stops_soon_and_keeps_the_part(target: Path) -> None:
    def slow(peer: Peer) -> None:
        peer.request()
        peer.send(reply(200, length=len(FILM), ETag=ETAG))
        peer.drip(FILM, 10_000, 0.05)

    async def cancelled(url: str) -> None:
        downloader = Downloader()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(downloader.download(url, target, allow_private=True), 0.2)
        downloader.close()

    part = target.with_name("film.mp4.part")
    with WireServer([slow]) as server:
        asyncio.run(cancelled(server.url))
        time.sleep(0.2)
        size = part.stat().st_size
    assert 0 < size < len(FILM)
    assert part.stat().st_size == size


def test_nothing_secret_is_logged(target: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with WireServer([answering(reply(302, Location="/b?sig=hidden")), ranged()]) as server:
        get(server.url + "/a?sig=hidden", target)
    assert "hidden" not in caplog.text
