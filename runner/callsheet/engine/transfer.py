"""Downloading results: any number of files at once, each in a worker thread."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from .addresses import Policy
from .download import Download, Downloaded, ExpiredUrl
from .threads import DaemonPool
from .wire import Timeouts, Wire

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.values import MediaKind
    from .download import Progress

__all__ = ["Downloaded", "Downloader", "ExpiredUrl"]


class Downloader:
    """Downloads any number of files at once; one target at a time is the caller's duty.

    ``resumes`` is how often one call goes on after a cut that brought something; then, and at once after a cut that
    brought nothing, `Retryable` hands the pace to the engine. ``interval`` is in seconds, between two progress reports.
    """

    def __init__(
        self,
        *,
        user_agent: str = "callsheet",
        timeouts: Timeouts | None = None,
        resumes: int = 20,
        interval: float = 0.25,
        workers: int = 8,
    ) -> None:
        self._user_agent = user_agent
        self._timeouts = timeouts or Timeouts()
        self._resumes = resumes
        self._interval = interval
        self._pool = DaemonPool(workers, "callsheet-download")
        self._wires: dict[Policy, Wire] = {}

    async def download(
        self,
        url: str,
        target: Path,
        *,
        expected_size: int | None = None,
        kind: MediaKind | None = None,
        allow_http: bool = False,
        allow_private: bool = False,
        progress: Progress | None = None,
    ) -> Downloaded:
        """Put what ``url`` gives into the file ``target``, replacing one that is there.

        ``kind`` is what it should be: a web page or error text instead is refused with `NotReady`, because storage
        that answers so usually gives the file a little later. ``file`` takes anything. ``progress`` gets (bytes so
        far, bytes in all or None), in the event loop's thread. Credentials are never sent.

        Raises `ExpiredUrl` when the URL must be read again; other `Retryable` for what may work later, keeping the
        part for the next call; `Rejected` for what will not: a forbidden address, `LocalFileProblem`.
        """
        loop = asyncio.get_running_loop()
        policy = Policy(http=allow_http, private=allow_private)
        if policy not in self._wires:  # one each: a connection that one policy allowed must not serve another
            self._wires[policy] = Wire()
        stop = threading.Event()

        def report(done: int, total: int | None) -> None:
            if progress is not None:
                with suppress(RuntimeError):  # the loop ended first
                    loop.call_soon_threadsafe(progress, done, total)

        work = Download(self._wires[policy], self._timeouts, policy, url, self._user_agent, kind, expected_size, stop)
        pace = _Pace(report, self._interval)
        try:
            return await loop.run_in_executor(self._pool, partial(work.run, target, self._resumes, pace))
        except asyncio.CancelledError:
            stop.set()
            raise

    def close(self) -> None:
        """Close the connections. Downloads under way stop with the process and are resumed by the next."""
        self._pool.shutdown()
        for wire in self._wires.values():
            wire.close()


class _Pace:
    """Lets a report through now and then."""

    def __init__(self, report: Progress, interval: float) -> None:
        self._report = report
        self._interval = interval
        self._next = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now >= self._next or done == total:
            self._next = now + self._interval
            self._report(done, total)
