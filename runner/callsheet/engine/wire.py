"""One HTTP exchange, blocking. The only module that knows the HTTP library, so that it can be swapped.

httpx 0.28 is used synchronously from worker threads, HTTP/1.1: its async client takes 1.7 to 3 times the CPU for files,
and HTTP/2 twice (measured in `tests/benchmarks/transfer.py` and before). Requests are built by hand instead of by the
client, so that exactly the given headers leave plus Host and Content-Length: no cookies, no defaults.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: A connection that lay idle is used again for this long only. Gateways close idle ones after 60 s; a request written
#: into one that closes in that instant is lost, and nobody could say whether it arrived.
KEEP_ALIVE = 5.0


class Unsent(Exception):
    """No byte of the request left for the server. ``str()`` is the reason, free of secrets."""


class Lost(Exception):
    """The request may have arrived, but its answer did not. ``str()`` is the reason, free of secrets."""


class TooLarge(Exception):
    """The reply is larger than anybody wants to read."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, for each piece sent, and for each piece received (the wait for the answer included)."""

    connect: float = 10.0
    send: float = 60.0
    receive: float = 60.0


class Exchange:
    """A reply whose body is still on the wire. ``headers`` has lower-case names; ``url`` is without its query."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.url = str(response.url.copy_with(query=None, fragment=None, userinfo=b""))

    def raw(self) -> Iterator[bytes]:
        """The body's bytes as sent. Raises `Lost` when it is shorter than announced."""
        # Without a chunk size: re-cutting into larger chunks only copies.
        return self._response.iter_raw()

    def read(self, limit: int, deadline: float) -> bytes:
        """The whole body, decoded; at most ``limit`` bytes, until ``deadline`` (of `time.monotonic`)."""
        body = bytearray()
        for chunk in self._response.iter_bytes():
            body += chunk
            if len(body) > limit:
                raise TooLarge
            if time.monotonic() > deadline:
                raise Lost("its answer came too slowly")
        return bytes(body)


class Wire:
    """A pool of connections. Safe to use from many threads; nobody ever waits for a place in the pool."""

    def __init__(self) -> None:
        _quiet()
        self._client = httpx.Client(
            verify=_tls(),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE),
            follow_redirects=False,
        )

    @contextmanager
    def open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        *,
        timeouts: Timeouts,
        check_peer: Callable[[str], None] | None = None,
    ) -> Iterator[Exchange]:
        """Send one request and hold the reply open. A body that is not bytes needs its Content-Length in ``headers``.

        ``check_peer`` gets the address that was connected to, before a byte is sent, and raises to refuse it. Behind a
        proxy it is not asked: the address is the proxy's, and the proxy resolves names by its own rules.
        Raises `Unsent` and `Lost`; ValueError when the URL or a header cannot be written as HTTP.
        """
        request = _build(method, url, headers, body, timeouts=timeouts, check_peer=check_peer)
        with _translated(timeouts):
            response = self._client.send(request, stream=True)
            try:
                yield Exchange(response)
            finally:
                response.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()


def _build(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | Iterable[bytes] | None,
    *,
    timeouts: Timeouts,
    check_peer: Callable[[str], None] | None,
) -> httpx.Request:
    limits = httpx.Timeout(connect=timeouts.connect, write=timeouts.send, read=timeouts.receive, pool=None)
    extensions: dict[str, Any] = {"timeout": limits.as_dict()}
    try:
        request = httpx.Request(method, url, headers=dict(headers), content=body, extensions=extensions)
    except httpx.InvalidURL as error:
        # Its message may quote the URL, and that may be a presigned one.
        raise ValueError("not a valid URL") from error
    if check_peer is not None:
        request.extensions["trace"] = _PeerCheck(request.url.raw_host.decode("ascii"), check_peer)
    return request


class _PeerCheck:
    """Looks at a new connection between its making and its first byte; httpcore reports both steps."""

    def __init__(self, host: str, check: Callable[[str], None]) -> None:
        self._host = host
        self._check = check
        self._direct = False

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self._direct = info["host"] == self._host
        elif event == "connection.connect_tcp.complete" and self._direct:
            stream = info["return_value"]
            try:
                self._check(stream.get_extra_info("server_addr")[0])
            except BaseException:
                stream.close()  # httpcore does not know this stream yet and would leak it
                raise


@contextmanager
def _translated(timeouts: Timeouts) -> Iterator[None]:
    """The library's exceptions as ours. Their texts are dropped: some quote headers or bytes of the server."""
    try:
        yield
    except httpx.ConnectTimeout:
        raise Unsent(f"no connection within {timeouts.connect:g} s") from None
    except httpx.ConnectError as error:
        raise Unsent(_connect_reason(error)) from None
    except (httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        raise Unsent(f"no connection could be made ({type(error).__name__})") from None
    except httpx.WriteTimeout:
        raise Lost(f"took no data for {timeouts.send:g} s") from None
    except httpx.ReadTimeout:
        raise Lost(f"no answer within {timeouts.receive:g} s") from None
    except httpx.NetworkError:
        raise Lost("the connection broke") from None
    except httpx.RemoteProtocolError as error:
        raise Lost(_protocol_reason(str(error))) from None
    except httpx.DecodingError:
        raise Lost("its answer cannot be decoded") from None
    except httpx.TransportError as error:
        raise Lost(f"the exchange failed ({type(error).__name__})") from None


def _connect_reason(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    match cause:
        case socket.gaierror():
            return "its name cannot be resolved"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted: {cause.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {cause.reason or 'unknown reason'}"
        case OSError() if cause.strerror:
            return cause.strerror.lower()
    return "no connection could be made"


def _protocol_reason(text: str) -> str:
    # Two texts of httpcore and h11 that mean a cut connection; the others quote what the server sent.
    if text.startswith(("Server disconnected", "peer closed")):
        return "the connection closed before the answer was complete"
    return "its answer is not valid HTTP"


@cache
def _tls() -> ssl.SSLContext:
    """Loaded once: reading the certificates takes longer than everything else in a client's making."""
    return httpx.create_ssl_context()


def _quiet() -> None:
    # At INFO httpx logs whole URLs, presigned queries included; at DEBUG httpcore logs headers. We log for ourselves.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
