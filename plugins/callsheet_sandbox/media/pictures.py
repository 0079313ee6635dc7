"""Still pictures: from an image or drawn plainly, and as the picture of a video."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.codec.context import CodecContext
from av.filter import Graph
from av.video.frame import VideoFrame

from ..errors import MediaError
from . import mux

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.packet import Packet
    from av.video.stream import VideoStream

PICTURES_PER_SECOND = 5  # a still picture needs no more, and 4K stays quick
SHORT_EDGE = {"720p": 720, "1080p": 1080, "4k": 2160}
RATIOS = {"16:9": (16, 9), "9:16": (9, 16), "4:5": (4, 5), "5:4": (5, 4), "1:1": (1, 1)}
CLOCK = Fraction(1, 1000)  # finer than a picture, so that the last one can end with the sound
PLAIN = "0x3b6ea5"


def size_for(resolution: str, aspect: str, source: tuple[int, int] | None = None) -> tuple[int, int]:
    """Width and height in pixels, both even. ``auto`` takes the proportions of ``source``, else 16:9."""
    ratio = source if aspect == "auto" and source else RATIOS.get(aspect, (16, 9))
    short = SHORT_EDGE[resolution]
    long = min(round(short * max(ratio) / min(ratio)), short * 16 // 9)
    width, height = (long, short) if ratio[0] >= ratio[1] else (short, long)
    return width // 2 * 2, height // 2 * 2


def load(path: Path) -> VideoFrame:
    """The picture in an image file; MediaError if there is none."""
    try:
        with av.open(str(path)) as source:
            return next(source.decode(video=0))
    except (av.FFmpegError, StopIteration, IndexError):
        raise MediaError("the image input cannot be read") from None


def fitted(image: VideoFrame, size: tuple[int, int], fit: str, colour: str = "black") -> VideoFrame:
    """The image scaled into ``size``: ``cover`` crops its edges, ``contain`` leaves a margin in ``colour``."""
    width, height = size
    if fit == "contain":
        steps = [
            ("scale", f"{width}:{height}:force_original_aspect_ratio=decrease"),
            ("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2:color={colour}"),
        ]
    else:
        steps = [("scale", f"{width}:{height}:force_original_aspect_ratio=increase"), ("crop", f"{width}:{height}")]
    return _filtered(image, [*steps, ("format", "yuv420p")])


def figure(size: tuple[int, int], colour: str = PLAIN) -> VideoFrame:
    """A plain head-and-shoulders sign on a coloured ground: it stands for an avatar and resembles nobody."""
    width, height = size
    unit = min(size) // 8
    boxes = [
        (width // 2 - unit, height // 2 - 2 * unit, 2 * unit, 2 * unit),
        (width // 2 - 2 * unit, height // 2 + unit // 4, 4 * unit, height // 2),
    ]
    blank = VideoFrame(width, height, "yuv420p")
    for plane in blank.planes:
        plane.update(bytes(plane.buffer_size))
    ground = ("drawbox", f"0:0:{width}:{height}:color={colour}:t=fill")
    drawn = [("drawbox", f"{x}:{y}:{w}:{h}:color=white:t=fill") for x, y, w, h in boxes]
    return _filtered(blank, [ground, *drawn, ("format", "yuv420p")])


def write_video(picture: VideoFrame, chunks: Iterable[bytes], seconds: float, result: Path) -> None:
    """Write an MP4 that shows one picture for ``seconds`` with the sound ``chunks``."""
    with mux.open_mp4(result) as target:
        options = {"preset": "ultrafast", "tune": "stillimage"}
        track = target.add_stream("libx264", rate=PICTURES_PER_SECOND, options=options)
        track.width, track.height, track.pix_fmt = picture.width, picture.height, "yuv420p"
        track.codec_context.time_base = CLOCK
        mux.write(target, track, mux.stretched(_still(picture, track, seconds), seconds), chunks, seconds)


def write_jpeg(picture: VideoFrame, path: Path, width: int = 480) -> None:
    """Write a smaller copy of the picture."""
    height = max(2, picture.height * width // picture.width // 2 * 2)
    small = picture.reformat(width=width, height=height, format="yuvj420p")
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, PICTURES_PER_SECOND)
    small.pts = 0
    path.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)]))


def _still(picture: VideoFrame, track: VideoStream, seconds: float) -> Iterator[Packet[VideoStream]]:
    picture.time_base = CLOCK
    for number in range(max(1, int(seconds * PICTURES_PER_SECOND))):
        picture.pts = round(number / PICTURES_PER_SECOND / CLOCK)
        yield from track.encode(picture)
    yield from track.encode(None)


def _filtered(frame: VideoFrame, steps: list[tuple[str, str]]) -> VideoFrame:
    graph = Graph()
    frame.time_base = Fraction(1, PICTURES_PER_SECOND)
    frame.pts = 0
    nodes = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)]
    nodes += [graph.add(name, arguments) for name, arguments in steps]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    graph.push(frame)
    return cast("VideoFrame", graph.pull())
