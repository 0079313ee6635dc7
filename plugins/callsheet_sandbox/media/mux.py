"""A new sound track for a picture that is copied packet by packet: what is decoded stays identical."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import av

from ..errors import MediaError
from . import sound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

COPYABLE = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "png"})  # what the MP4 container takes
REORDER = 32  # packets: more than any encoder holds back to reorder pictures


def replace_sound(picture: Path, chunks: Iterable[bytes], seconds: float, result: Path) -> None:
    """Write an MP4 with the picture of ``picture`` and the sound ``chunks`` (the format of ``sound``).

    Both last ``seconds``: a longer picture is cut, the last picture of a shorter one stays on.
    Raises MediaError for pictures that MP4 cannot carry.
    """
    with av.open(str(picture)) as source, open_mp4(result) as target:
        if not source.streams.video:
            raise MediaError("the video input has no picture")
        original = source.streams.video[0]
        if original.codec_context.name not in COPYABLE:
            raise MediaError(f"the sandbox cannot copy '{original.codec_context.name}' pictures into MP4")
        track = target.add_stream_from_template(original)
        packets = stretched(
            cut((packet for packet in source.demux(original) if packet.dts is not None), seconds), seconds
        )
        write(target, track, packets, chunks, seconds)


def open_mp4(path: Path) -> OutputContainer:
    """An MP4 that plays while it is still loading."""
    return av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})


def write(
    target: OutputContainer,
    track: VideoStream,
    packets: Iterable[Packet[VideoStream]],
    chunks: Iterable[bytes],
    seconds: float,
) -> None:
    """Mux picture packets and ``seconds`` of sound in the order of time, so that nothing piles up in memory."""
    voice = target.add_stream("aac", rate=sound.RATE, layout=sound.LAYOUT, bit_rate=128_000)
    sounds = sound.encode(sound.exactly(chunks, seconds), voice)
    both: list[Iterable[Packet[Any]]] = [_of(packets, track), sounds]
    for packet in heapq.merge(*both, key=_seconds):
        target.mux(packet)


def cut(packets: Iterable[Packet[VideoStream]], seconds: float) -> Iterator[Packet[VideoStream]]:
    """The packets up to the last one that is shown before ``seconds``.

    Later pictures stay where an earlier one needs them to be decoded, so the end is exact to a few pictures.
    """
    held: list[Packet[VideoStream]] = []
    for packet in packets:
        held.append(packet)
        if _shown(packet) < seconds:
            yield from held
            held.clear()
        elif len(held) > REORDER:
            return


def stretched(packets: Iterable[Packet[VideoStream]], seconds: float) -> Iterator[Packet[VideoStream]]:
    """The same packets, the last one shown until ``seconds``."""
    last: Packet[VideoStream] | None = None
    for packet in packets:
        if last is not None:
            yield last
        last = packet
    if last is None:
        raise MediaError("the video input has no picture")
    if last.time_base is not None and last.pts is not None:
        last.duration = max(last.duration or 0, round(seconds / last.time_base) - last.pts)
    yield last


def _of(packets: Iterable[Packet[VideoStream]], track: VideoStream) -> Iterator[Packet[VideoStream]]:
    for packet in packets:
        packet.stream = track
        yield packet


def _seconds(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * (packet.time_base or 0))


def _shown(packet: Packet[VideoStream]) -> float:
    return float((packet.pts or 0) * (packet.time_base or 0))
