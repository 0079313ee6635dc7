"""One download, blocking: redirects, what the answer means, resuming, and the checks before the final name."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urljoin, urlsplit

from ..core.retry_after import http_date, parse_retry_after
from ..errors import NotReady, NotSent, RateLimited, Rejected, Retryable, ServerError
from ..media import HEAD, sniff
from .addresses import label, split
from .partfile import PartFile
from .threads import Stopped
from .wire import Lost, Unsent

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from ..core.values import MediaKind
    from .addresses import Policy
    from .wire import Exchange, Timeouts, Wire

#: Gets the bytes so far, and the bytes in all where the server says it.
Progress = Callable[[int, int | None], None]

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: How an expired or revoked presigned URL answers. S3 says 403 and, for expired session tokens, 400
#: (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html); CDNs also 401, 404 and 410.
EXPIRED = frozenset({400, 401, 403, 404, 410})
#: Text where a film should be: a gateway's or storage's message with status 200.
PAGES = frozenset({"text/html", "application/xml", "application/json"})

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)


class ExpiredUrl(Retryable):
    """The URL does not work any more; ask the provider for a fresh one."""

    kind = "not_ready"


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What now lies at the target: its digest, size in bytes, time of change, and MIME type by content if known."""

    sha256: str
    size: int
    mtime_ns: int
    mime: str | None


class _Partial(Lost):
    """An answer that was whole, but not the whole rest of the file."""


class _Changed(Exception):
    """The part on disk is of another content than the URL's."""


