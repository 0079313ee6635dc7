"""Sound as a stream of bytes: 48 kHz, stereo, signed 16-bit. Streams, so that an hour of sound needs little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from ..errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.packet import Packet

    from .speech import Speech

RATE = 48000
SAMPLE_BYTES = 4  # two channels of two bytes
BLOCK = 1024 * 16 * SAMPLE_BYTES
FORMAT, LAYOUT = "s16", "stereo"


def size_of(seconds: float) -> int:
    """How many bytes ``seconds`` of sound are."""
    return round(seconds * RATE) * SAMPLE_BYTES


def silence(seconds: float) -> bytes:
    """Nothing to hear."""
    return bytes(size_of(seconds))


def read(path: Path) -> Iterator[bytes]:
    """The first sound track of a file; nothing if it has none."""
    resampler = AudioResampler(format=FORMAT, layout=LAYOUT, rate=RATE)
    with av.open(str(path)) as source:
        if not source.streams.audio:
            return
        for frame in source.decode(source.streams.audio[0]):
            frame.pts = None  # gaps in the time stamps would make the resampler complain
            yield from _resampled(resampler, frame)
        yield from _resampled(resampler, None)


def of_speech(speech: Speech) -> bytes:
    """Spoken samples in the format of this module."""
    resampler = AudioResampler(format=FORMAT, layout=LAYOUT, rate=RATE)
    frame = _frame(speech.samples, "mono", speech.rate, 2)
    return b"".join([*_resampled(resampler, frame), *_resampled(resampler, None)])


def seconds_of(path: Path) -> float:
    """How long the first sound track is; MediaError if there is none."""
    with av.open(str(path)) as source:
        if not source.streams.audio:
            raise MediaError("the audio input has no sound")
        track = source.streams.audio[0]
        if track.duration is not None and track.time_base is not None:
            return float(track.duration * track.time_base)
        packets = (packet for packet in source.demux(track) if packet.duration and packet.time_base)
        return float(sum((packet.duration or 0) * (packet.time_base or 0) for packet in packets))


def exactly(chunks: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    """The stream cut, or continued with silence, to ``seconds``."""
    left = size_of(seconds)
    for chunk in chunks:
        if left <= 0:
            return
        yield chunk[:left]
        left -= len(chunk)
    while left > 0:
        yield bytes(min(left, BLOCK))
        left -= BLOCK


def repeated(sound: bytes, pause: float, seconds: float) -> Iterator[bytes]:
    """``sound`` again and again as long as it fits as a whole, at least once; silence up to ``seconds``."""
    once = sound + silence(pause)
    times = max(1, (size_of(seconds) + size_of(pause)) // len(once))
    return exactly((once for _ in range(times)), seconds)


def spliced(
    original: Callable[[], Iterable[bytes]], insert: Iterable[bytes], start: float, end: float, seconds: float
) -> Iterator[bytes]:
    """What ``original`` opens, with the part from ``start`` to ``end`` replaced by ``insert``, ``seconds`` in all."""
    yield from exactly(original(), start)
    yield from exactly(insert, end - start)
    yield from exactly(_after(original(), end), seconds - end)


def _after(chunks: Iterable[bytes], start: float) -> Iterator[bytes]:
    skip = size_of(start)
    for chunk in chunks:
        if skip < len(chunk):
            yield chunk[skip:]
        skip = max(0, skip - len(chunk))


def encode(chunks: Iterable[bytes], track: AudioStream) -> Iterator[Packet[AudioStream]]:
    """The stream as packets of an output track."""
    position = 0
    for block in _blocks(chunks):
        frame = _frame(block, LAYOUT, RATE, SAMPLE_BYTES)
        frame.pts = position
        position += frame.samples
        yield from track.encode(frame)
    yield from track.encode(None)


def write_mp3(chunks: Iterable[bytes], path: Path) -> None:
    """Write an MP3 file."""
    with av.open(str(path), "w", format="mp3") as target:
        track = target.add_stream("mp3", rate=RATE, layout=LAYOUT, bit_rate=128_000)
        for packet in encode(chunks, track):
            target.mux(packet)


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # Decoders give small frames; one Python call per encoder block is what keeps this quick.
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) >= BLOCK:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _frame(samples: bytes, layout: str, rate: int, sample_bytes: int) -> AudioFrame:
    count = len(samples) // sample_bytes
    frame = AudioFrame(format=FORMAT, layout=layout, samples=count)
    frame.sample_rate = rate
    plane = frame.planes[0]
    plane.update(samples[: count * sample_bytes] + bytes(plane.buffer_size - count * sample_bytes))
    return frame


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[bytes]:
    for piece in resampler.resample(frame):
        yield bytes(piece.planes[0])[: piece.samples * SAMPLE_BYTES]
