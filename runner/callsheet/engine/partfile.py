"""A file that is not complete yet: ``<target>.part``, and beside it what is needed to go on after a crash.

The note ``<target>.part.json`` holds the sender's strong ETag and the whole size. With it the next attempt, in this
process or a later one, asks for the rest of exactly the same content; without one it starts over.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from contextlib import contextmanager, suppress
from io import FileIO
from typing import TYPE_CHECKING, Any, Self

from ..errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # a symbolic link of that name could lead anywhere
_READ = 1024 * 1024


class LocalFileProblem(Rejected):
    """The file cannot be written here: the disk is full, or the folder forbids it."""

    kind = "local_file"


class PartFile:
    """The growing file, its digest, and its note. Every OSError becomes `LocalFileProblem` and removes the part.

    ``size`` is what there is, in bytes; ``total`` what there will be, None when the sender did not say; ``etag`` what
    the rest may be asked for with, None when it may not.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self.size = 0
        self.total: int | None = None
        self.etag: str | None = None
        self._digest = hashlib.sha256()
        with self._guarded():
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            mode = "r+" if self._path.exists() else "w+"
            self._handle = FileIO(str(self._path), mode, opener=_open)
            self._resume()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Keep what the next attempt can go on with, and nothing else."""
        self._handle.close()
        if not (self.etag and self.total and self.size):
            self.discard()

    def restart(self, etag: str | None = None, total: int | None = None) -> None:
        """Begin again with nothing; what arrives will be the content that ``etag`` names."""
        with self._guarded():
            self._note.unlink(missing_ok=True)  # before the content changes, or it would describe another one
            self._handle.seek(0)
            self._handle.truncate()
            self.size, self.etag, self.total = 0, etag, total
            self._digest = hashlib.sha256()
            if etag and total:
                _write_whole(self._note, json.dumps({"etag": etag, "total": total}))

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._digest.update(chunk)
        with self._guarded():
            rest = memoryview(chunk)
            while rest:  # an unbuffered write may take less than all, when the disk is nearly full for example
                rest = rest[self._handle.write(rest) :]
        self.size += len(chunk)

    def head(self, count: int) -> bytes:
        """The first bytes."""
        with self._guarded():
            self._handle.seek(0)
            start = self._handle.read(count)
            self._handle.seek(self.size)
        return start

    def finish(self) -> tuple[str, int]:
        """Give the file its final name, durably. Returns (sha256, time of change in ns)."""
        with self._guarded():
            os.fsync(self._handle.fileno())
            changed = os.fstat(self._handle.fileno()).st_mtime_ns
            self._handle.close()
            self._path.replace(self._target)
            self._note.unlink(missing_ok=True)
            _sync_folder(self._target.parent)
        return self._digest.hexdigest(), changed

    def discard(self) -> None:
        """Remove the part and its note."""
        handle = getattr(self, "_handle", None)
        if handle is not None:
            handle.close()
        for path in (self._note, self._path):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _resume(self) -> None:
        """Take over what an earlier attempt left: hash it and stand at its end."""
        note = self._read_note()
        size = os.fstat(self._handle.fileno()).st_size
        if not note or not 0 < size <= note["total"]:
            self.restart()
            return
        # If all is there, the last byte is asked for again: only the sender can say that the content is still this one.
        keep = min(size, note["total"] - 1)
        self._handle.truncate(keep)
        while chunk := self._handle.read(_READ):
            self._digest.update(chunk)
        self.size, self.etag, self.total = keep, note["etag"], note["total"]

    def _read_note(self) -> dict[str, Any] | None:
        try:
            note = json.loads(self._note.read_bytes())
            return note if isinstance(note["etag"], str) and isinstance(note["total"], int) else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            raise LocalFileProblem(
                f'cannot write "{self._target}": {(error.strerror or "unknown reason").lower()}',
                hint="free some space or choose another target, then run again",
            ) from error


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | _NO_FOLLOW, 0o666)


def _write_whole(path: Path, text: str) -> None:
    aside = path.with_name(path.name + "~")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; Windows has no such call and does not need it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
