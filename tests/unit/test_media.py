"""Facts of real media files, made here with PyAV, and the problems of files that are not what they should be."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import subprocess
import sys
import threading
import wave
from typing import TYPE_CHECKING, Any

import av
import pytest

import callsheet.media
from callsheet.media import MediaProblem, Prober, kind_of, probe, sniff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from callsheet.core.values import MediaKind

SECONDS, RATE = 2, 8000


def encode(path: Path, *, video: str = "", audio: str = "", **options: Any) -> Path:
    """A film of 64×48 at 10 pictures a second, a sound, or both; two seconds long."""
    with av.open(str(path), "w", **options) as container:
        # Both streams first: the header is written with the first packet.
        film = container.add_stream(video, rate=10) if video else None
        sound = container.add_stream(audio, rate=RATE, layout="mono") if audio else None
        if film is not None:
            film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
            for _ in range(SECONDS * 10):
                container.mux(film.encode(av.VideoFrame(64, 48, "yuv420p")))
            container.mux(film.encode())
        if sound is not None:
            container.mux(sound.encode(silence()))
            container.mux(sound.encode())
    return path


def silence() -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=SECONDS * RATE)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = RATE
    return frame


def picture(path: Path, codec: str, pixels: str) -> Path:
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream(codec)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        container.mux(stream.encode(av.VideoFrame(64, 48, pixels)))
        container.mux(stream.encode())
    return path


def wav(path: Path) -> Path:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(bytes(2 * SECONDS * RATE))
    return path


SUBTITLES = "1\n00:00:00,000 --> 00:00:01,000\nhello\n"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("media")
    made = {
        "mp4": encode(folder / "a.mp4", video="mpeg4", audio="aac"),
        "mute.mp4": encode(folder / "mute.mp4", video="mpeg4"),
        "fragmented.mp4": encode(
            folder / "f.mp4", video="mpeg4", options={"movflags": "frag_keyframe+empty_moov"}, format="mp4"
        ),
        "mov": encode(folder / "a.mov", video="mpeg4"),
        "webm": encode(folder / "a.webm", video="libvpx"),
        "mkv": encode(folder / "a.mkv", video="mpeg4"),
        "sound.mp4": encode(folder / "sound.mp4", audio="aac"),
        "m4a": encode(folder / "a.m4a", audio="aac", format="ipod"),
        "mp3": encode(folder / "a.mp3", audio="libmp3lame"),
        "wav": wav(folder / "a.wav"),
        "png": picture(folder / "a.png", "png", "rgb24"),
        "jpg": picture(folder / "a.jpg", "mjpeg", "yuvj420p"),
    }
    texts = {
        "srt": SUBTITLES,
        "bom.srt": "\ufeff" + SUBTITLES.replace("\n", "\r\n"),
        "vtt": "WEBVTT\n\n" + SUBTITLES,
        "txt": "Grüße\n",
    }
    for name, text in texts.items():
        made[name] = folder / f"text.{name}"
        made[name].write_bytes(text.encode())
    made["pdf"] = folder / "a.pdf"
    made["pdf"].write_bytes(b"%PDF-1.7\n...")
    return made


@pytest.fixture(params=["with the extra", "without it"])
def extra(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Every fact that does not need the extra `media` must be the same without it."""
    if request.param == "without it":
        for name in ("filetype", "pymediainfo"):
            monkeypatch.setitem(sys.modules, name, None)
    callsheet.media._mediainfo.cache_clear()
    yield request.param == "with the extra"
    callsheet.media._mediainfo.cache_clear()


@pytest.mark.parametrize(
    ("name", "kind", "mime"),
    [
        ("mp4", "video", "video/mp4"),
        ("mute.mp4", "video", "video/mp4"),
        ("fragmented.mp4", "video", "video/mp4"),
        ("mov", "video", "video/quicktime"),
        ("webm", "video", "video/webm"),
        ("mkv", "video", "video/x-matroska"),
        ("m4a", "audio", "audio/mp4"),
        ("mp3", "audio", "audio/mpeg"),
        ("wav", "audio", "audio/wav"),
        ("png", "image", "image/png"),
        ("jpg", "image", "image/jpeg"),
        ("srt", "subtitle", "application/x-subrip"),
        ("bom.srt", "subtitle", "application/x-subrip"),
        ("vtt", "subtitle", "text/vtt"),
        ("txt", "file", "text/plain"),
        ("pdf", "file", "application/pdf"),
    ],
)
def test_the_content_decides(media: dict[str, Path], extra: bool, name: str, kind: MediaKind, mime: str) -> None:
    path = media[name]
    found = probe(path)
    content = path.read_bytes()
    assert (found.kind, found.mime) == (kind, mime)
    assert (found.path, found.bytes) == (str(path), len(content))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert probe(path, kind) == found
    assert probe(path, "file").kind == "file"
    if kind in {"video", "audio"} and extra:
        assert found.duration == pytest.approx(SECONDS, abs=0.2)
    if kind in {"video", "image"}:
        assert (found.width, found.height) == ((64, 48) if extra else (None, None))
    assert found.fps == (10.0 if kind == "video" and extra else None)


