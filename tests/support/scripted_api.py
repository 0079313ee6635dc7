"""A small HTTP server on loopback whose answers a test writes down, and that remembers what it was asked.

Answers are kept per method and path; each is given once, the last one for ever. An answer may also be "cut": the
request is read, then the connection is dropped without a word.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CUT = "cut"


@dataclass
class Answer:
    """What to answer: a document as JSON, or ``raw`` bytes as they are."""

    status: int = 200
    document: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.document).encode()


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedApi:
    """The server: `answer` writes the script, `asked` is the record."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._script: dict[tuple[str, str], list[Answer | str]] = {}
        self._lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = api._take(self.command, self.path, dict(self.headers.items()), body)
                if not isinstance(answer, Answer):
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, method: str, path: str, *answers: Answer | str) -> None:
        """Script what a method and path (with its query) is answered, in order."""
        self._script[method, path] = list(answers)

    def paths(self, method: str) -> list[str]:
        """The paths asked with a method, in order."""
        return [asked.path for asked in self.asked if asked.method == method]

    def _take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer | str:
        with self._lock:
            lowered = {name.lower(): value for name, value in headers.items()}
            self.asked.append(Asked(method, path, lowered, body))
            waiting = self._script.get((method, path))
            if not waiting:
                return Answer(
                    500, {"error": {"code": "unscripted", "message": f"{method} {path} is not in the script"}}
                )
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    @contextmanager
    def running(self) -> Iterator[ScriptedApi]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
