"""A TCP server whose every byte a test decides: replies cut, slow, silent, reset, or not HTTP at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    Script = Callable[["Peer"], None]


@dataclass
class Seen:
    """A request as it arrived. ``headers`` keeps order and spelling; `header` finds one by any spelling."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)

    @property
    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.headers}


class Peer:
    """The server's end of one connection, for a script."""

    def __init__(self, sock: socket.socket, server: WireServer) -> None:
        self._sock = sock
        self._server = server
        self._rest = b""

    def request(self, *, body: bool = True) -> Seen:
        """Read one request, with its body unless told otherwise, and put it on the server's list."""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        seen = Seen(method, target, pairs)
        self._server.requests.append(seen)
        length = int(seen.header("content-length") or 0)
        while body and len(self._rest) < length:
            self._rest += self._receive()
        if body:
            seen.body, self._rest = self._rest[:length], self._rest[length:]
        return seen

    def take(self, most: int = 65536) -> bytes:
        """Some bytes of a body that `request` did not read. ConnectionError when the client is gone."""
        rest, self._rest = self._rest, b""
        return rest or self._receive(most)

    def _receive(self, most: int = 65536) -> bytes:
        data = self._sock.recv(min(most, 65536))
        if not data:
            raise ConnectionError("the client is gone")
        return data

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def wait(self, seconds: float) -> None:
        """Say nothing for a while, or until the server is closed."""
        self._server.closing.wait(seconds)

    def drip(self, data: bytes, piece: int, pause: float) -> None:
        """Send slowly."""
        for start in range(0, len(data), piece):
            self.send(data[start : start + piece])
            time.sleep(pause)

    def reset(self) -> None:
        """End with a TCP reset instead of a proper close."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


@dataclass
class WireServer:
    """Runs one script per connection, in order; the last one goes on serving. Use it as a context manager."""

    scripts: list[Script]
    requests: list[Seen] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        # Closing a socket does not wake its accept(); shutting it down does.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(5)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(script, sock), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, script: Script, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):  # a client that leaves in the middle is part of many scripts
            sock.settimeout(20)
            script(Peer(sock, self))


def reply(status: int = 200, body: bytes = b"", /, *, length: int | None = None, **headers: str) -> bytes:
    """A reply's bytes; ``length`` lies about the body. Underscores in header names become dashes."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answering(*replies: bytes) -> Script:
    """A script that gives these replies, one per request, then closes."""

    def script(peer: Peer) -> None:
        for data in replies:
            peer.request()
            peer.send(data)

    return script
