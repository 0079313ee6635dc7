"""What a local file is: size, digest, type by content, and what it plays.

The type is decided by content, never by name. The extra ``media`` adds rarer types (filetype) and duration and picture
size (pymediainfo); without it the types below are known, and the duration of WAV files.
"""

from __future__ import annotations

import hashlib
import re
import stat
import threading
import time
import wave
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from .core.values import Media

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from .core.values import MediaKind

    Facts = dict[str, Any]

HEAD = 8192  # bytes that are looked at to tell the type
#: Raise it when facts are found in another way, so that stored ones are found again.
FACTS_VERSION = 1
#: A file changed less than this many seconds ago may change again within one tick of the file system's clock and keep
#: size and time; its digest is not stored for later runs.
SETTLED = 2.0

_SUBTITLES = frozenset({"application/x-subrip", "application/ttml+xml", "text/vtt", "text/x-ssa"})
#: Fixed beginnings. They come before filetype's guess, so that answers are equal with and without it.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
#: Major brands of ISO media that are not a film in MP4.
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"mif1": "image/heic",
}
_SRT = re.compile(r"\s*\d+[ \t]*\r?\n\s*\d{1,2}:\d{2}:\d{2}[,.]\d{1,3}\s*-->")
_JSON = re.compile(r'\{\s*["}]|\[\s*(["{\[\]\d-]|true|false|null)')
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class MediaProblem(ValueError):
    """A file cannot be used as the media it should be; the text says why and follows the file's name: "is empty"."""


class Store(Protocol):
    """Keeps the facts of a file: a dict of JSON values that holds as long as size, time and inode stay."""

    def __call__(self, path: str, size: int, mtime_ns: int, inode: int, facts: Facts) -> None: ...


class Lookup(Protocol):
    """Gives the stored facts of a file, or None."""

    def __call__(self, path: str, size: int, mtime_ns: int, inode: int) -> Mapping[str, Any] | None: ...


class Prober:
    """Probes each file once per process and, with a store, once for all runs. Safe to use from several threads."""

    def __init__(self, lookup: Lookup | None = None, store: Store | None = None) -> None:
        self._lookup = lookup
        self._store = store
        self._known: dict[tuple[str, int, int, int], Mapping[str, Any]] = {}
        self._lock = threading.Lock()

    def probe(self, path: Path, kind: MediaKind | None = None) -> Media:
        """The file as media. ``kind`` is what it has to be; None takes what it is, and ``file`` takes anything.

        Raises `MediaProblem`. Reads the whole file the first time.
        """
        path = path.absolute()
        status = _status(path)
        identity = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
        with self._lock:
            facts = self._known.get(identity)
        if facts is None:
            facts = self._stored(identity) or self._found(path, identity)
            with self._lock:
                self._known[identity] = facts
        return _judged(path, status.st_size, facts, kind)

    def _stored(self, identity: tuple[str, int, int, int]) -> Mapping[str, Any] | None:
        facts = self._lookup(*identity) if self._lookup else None
        if not facts or facts.get("version") != FACTS_VERSION:
            return None
        # Found without the extra, which is there now: it knows more.
        return facts if facts.get("complete") or not _mediainfo() else None

    def _found(self, path: Path, identity: tuple[str, int, int, int]) -> Facts:
        facts = _facts(path)
        now = _status(path)
        if (now.st_size, now.st_mtime_ns, now.st_ino) != identity[1:]:
            raise MediaProblem("changed while it was being read")
        if self._store and time.time() - now.st_mtime > SETTLED:
            self._store(*identity, facts)
        return facts


def probe(path: Path, kind: MediaKind | None = None) -> Media:
    """See `Prober.probe`; remembers nothing."""
    return Prober().probe(path, kind)


def kind_of(mime: str | None) -> MediaKind:
    """The kind of media that a MIME type stands for; ``file`` for all that is none."""
    if mime in _SUBTITLES:
        return "subtitle"
    match (mime or "").partition("/")[0]:
        case "video":
            return "video"
        case "audio":
            return "audio"
        case "image":
            return "image"
    return "file"


def sniff(head: bytes) -> str | None:
    """The MIME type of content that begins like this; `HEAD` bytes are enough. None when nothing is known."""
    return _binary(head) or _guessed(head) or _text(head)


def _binary(head: bytes) -> str | None:
    for start, mime in _SIGNATURES:
        if head.startswith(start):
            return mime
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[4:8] in {b"moov", b"mdat", b"wide"}:
        return "video/quicktime"  # films older than the `ftyp` box
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    return _mpeg_audio(head)


