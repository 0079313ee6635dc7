"""Turning accepted jobs into files, in a few threads of their own.

A job's files are made in a folder with another name and renamed as a whole, so a killed sandbox leaves either
nothing or everything; the next start renders what is missing.
"""

from __future__ import annotations

import logging
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import av

from . import jobs
from .errors import MediaError
from .recipes import RECIPES, ready_made

if TYPE_CHECKING:
    from pathlib import Path

    from .jobs import Job, Result
    from .settings import Settings
    from .store import Store

RESULTS = "results"
log = logging.getLogger(__name__)


class Renderer:
    """The threads that render."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._pool = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1), thread_name_prefix="sandbox-render")

    def resume(self) -> None:
        """Render what an earlier process left behind."""
        for job in jobs.unfinished(self._store):
            self.queue(job)

    def queue(self, job: Job) -> None:
        """Render a job soon."""
        self._pool.submit(self._render, job)

    def close(self) -> None:
        """Finish the renderings that have begun; the others wait for the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def make(self, identifier: str, kind: str, work: dict[str, object]) -> Result:
        """Render now, in this thread; raises MediaError."""
        place = self._settings.data / RESULTS / identifier
        unfinished = place.with_name(f"{identifier}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            result = self._recipe(kind, work, unfinished)
        except av.FFmpegError as error:
            raise MediaError(f"an input cannot be read or rendered: {error.strerror}") from error
        shutil.rmtree(place, ignore_errors=True)
        unfinished.rename(place)
        return result

    def _recipe(self, kind: str, work: dict[str, object], folder: Path) -> Result:
        if self._settings.media:
            return RECIPES[kind](work, self._settings.data, folder)
        return ready_made(kind, self._settings.data, folder)

    def _render(self, job: Job) -> None:
        try:
            jobs.finish(self._store, job.id, self.make(job.id, job.kind, job.work))
        except MediaError as error:
            jobs.fail(self._store, job.id, error.code, str(error))
        except Exception as error:
            log.exception("rendering %s failed", job.id)
            jobs.fail(self._store, job.id, "internal_error", f"the sandbox failed: {type(error).__name__}")