def test_a_wav_has_a_duration_without_the_extra(media: dict[str, Path], extra: bool) -> None:
    assert probe(media["wav"]).duration == SECONDS


def test_a_film_container_with_sound_only_is_audio(media: dict[str, Path]) -> None:
    found = probe(media["sound.mp4"], "audio")
    assert (found.kind, found.mime) == ("audio", "audio/mp4")
    with pytest.raises(MediaProblem, match="is audio"):
        probe(media["sound.mp4"], "video")


def test_an_upright_film_is_stored_lying(media: dict[str, Path], tmp_path: Path) -> None:
    content = bytearray(media["mute.mp4"].read_bytes())
    matrix = content.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2: the track header's transformation
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path = tmp_path / "phone.mp4"
    path.write_bytes(content)
    found = probe(path, "video")
    assert (found.width, found.height) == (48, 64)


def test_a_name_says_nothing(media: dict[str, Path], extra: bool, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(media["mp3"].read_bytes())
    with pytest.raises(MediaProblem, match=r"^is audio \(audio/mpeg\), not a video$"):
        probe(path, "video")


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("txt", "video", "is text/plain, not a video"),
        ("mp4", "audio", r"is a video \(video/mp4\), not audio"),
        ("wav", "image", r"is audio \(audio/wav\), not an image"),
        ("png", "subtitle", r"is an image \(image/png\), not a subtitle file"),
        ("srt", "video", r"is a subtitle file \(application/x-subrip\), not a video"),
        ("pdf", "audio", "is application/pdf, not audio"),
    ],
)
def test_another_kind_is_named(media: dict[str, Path], extra: bool, name: str, kind: MediaKind, message: str) -> None:
    with pytest.raises(MediaProblem, match=f"^{message}$"):
        probe(media[name], kind)


def test_unknown_content_has_no_type(tmp_path: Path, extra: bool) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"\x00\x9f\x01\xfe" * 40)
    assert (probe(path).kind, probe(path).mime) == ("file", None)
    with pytest.raises(MediaProblem, match=r"^is of an unknown type, not a video$"):
        probe(path, "video")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "s"))
    for name, message in {
        "none.mp4": "does not exist",
        ".": "is a directory, not a file",
        "empty.mp4": "is empty",
        "pipe.mp4": "is not a regular file",
        "s": "is not a regular file",
        "loop.mp4": "cannot be read: too many levels",
        "empty.mp4/x": "cannot be read: not a directory",
        "a\0b": "cannot be read: its name holds a zero byte",
    }.items():
        with pytest.raises(MediaProblem, match=f"^{message}"):
            probe(tmp_path / name, "video")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    root = os.geteuid() == 0  # reads everything; so this test is somebody else for a moment
    try:
        if root:
            os.seteuid(65534)
        with pytest.raises(MediaProblem, match="cannot be read: permission denied"):
            probe(path)
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("name", "keep"),
    [("mp4", 0.6), ("mov", 0.6), ("wav", 0.5), ("mkv", 0.6), ("webm", 0.6), ("mp4", 0.02), ("png", 0.1)],
)
def test_a_cut_file_is_noticed(media: dict[str, Path], tmp_path: Path, name: str, keep: float) -> None:
    content = media[name].read_bytes()
    path = tmp_path / f"cut.{name}"
    path.write_bytes(content[: max(40, int(len(content) * keep))] if name != "png" else content[:20])
    with pytest.raises(MediaProblem, match="cut"):
        probe(path, kind_of(sniff(content)))
    assert probe(path, "file").bytes == path.stat().st_size


def test_a_cut_wav_is_noticed_without_the_extra(media: dict[str, Path], extra: bool, tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(media["wav"].read_bytes()[:5000])
    with pytest.raises(MediaProblem, match="cut"):
        probe(path, "audio")


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xfe<\0h\0t\0m\0l\0", None),  # UTF-16 text is no MP3
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"fLaC\0", "audio/flac"),
        (b"OggS\0", "audio/ogg"),
        (b"\0\0\0\x1cftypavif", "image/avif"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (b"<!doctype HTML>", "text/html"),
        (b"\xef\xbb\xbf\n<html lang=de>", "text/html"),
        (b'<?xml version="1.0"?><Error/>', "application/xml"),
        (b"<svg width='1'>", "image/svg+xml"),
        (b'<tt xmlns="http://www.w3.org/ns/ttml">', "application/ttml+xml"),
        (b"<3 love", "text/plain"),
        (b'{"a": 1}', "application/json"),
        (b"[1, 2]", "application/json"),
        (b"[laughs] hello", "text/plain"),
        (b"{{ name }}", "text/plain"),
        (b"[Script Info]\nTitle", "text/x-ssa"),
        ("Grüße".encode()[:3], "text/plain"),  # cut in the middle of a character
        (b"MZ is a word", "text/plain"),
        (b"", None),
        (b"\x01\x02\x03\x04", None),
    ],
)
def test_first_bytes(head: bytes, mime: str | None, extra: bool) -> None:
    assert sniff(head) == mime


