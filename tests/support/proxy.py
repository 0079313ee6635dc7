"""A server between a client and a real one that passes everything on, but for what a test tells it to spoil."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    Match = tuple[str, str]  # a method, and what the path begins with

_HOP = {"connection", "content-length", "transfer-encoding"}


@dataclass
class Seen:
    """A request that came through."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Proxy:
    """Each list is of requests to come: a method and the beginning of a path, used up one by one.

    ``lose``: the request is passed on, its answer is not. ``hold``: the answer waits until `go_on` is set. ``slow``:
    the body's second half waits for that. ``refuse``: answered with 401, and not passed on.
    """

    upstream: str
    lose: list[Match] = field(default_factory=list)
    hold: list[Match] = field(default_factory=list)
    slow: list[Match] = field(default_factory=list)
    refuse: list[Match] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    #: Answers that were spoilt, or are being so.
    spoilt: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def of(self, method: str, path: str) -> list[Seen]:
        """The requests of a method whose path begins so."""
        return [seen for seen in self.seen if seen.method == method and seen.path.startswith(path)]

    def due(self, matches: list[Match], method: str, path: str) -> bool:
        """Whether a request is on the list, from which it is taken."""
        for match in matches:
            if match[0] == method and path.startswith(match[1]):
                matches.remove(match)
                self.spoilt.append(path)
                return True
        return False

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        """Serve until the block ends."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.go_on.set()
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            proxy.seen.append(Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if proxy.due(proxy.refuse, self.command, self.path):
                self._answer(401, [], b'{"error": {"code": "unauthorized", "message": "the key was revoked"}}')
                return
            lose = proxy.due(proxy.lose, self.command, self.path)
            hold = proxy.due(proxy.hold, self.command, self.path)
            slow = proxy.due(proxy.slow, self.command, self.path)
            connection = http.client.HTTPConnection(urlsplit(proxy.upstream).netloc, timeout=20)
            # The Host header is ours, so the addresses in answers lead here too.
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if hold:
                proxy.go_on.wait(20)
            if lose:
                self.close_connection = True
                return
            self._answer(answer.status, answer.getheaders(), content, slow=slow)

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, *, slow: bool = False) -> None:
            half = len(content) // 2 if slow else len(content)
            try:
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:half])
                self.wfile.flush()
                if slow:
                    proxy.go_on.wait(20)
                    self.wfile.write(content[half:])
            except OSError:
                self.close_connection = True  # the client is gone, which is what some tests are about

        do_GET = do_POST = do_PUT = _pass_on

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
