"""The HTTP client that an operation gets as ``ctx.client``: one account at one provider."""

from __future__ import annotations

import asyncio
import json as jsonlib
import re
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

from ..core.operation import Reply
from ..errors import Ambiguous, CredentialsError, InvalidInput, NotSent, Rejected, Retryable, UsageError
from .addresses import split
from .bodies import FileBody, multipart
from .threads import DaemonPool
from .wire import Lost, Timeouts, TooLarge, Unsent, Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from ..core.operation import Connection

T = TypeVar("T")

#: The largest reply that is read, in bytes. Lists of a hundred jobs are far below; only a mistake is above.
MAX_REPLY = 16 * 1024 * 1024
#: Methods that change nothing at the provider, so a lost answer is only asked for again.
READS = frozenset({"GET", "HEAD"})

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*")  # visible ASCII; nothing that could end the header


@dataclass(frozen=True, slots=True)
class RequestTimeouts:
    """Seconds. Writes of HeyGen were seen to take 31 s (p99), so 120 cuts off none of them; reads stay below 2 s.

    ``chunk`` is for each piece of an upload, however long the whole takes; ``multipart`` for the answer after it.
    """

    connect: float = 10.0
    read: float = 30.0
    write: float = 120.0
    chunk: float = 60.0
    multipart: float = 120.0


class _Body(Protocol):
    """Makes a body in the thread that sends it, so that opening a file does not block the event loop."""

    def __call__(self, stop: threading.Event) -> tuple[FileBody, str]: ...


class HttpClient:
    """Implements `callsheet.core.operation.Client`.

    ``before_request`` is awaited before each request to the API, for its pace; uploads to presigned URLs do not count.
    ``account`` may be set later, when the provider has told it.
    """

    def __init__(
        self,
        connection: Connection,
        account: str = "",
        *,
        before_request: Callable[[], Awaitable[None]] | None = None,
        user_agent: str = "callsheet",
        timeouts: RequestTimeouts | None = None,
        workers: int = 32,
    ) -> None:
        self.account = account
        self._base = _base(connection.base_url)
        self._credentials = _credentials(connection.headers)
        self._before = before_request
        self._user_agent = user_agent
        self._timeouts = timeouts or RequestTimeouts()
        self._wire = Wire()
        self._pool = DaemonPool(workers, "callsheet-http")

    def pace(self, before_request: Callable[[], Awaitable[None]]) -> None:
        """Set what is awaited before each request, when the account and so its limits are known."""
        self._before = before_request

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        file: tuple[str, Path, str] | None = None,
    ) -> Reply:
        """See `Client.request`. A redirect is given back like any other answer: it is never followed.

        Raises `NotSent`, `Ambiguous` (`Retryable` for GET and HEAD, which are safe to repeat), `InvalidInput` for what
        cannot be sent: an absolute URL, an illegal header, a file that is missing or changes while it is sent.
        """
        if file is not None and json is not None:
            raise ValueError("a request carries either json or a file")
        method = method.upper()
        url = self._base + _checked_path(path) + _query(path, params)
        sent = self._headers(headers)
        body: bytes | _Body | None = None
        if json is not None:
            body = jsonlib.dumps(json, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
            sent["content-type"] = "application/json"
        elif file is not None:
            body = partial(multipart, *file)
        if self._before is not None:
            await self._before()
        stop = threading.Event()
        label = f"{method} {re.split('[?#]', path)[0]}"
        work = partial(self._exchange, method, url, sent, body, stop)
        return await self._in_thread(partial(_sorted, label, method in READS, work), stop)

    async def put_file(self, url: str, file: Path, headers: Mapping[str, str]) -> Reply:
        """See `Client.put_file`. Only Host and Content-Length are added: S3 signs the headers it was told of.

        Putting the same bytes twice is harmless (RFC 9110, 9.2.2), so a lost answer is `Retryable`, not `Ambiguous`.
        """
        parts = split(url)
        if parts.scheme not in {"https", urlsplit(self._base).scheme}:
            raise Rejected("the provider gave an upload URL that is not https")
        sent = _checked_headers(headers)
        stop = threading.Event()
        work = partial(self._put, url, file, sent, stop)
        return await self._in_thread(partial(_sorted, f"PUT {parts.hostname}{parts.path}", True, work), stop)

    async def _in_thread(self, work: Callable[[], T], stop: threading.Event) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except asyncio.CancelledError:
            stop.set()
            raise

    def close(self) -> None:
        """Close the connections; requests under way are left to their threads, which do not hold up the exit."""
        self._pool.shutdown()
        self._wire.close()

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = {"user-agent": self._user_agent, "accept": "application/json", "accept-encoding": "identity"}
        sent |= _checked_headers(headers or {})
        return sent | self._credentials

    def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes | _Body | None, stop: threading.Event
    ) -> Reply:
        limits = self._timeouts
        if body is None or isinstance(body, bytes):
            wait = limits.read if method in READS else limits.write
            return self._send(method, url, headers, body, Timeouts(limits.connect, limits.chunk, wait))
        stream, content_type = body(stop)
        with stream:
            headers = headers | {"content-type": content_type, "content-length": str(stream.length)}
            return self._send(method, url, headers, stream, Timeouts(limits.connect, limits.chunk, limits.multipart))

    def _put(self, url: str, file: Path, headers: dict[str, str], stop: threading.Event) -> Reply:
        limits = self._timeouts
        with FileBody(file, stop) as stream:
            if headers.get("content-length", str(stream.size)) != str(stream.size):
                raise InvalidInput(f'"{file}" has {stream.size} bytes, but {headers["content-length"]} were announced')
            headers = headers | {"content-length": str(stream.size)}
            return self._send("PUT", url, headers, stream, Timeouts(limits.connect, limits.chunk, limits.chunk))

    def _send(
        self, method: str, url: str, headers: dict[str, str], body: bytes | FileBody | None, timeouts: Timeouts
    ) -> Reply:
        with self._wire.open(method, url, headers, body, timeouts=timeouts) as reply:
            content = reply.read(MAX_REPLY, time.monotonic() + timeouts.receive)
            return Reply(reply.status, reply.headers, content, reply.url)