# -- remembering


class Shelf:
    """Keeps facts like the state does, and counts."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int, int, int], dict[str, Any]] = {}
        self.asked = 0

    def lookup(self, path: str, size: int, mtime_ns: int, inode: int) -> dict[str, Any] | None:
        self.asked += 1
        return self.kept.get((path, size, mtime_ns, inode))

    def store(self, path: str, size: int, mtime_ns: int, inode: int, facts: dict[str, Any]) -> None:
        self.kept[path, size, mtime_ns, inode] = facts


@pytest.fixture
def settled(media: dict[str, Path], tmp_path: Path) -> Path:
    """A film that was written a while ago."""
    path = tmp_path / "old.mp4"
    path.write_bytes(media["mp4"].read_bytes())
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def poisoned(shelf: Shelf) -> None:
    """Mark what is on the shelf, to see where an answer came from."""
    for facts in shelf.kept.values():
        facts["sha256"] = "from the shelf"


def test_facts_survive_between_runs(settled: Path) -> None:
    shelf = Shelf()
    first = Prober(shelf.lookup, shelf.store).probe(settled, "video")
    poisoned(shelf)
    second = Prober(shelf.lookup, shelf.store).probe(settled, "video")
    assert second.sha256 == "from the shelf"
    assert (second.duration, second.mime, second.bytes) == (first.duration, first.mime, first.bytes)
    assert all(isinstance(value, str | int | float | bool | None) for value in next(iter(shelf.kept.values())).values())


def test_a_file_is_looked_at_once_per_process(settled: Path) -> None:
    shelf = Shelf()
    prober = Prober(shelf.lookup, shelf.store)
    first = prober.probe(settled)
    shelf.kept.clear()
    assert prober.probe(settled) == first
    assert prober.probe(settled, "file").kind == "file"
    assert shelf.asked == 1
    assert shelf.kept == {}


def test_a_changed_file_is_looked_at_again(settled: Path, media: dict[str, Path]) -> None:
    shelf = Shelf()
    prober = Prober(shelf.lookup, shelf.store)
    first = prober.probe(settled)
    settled.write_bytes(media["mov"].read_bytes())
    assert prober.probe(settled).sha256 != first.sha256


def test_a_file_that_was_just_written_is_not_remembered(media: dict[str, Path], tmp_path: Path) -> None:
    shelf = Shelf()
    path = tmp_path / "new.mp4"
    path.write_bytes(media["mp4"].read_bytes())
    Prober(shelf.lookup, shelf.store).probe(path)
    assert shelf.kept == {}


def test_facts_of_another_version_or_without_the_extra_are_found_again(settled: Path) -> None:
    for change in ({"version": 0}, {"complete": False}):
        shelf = Shelf()
        Prober(shelf.lookup, shelf.store).probe(settled)
        poisoned(shelf)
        next(iter(shelf.kept.values())).update(change)
        assert Prober(shelf.lookup, shelf.store).probe(settled).sha256 != "from the shelf"


def test_a_damaged_file_stays_damaged_on_the_shelf(settled: Path) -> None:
    content = settled.read_bytes()
    settled.write_bytes(content[: len(content) * 6 // 10])
    os.utime(settled, (1_700_000_000, 1_700_000_000))
    shelf = Shelf()
    for _ in range(2):
        with pytest.raises(MediaProblem, match="cut"):
            Prober(shelf.lookup, shelf.store).probe(settled, "video")
    assert len(shelf.kept) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(settled: Path) -> None:
    class Meddler(Shelf):
        """Changes the file between the look at its size and the reading."""

        def lookup(self, path: str, size: int, mtime_ns: int, inode: int) -> dict[str, Any] | None:
            with settled.open("ab") as handle:
                handle.write(b"more")
            return None

    with pytest.raises(MediaProblem, match="changed while"):
        Prober(Meddler().lookup).probe(settled)


def test_many_threads_may_ask(settled: Path) -> None:
    prober, found = Prober(), []
    threads = [threading.Thread(target=lambda: found.append(prober.probe(settled))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_importing_it_loads_no_heavy_library() -> None:
    code = "import sys, callsheet.media; print([m for m in ('filetype', 'pymediainfo', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
