"""Running a sandbox: in a thread of this process, or in the foreground."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from .app import create_app
from .front import STATEMENT
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["Settings", "create_app", "running", "serve"]

HOST = "127.0.0.1"
START_SECONDS = 30.0
GRACE_SECONDS = 5  # for transfers that are under way when the sandbox stops


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """A sandbox in a daemon thread; yields its base URL, without a slash at the end.

    Raises callsheet.errors.UsageError if the port is taken or the data directory cannot be used.
    """
    listener = _listen(settings.port)
    try:
        server = _Server(_config(settings))
    except BaseException:
        listener.close()
        raise
    thread = threading.Thread(target=server.run, args=([listener],), name="callsheet-sandbox", daemon=True)
    thread.start()
    try:
        server.ready.wait(START_SECONDS)
        if not server.started:
            raise RuntimeError("the sandbox did not start; its log says why")
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """A sandbox in the foreground until SIGINT or SIGTERM; ``announce`` gets the lines to show at the start.

    Raises callsheet.errors.UsageError as ``running`` does.
    """
    listener = _listen(settings.port)
    with contextlib.closing(listener):
        server = _Server(_config(settings))
        announce(f"sandbox at {url_of(listener)} (API key '{settings.api_key}', data in {settings.data})")
        announce(STATEMENT)
        server.run([listener])


def url_of(listener: socket.socket) -> str:
    """The base URL of a listening socket."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    """A server that says when it is ready, and that ends on a signal without sending it to the process again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings),
        lifespan="on",
        log_config=None,  # the host program decides about logging
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _listen(port: int) -> socket.socket:
    """Bound and listening before the server starts, so the URL is known and nobody can take the port meanwhile."""
    from callsheet.errors import UsageError

    # The protocol is named because asyncio turns Nagle off only then; each answer would take 40 ms otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} on {HOST} is already in use; choose another one with --port") from error
        raise UsageError(f"the sandbox cannot listen on {HOST}:{port}: {error.strerror}") from error
    return listener
