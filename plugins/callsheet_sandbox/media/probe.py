"""What a file is: by its first bytes for the type, by PyAV for length and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from ..errors import MediaError

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 4096
KINDS = {"video": "video", "audio": "audio", "image": "image", "text": "subtitle"}
ALIASES = {
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "image/jpg": "image/jpeg",
    "application/srt": "application/x-subrip",
    "text/srt": "application/x-subrip",
    "text/plain": "application/x-subrip",
    "application/x-zip-compressed": "application/zip",
}


def canonical(mime: str) -> str:
    """One name per type, without parameters."""
    bare = mime.split(";", maxsplit=1)[0].strip().lower()
    return ALIASES.get(bare, bare)


def kind_of(mime: str) -> str:
    """video, audio, image, subtitle or document."""
    return "subtitle" if mime == "application/x-subrip" else KINDS.get(mime.split("/", maxsplit=1)[0], "document")


def sniff(head: bytes) -> str | None:
    """The MIME type that the first bytes show; None if it is no type that the API takes."""
    if head[4:8] == b"ftyp":
        return _of_brand(head[8:12])
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    for mark, mime in (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"ID3", "audio/mpeg"),
    ):
        if head.startswith(mark):
            return mime
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # frame sync of layer III
        return "audio/mpeg"
    return "application/x-subrip" if b"-->" in head and b"\0" not in head else None


def _of_brand(brand: bytes) -> str:
    if brand.startswith(b"M4A"):
        return "audio/mp4"
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def video_seconds(path: Path) -> float:
    """Duration of the picture; MediaError if the file has none or cannot be read."""
    try:
        with av.open(str(path)) as source:
            if not source.streams.video:
                raise MediaError("the video input has no picture")
            track = source.streams.video[0]
            if track.duration is not None and track.time_base is not None:
                return float(track.duration * track.time_base)
            if source.duration is None:
                raise MediaError("the video input does not say how long it is")
            return source.duration / 1_000_000
    except av.FFmpegError:
        raise MediaError("the video input cannot be read: damaged or of another type than it says") from None


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height of the first picture in a file; None if there is none."""
    try:
        with av.open(str(path)) as source:
            track = source.streams.video[0]
            return track.width, track.height
    except (av.FFmpegError, IndexError):
        return None
