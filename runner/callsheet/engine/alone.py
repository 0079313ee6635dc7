"""Local work that only one process at a time may do: two would write the same file.

The lock is one byte of a file per key, so nothing litters, and it ends with its process, however that ends. Within a
process these locks do not hold; `Services.locks` does.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows: two runs at once may get in each other's way there
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from .clock import Clock
    from .stop import Stop

_WAIT = 0.05  # seconds between two attempts


class Alone:
    """The lock file, opened when it is first needed and closed with the run: closing it gives up every lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @asynccontextmanager
    async def hold(self, key: str, stop: Stop, clock: Clock) -> AsyncIterator[None]:
        """Wait until no other process holds the key, or until the run is stopped."""
        place = int(key[:15], 16)
        while not self._takes(place) and not stop.now:
            await stop.wait(_WAIT, clock)
        try:
            yield
        finally:
            if fcntl is not None and self._handle is not None:
                fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, place)

    def _takes(self, place: int) -> bool:
        """Whether the lock is ours now."""
        if fcntl is None:
            return True
        try:
            if self._handle is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:  # a folder that cannot be written: without a lock, as on Windows
            return True
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
        return True

    def close(self) -> None:
        """Give up everything."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None