def _sorted(label: str, repeatable: bool, work: Callable[[], Reply]) -> Reply:
    """The wire's failures as what they mean for the task. ``label`` is method and path, never the query."""
    try:
        return work()
    except Unsent as problem:
        raise NotSent(f"{label}: {problem}") from None
    except Lost as problem:
        raise (Retryable if repeatable else Ambiguous)(f"{label}: {problem}") from None
    except TooLarge:
        raise (Rejected if repeatable else Ambiguous)(f"{label}: the answer is over {MAX_REPLY >> 20} MB") from None
    except ValueError:
        raise InvalidInput(f"{label}: cannot be written as an HTTP request") from None


def _base(url: str) -> str:
    """The base URL without its last slash; nothing but an http(s) origin and a path."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fine = False
    if not fine or re.search(r"[\s\\?#@]", url):
        raise UsageError("the provider's base URL is not of the form https://host[:port][/path]")
    return url.rstrip("/")


def _checked_path(path: str) -> str:
    """A path below the base URL. It may hold ids that came over the network, so it must not lead anywhere else.

    Because it begins with one slash and follows the base URL, the request goes to the connection's own origin: the
    credentials cannot reach another.
    """
    plain = re.split("[?#]", path)[0]
    if not path.startswith("/") or path.startswith("//") or re.search(r"[\x00-\x20\x7f\\#]", path):
        raise InvalidInput("a request's path must begin with one slash and stay below the provider's base URL")
    if any(re.sub("(?i)%2e", ".", part) in {".", ".."} for part in plain.split("/")):
        raise InvalidInput(f'the path "{plain}" must not contain "." or ".."')
    return path


def _query(path: str, params: Mapping[str, str | Sequence[str]] | None) -> str:
    """``params`` as a query; a sequence repeats its name."""
    if not params:
        return ""
    return ("&" if "?" in path else "?") + urlencode(params, doseq=True)


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidInput(f'the header "{name[:40]!a}" holds characters that HTTP does not allow')
    return {name.lower(): value for name, value in headers.items()}


def _credentials(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        return _checked_headers(headers)
    except InvalidInput:
        raise CredentialsError("the API key holds a line break or a character that no key has") from None