def _mpeg_audio(head: bytes) -> str | None:
    """A frame header of MPEG layer III or of AAC in ADTS; strict, for UTF-16 text begins with 0xFF too."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if layer == 1 and version != 1 and 0 < bitrate < 15 and rate != 3:
        return "audio/mpeg"
    return "audio/aac" if head[1] & 0xF6 == 0xF0 else None


def _guessed(head: bytes) -> str | None:
    """What filetype says, when it is installed."""
    if _text(head):
        return None  # some of its signatures are two letters long
    try:
        import filetype
    except ImportError:
        return None
    mime = filetype.guess_mime(head)
    return str(mime) if mime else None


def _text(head: bytes) -> str | None:
    text = _decoded(head)
    if not text or _CONTROL.search(text):
        return None
    start = text.lstrip()[:512].lower()
    if text.startswith("WEBVTT"):
        return "text/vtt"
    if _SRT.match(text):
        return "application/x-subrip"
    if start.startswith("[script info]"):
        return "text/x-ssa"
    if start.startswith("<"):
        return _markup(start)
    return "application/json" if _JSON.match(start) else "text/plain"


def _decoded(head: bytes) -> str:
    """UTF-8 text, or nothing. A character cut at the end is fine."""
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return head[: error.start].decode("utf-8-sig") if error.start >= len(head) - 3 else ""


def _markup(start: str) -> str:
    if "<html" in start or start.startswith("<!doctype html"):
        return "text/html"
    if "<svg" in start:
        return "image/svg+xml"
    if "<tt" in start and "/ns/ttml" in start:
        return "application/ttml+xml"
    return "application/xml" if start.startswith("<?xml") or re.match(r"<[a-z][\w:.-]*[\s>/]", start) else "text/plain"


def _status(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise MediaProblem("does not exist") from None
    except OSError as error:
        raise MediaProblem(f"cannot be read: {(error.strerror or '').lower()}") from None
    except ValueError:
        raise MediaProblem("cannot be read: its name holds a zero byte") from None
    if stat.S_ISDIR(status.st_mode):
        raise MediaProblem("is a directory, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise MediaProblem("is not a regular file")
    if not status.st_size:
        raise MediaProblem("is empty")
    return status


def _facts(path: Path) -> Facts:
    """Everything that depends on the content only."""
    try:
        with path.open("rb") as handle:
            mime = sniff(handle.read(HEAD))
            handle.seek(0)
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise MediaProblem(f"cannot be read: {(error.strerror or '').lower()}") from None
    facts: Facts = {"version": FACTS_VERSION, "sha256": digest, "mime": mime, "complete": bool(_mediainfo())}
    if kind_of(mime) in {"video", "audio", "image"}:
        facts |= _played(path, str(mime)) if _mediainfo() else _wave(path, str(mime))
    return facts


@cache
def _mediainfo() -> Any:
    """The class of pymediainfo, or None when it or its library is not installed."""
    try:
        from pymediainfo import MediaInfo
    except ImportError:
        return None
    return MediaInfo if MediaInfo.can_parse() else None


def _played(path: Path, mime: str) -> Facts:
    try:
        info = _mediainfo().parse(str(path))
    except (OSError, RuntimeError, ValueError, SyntaxError):  # its XML could not be parsed: a SyntaxError
        return {"damaged": "cannot be analysed"}
    facts: Facts = {}
    general = next(iter(info.general_tracks), None)
    picture = next(iter([*info.video_tracks, *info.image_tracks]), None)
    if mime.startswith("video/") and info.audio_tracks and not info.video_tracks:
        facts["mime"] = "audio/" + mime.partition("/")[2]  # the container of a film, with sound only
    if kind_of(mime) != "image":
        facts["duration"] = _seconds(general and general.duration)
        if general is None or facts["duration"] is None:
            facts["damaged"] = "has no readable duration: it is cut or damaged"
        elif general.istruncated == "Yes":
            facts["damaged"] = "is cut: its end is missing"
    elif picture is None or not picture.width:
        facts["damaged"] = "has no readable picture: it is cut or damaged"
    if picture is not None:
        facts |= _picture(picture)
    return {name: value for name, value in facts.items() if value is not None}


def _picture(track: Any) -> Facts:
    width, height = _whole(track.width), _whole(track.height)
    if abs(_number(track.rotation) or 0) in {90, 270}:  # phones store upright films lying
        width, height = height, width
    return {"width": width, "height": height, "fps": _number(track.frame_rate)}


def _wave(path: Path, mime: str) -> Facts:
    """The duration of a plain WAV file by its header."""
    if mime != "audio/wav":
        return {}
    try:
        with wave.open(str(path), "rb") as sound:
            frames, rate, width = sound.getnframes(), sound.getframerate(), sound.getsampwidth() * sound.getnchannels()
    except (wave.Error, EOFError, OSError):
        return {}
    if frames * width > path.stat().st_size:
        # A header written before the sound was known says 2 or 4 GB; then nothing is known.
        return {} if frames * width >= 0x7FFF0000 else {"damaged": "is cut: its end is missing"}
    return {"duration": frames / rate} if frames and rate else {"damaged": "holds no sound"}


def _judged(path: Path, size: int, facts: Mapping[str, Any], kind: MediaKind | None) -> Media:
    mime = facts.get("mime")
    found = kind_of(mime)
    wanted = kind or found
    if wanted not in {found, "file"}:
        raise MediaProblem(f"is {_described(found, mime)}, not {_A[wanted]}")
    if kind != "file" and "damaged" in facts:
        raise MediaProblem(str(facts["damaged"]))
    known = {name: facts.get(name) for name in ("sha256", "duration", "width", "height", "fps")}
    return Media(kind=wanted, path=str(path), mime=mime, bytes=size, **known)


_A: dict[MediaKind, str] = {
    "video": "a video",
    "audio": "audio",
    "image": "an image",
    "subtitle": "a subtitle file",
    "file": "a file",
}


def _described(found: MediaKind, mime: str | None) -> str:
    if found == "file":
        return mime or "of an unknown type"
    return f"{_A[found]} ({mime})"


def _seconds(milliseconds: Any) -> float | None:
    number = _number(milliseconds)
    return number / 1000 if number else None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number else None
