"""Request bodies read from disk while they are sent, in constant memory."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Self

from ..errors import InvalidInput
from .threads import Stopped

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

#: Bytes per read. More makes the socket layer copy what one `send` did not take; less costs calls (benchmarked).
CHUNK = 256 * 1024


class FileBody:
    """A file between ``head`` and ``tail``, as chunks of exactly ``length`` bytes together.

    The file is opened once and must not change: when its size or time of change moves while it is read, `InvalidInput`
    is raised before the last piece is given out, so the server never gets a complete body and stores nothing.
    """

    def __init__(self, file: Path, stop: threading.Event, *, head: bytes = b"", tail: bytes = b"") -> None:
        try:
            self._handle = file.open("rb", buffering=0)
        except OSError as error:
            raise InvalidInput(f'cannot read "{file}": {error.strerror}') from error
        self._file = file
        self._stop = stop
        self._head, self._tail = head, tail
        self._seen = os.fstat(self._handle.fileno())
        self.size = self._seen.st_size
        self.length = len(head) + self.size + len(tail)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.close()

    def __iter__(self) -> Iterator[bytes]:
        if self._head:
            yield self._head
        left = self.size
        while left > CHUNK:
            chunk = self._read(CHUNK)
            left -= len(chunk)
            yield chunk
        last = bytearray()
        while len(last) < left:
            last += self._read(left - len(last))
        self._check_unchanged()
        yield bytes(last) + self._tail

    def _read(self, count: int) -> bytes:
        if self._stop.is_set():
            raise Stopped
        try:
            chunk = self._handle.read(count)
        except OSError as error:
            raise InvalidInput(f'cannot read "{self._file}": {error.strerror}') from error
        if not chunk:
            raise self._changed()
        return chunk

    def _check_unchanged(self) -> None:
        now = os.fstat(self._handle.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._seen.st_size, self._seen.st_mtime_ns):
            raise self._changed()

    def _changed(self) -> InvalidInput:
        return InvalidInput(f'"{self._file}" changed while it was being sent', hint="run again when it is finished")


def multipart(field: str, file: Path, mime: str, stop: threading.Event) -> tuple[FileBody, str]:
    """A multipart/form-data body (RFC 7578) with one file, and its Content-Type."""
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{_quoted(field)}"; filename="{_quoted(file.name)}"\r\n'
        f"Content-Type: {mime}\r\n\r\n"
    )
    body = FileBody(
        file, stop, head=head.encode("utf-8", "surrogateescape"), tail=f"\r\n--{boundary}--\r\n".encode("ascii")
    )
    return body, f"multipart/form-data; boundary={boundary}"


def _quoted(text: str) -> str:
    # As browsers do: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
