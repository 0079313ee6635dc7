"""What the tests of the sandbox share: a client over a real socket, media files, and looks into media."""

from __future__ import annotations

import hashlib
import io
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import httpx
from av.filter import Graph

from callsheet_sandbox.media import sound
from callsheet_sandbox.server import Settings, running

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"X-Api-Key": "sandbox"}


class Api(httpx.Client):
    """A client of one sandbox with its key."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url=base_url, headers=KEY, timeout=30)

    def data(self, method: str, path: str, **options: Any) -> Any:
        """The ``data`` of a request that must succeed."""
        answer = self.request(method, path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def error(self, method: str, path: str, **options: Any) -> tuple[int, str, str | None]:
        """Status, code and param of a request that must be refused."""
        answer = self.request(method, path, **options)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"]

    def upload(self, file: Path | bytes, name: str = "file") -> str:
        """Upload in one request; the asset id."""
        content = file if isinstance(file, bytes) else file.read_bytes()
        return str(self.data("POST", "/v3/assets", files={"file": (name, content)})["asset_id"])

    def finished(self, path: str) -> Any:
        """A job once it is completed or failed."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            data = self.data("GET", path)
            if data["status"] in ("completed", "failed"):
                return data
            time.sleep(0.02)
        raise AssertionError(f"{path} is still {data['status']}")

    def state(self) -> Any:
        """What the sandbox counted."""
        return self.get("/_sandbox/state").json()


def asset(identifier: str) -> dict[str, str]:
    """An asset input."""
    return {"type": "asset_id", "asset_id": identifier}


def url(address: str) -> dict[str, str]:
    """A URL input."""
    return {"type": "url", "url": address}


def make_clip(path: Path, seconds: float, codec: str = "libx264") -> Path:
    """A moving picture of 320x180 at 25 per second with B-frames and a quiet sound."""
    with av.open(str(path), "w") as target:
        picture: Any = target.add_stream(codec, rate=25)
        picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
        voice: Any = target.add_stream("aac", rate=sound.RATE, layout=sound.LAYOUT) if codec == "libx264" else None
        graph = Graph()
        source = graph.add("testsrc2", f"size=320x180:rate=25:duration={seconds}")
        shape, sink = graph.add("format", "yuv420p"), graph.add("buffersink")
        graph.link_nodes(source, shape, sink).configure()
        for _ in range(round(seconds * 25)):
            target.mux(picture.encode(graph.pull()))
        target.mux(picture.encode(None))
        if voice is not None:
            quiet = [bytes([0, 4] * 120 + [0, 252] * 120) * round(seconds * 400)]
            for packet in sound.encode(sound.exactly(quiet, seconds), voice):
                target.mux(packet)
    return path


def make_wav(path: Path, seconds: float) -> Path:
    """A loud rattle."""
    with av.open(str(path), "w") as target:
        track = target.add_stream("pcm_s16le", rate=sound.RATE, layout=sound.LAYOUT)
        block = (bytes([0, 64]) * 100 + bytes([0, 192]) * 100) * 480
        for packet in sound.encode(sound.exactly([block] * (round(seconds) + 2), seconds), track):
            target.mux(packet)
    return path


def make_png(width: int, height: int) -> bytes:
    """A plain picture."""
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "rgb24", Fraction(1)
    frame = av.VideoFrame(width, height, "rgb24")
    frame.planes[0].update(bytes([200]) * frame.planes[0].buffer_size)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def pictures(content: bytes) -> list[str]:
    """A digest of every decoded picture."""
    with av.open(io.BytesIO(content), mode="r") as source:
        return [
            hashlib.md5(b"".join(bytes(plane) for plane in frame.planes)).hexdigest()
            for frame in source.decode(video=0)
        ]


def lengths(content: bytes) -> dict[str, float]:
    """Seconds of each track, and of the whole under ``file``."""
    with av.open(io.BytesIO(content), mode="r") as source:
        tracks = {str(track.type): float((track.duration or 0) * (track.time_base or 0)) for track in source.streams}
        return {**tracks, "file": (source.duration or 0) / 1_000_000}


def loudness(content: bytes, start: float, end: float) -> float:
    """Mean absolute sample between two times; 0 is silence."""
    file = io.BytesIO(content)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
    with av.open(file, mode="r") as source:
        frames = [piece for frame in source.decode(audio=0) for piece in resampler.resample(frame)]
    samples = memoryview(b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)).cast("h")
    part = samples[int(start * 8000) : int(end * 8000)]
    return sum(abs(sample) for sample in part) / len(part)


__all__ = ["KEY", "Api", "Settings", "running"]