@dataclass(slots=True)
class Download:
    """One download. ``expected`` is in bytes; ``stop`` ends it between two pieces."""

    wire: Wire
    timeouts: Timeouts
    policy: Policy
    url: str
    user_agent: str
    kind: MediaKind | None
    expected: int | None
    stop: threading.Event

    @property
    def name(self) -> str:
        """For messages."""
        return f"download of {label(self.url)}"

    def run(self, target: Path, resumes: int, report: Progress) -> Downloaded:
        """Put the file in place. See `Downloader.download` for what it raises."""
        split(self.url)
        with PartFile(target) as part:
            try:
                self._fill(part, resumes, report)
                mime = sniff(part.head(HEAD))
                size = part.size
                digest, changed = part.finish()
            except Rejected:
                part.discard()
                raise
            except ValueError:
                raise Rejected(f"{self.name}: the URL cannot be written as an HTTP request") from None
        return Downloaded(digest, size, changed, mime)

    def _fill(self, part: PartFile, resumes: int, report: Progress) -> None:
        kept = False  # whether the connection of the answer before was kept: it may have been closed meanwhile
        for _ in range(resumes + 1):
            before = part.size
            try:
                self._attempt(part, report)
                return
            except _Changed:
                if not before:
                    raise Retryable(f"{self.name}: the server sends another part than was asked for") from None
                part.restart()
            except Lost as cut:
                # Without an ETag there is no way to ask for the rest of the same content.
                if part.etag is None or (part.size <= before and not kept):
                    raise Retryable(f"{self.name}: {cut}") from None
                kept = isinstance(cut, _Partial)
            except Unsent as problem:
                raise NotSent(f"{self.name}: {problem}") from None
        raise Retryable(f"{self.name}: cut {resumes + 1} times; it goes on from {part.size} bytes")

    def _attempt(self, part: PartFile, report: Progress) -> None:
        headers = {"user-agent": self.user_agent, "accept": "*/*", "accept-encoding": "identity"}
        if part.size and part.etag:
            headers |= {"range": f"bytes={part.size}-", "if-range": part.etag}
        with self._reply(headers) as reply:
            self._receive(reply, part, report)
        if part.total is not None and part.size < part.total:
            raise _Partial("the connection closed before the file was complete")
        self._check_size(part, part.size, part.total or part.size)

    def _receive(self, reply: Exchange, part: PartFile, report: Progress) -> None:
        chunks = reply.raw()
        if reply.status == 206:
            _check_range(reply, part)
        elif reply.status == 416 and part.size:
            raise _Changed
        elif reply.status == 200:
            chunks = self._from_start(reply, part, chunks)
        else:
            self._refuse(reply)
        for chunk in chunks:
            if self.stop.is_set():
                raise Stopped
            part.write(chunk)
            report(part.size, part.total)

    def _from_start(self, reply: Exchange, part: PartFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Prepare for the whole content: what is known about its end, and that its beginning is what was asked for."""
        encoding = reply.headers.get("content-encoding", "identity").lower()
        etag, length = _strong(reply.headers.get("etag")), reply.headers.get("content-length", "")
        total = int(length) if length.isdecimal() else None
        if encoding in {"gzip", "x-gzip"}:
            # Stored compressed, so sent so whatever we ask for. Ranges would count compressed bytes: no resuming.
            chunks, etag, total = _gunzip(chunks), None, None
        elif encoding != "identity":
            raise Rejected(f'{self.name}: the server sends it with the content encoding "{encoding[:20]}"')
        elif total is not None:
            self._check_size(part, total)
        elif "chunked" not in reply.headers.get("transfer-encoding", "") and self.expected is None:
            raise Rejected(f"{self.name}: the server tells neither its length nor its end, so a cut could not be seen")
        checked = self._checked(chunks)  # first, so that a gateway's page does not cost the part that is there
        part.restart(etag, total)
        return checked

    def _checked(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks, after a look at the first bytes."""
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= HEAD:
                break
        if not head:
            raise NotReady(f"{self.name}: the file is empty")
        mime = sniff(head[:HEAD])
        page = mime in PAGES or (mime == "text/plain" and self.kind in {"video", "audio", "image"})
        if page and self.kind != "file":
            raise NotReady(f"{self.name}: the answer is {mime}, not {_article(self.kind)}")
        return chain((head,), chunks)

    def _check_size(self, part: PartFile, size: int, announced: int | None = None) -> None:
        for expected in (self.expected, announced):
            if expected is not None and size != expected:
                part.restart()
                raise Retryable(f"{self.name}: has {size} bytes, {expected} were expected")

    @contextmanager
    def _reply(self, headers: dict[str, str]) -> Iterator[Exchange]:
        """The first answer that is no redirect. Each hop is checked like the first."""
        url = self.url
        for _ in range(MAX_REDIRECTS + 1):
            self.policy.check_url(url)
            with self.wire.open(
                "GET", url, headers, timeouts=self.timeouts, check_peer=self.policy.check_peer
            ) as reply:
                if reply.status not in REDIRECTS:
                    yield reply
                    return
                url = self._next(url, reply.headers.get("location", ""))
        raise Rejected(f"{self.name}: redirected more than {MAX_REDIRECTS} times")

    def _next(self, url: str, location: str) -> str:
        following = urljoin(url, location)
        parts = split(following)
        if not location or (urlsplit(url).scheme == "https" and parts.scheme != "https"):
            raise Rejected(f"{self.name}: redirected to a URL that is not https")
        # A user name in it would be sent as a password of ours.
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def _refuse(self, reply: Exchange) -> NoReturn:
        status = reply.status
        message = f"{self.name}: status {status}"
        # By the server's own clock, where it tells it: this machine's may be wrong.
        wait = parse_retry_after(reply.headers.get("retry-after"), http_date(reply.headers.get("date")) or time.time())
        if status in EXPIRED:
            raise ExpiredUrl(message)
        if status == 429:
            raise RateLimited(message, retry_after=wait)
        if status >= 500 or status == 408:
            raise ServerError(message, retry_after=wait)
        if status < 300:
            raise NotReady(f"{message}, not the file", retry_after=wait)
        raise Rejected(message)


def _check_range(reply: Exchange, part: PartFile) -> None:
    """The answer must be the rest of the content whose beginning is on disk, and nothing else."""
    given = _CONTENT_RANGE.fullmatch(reply.headers.get("content-range", ""))
    if not given or not part.size or "content-encoding" in reply.headers:
        raise _Changed
    start, _, total = (int(number) for number in given.groups())
    etag = reply.headers.get("etag")
    if start != part.size or total != part.total or (etag is not None and etag != part.etag):
        raise _Changed


def _strong(etag: str | None) -> str | None:
    """The ETag if it stands for exactly these bytes (RFC 9110, 13.1.5: If-Range takes no weak one)."""
    return etag if etag and re.fullmatch(r'"[\x21\x23-\x7e]*"', etag) else None


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress; `Lost` when the stream is damaged or ends before its own end mark."""
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        for chunk in chunks:
            yield stream.decompress(chunk)
    except zlib.error:
        raise Lost("its compressed content is damaged") from None
    if not stream.eof:
        raise Lost("its compressed content is cut")


def _article(kind: MediaKind | None) -> str:
    return {"audio": "audio", "image": "an image"}.get(kind or "", f"a {kind or 'media file'}")
