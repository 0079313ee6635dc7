"""Speech by espeak-ng, through ctypes on the library that the wheel ``espeakng-loader`` carries.

The voices are a formant synthesiser: understandable, robotic.
"""

from __future__ import annotations

import atexit
import ctypes
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_PATH = 130  # bytes; leaves room for the names that espeak appends
WORDS_PER_MINUTE = 165  # espeak's unit of speed; it takes 80 to 450
_SYNCHRONOUS, _DO_NOT_EXIT = 2, 0x8000  # constants of speak_lib.h
_UTF8, _SSML, _POSITION_IN_CHARACTERS = 1, 0x10, 1
_RATE, _PITCH = 1, 3
_LIST_END, _WORD = 0, 1


@dataclass(frozen=True)
class Word:
    """One spoken word; times in seconds from the start of the speech."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """Sound as mono signed 16-bit samples at ``rate`` Hz, and when its words are spoken."""

    samples: bytes
    rate: int
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / 2 / self.rate


class _Event(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """The library; one voice, one callback and one state for the whole process, hence the lock."""

    def __init__(self) -> None:
        import espeakng_loader

        self._lock = threading.Lock()
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = _short(espeakng_loader.get_data_path())
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT))
        if self.rate <= 0:
            raise MediaError(f"espeak-ng does not start with its data in '{data}'")
        self._sound = bytearray()
        self._events: list[tuple[int, int, int]] = []
        self._callback = _Callback(self._collect)  # kept: ctypes does not keep it alive for C
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(
        self, text: str, voice: str, rate: int, pitch: int, ssml: bool
    ) -> tuple[bytes, list[tuple[int, int, int]]]:
        """Samples, and per word its position and length in the text (from 1) and its time in milliseconds."""
        encoded = text.encode() + b"\0"
        with self._lock:
            self._sound.clear()
            self._events.clear()
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise MediaError(f"espeak-ng has no voice '{voice}'")
            self._library.espeak_SetParameter(_RATE, rate, 0)
            self._library.espeak_SetParameter(_PITCH, pitch, 0)
            flags = _UTF8 | (_SSML if ssml else 0)
            size = ctypes.c_size_t(len(encoded))
            self._library.espeak_Synth(encoded, size, 0, _POSITION_IN_CHARACTERS, 0, flags, None, None)
            return bytes(self._sound), list(self._events)

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, count * 2)
        index = 0
        while events[index].type != _LIST_END:
            event = events[index]
            if event.type == _WORD:
                self._events.append((event.text_position, event.length, event.audio_position))
            index += 1
        return 0


def _short(data: str) -> str:
    """The data folder by a short name: espeak keeps the path in 160 bytes and does not start with a longer one."""
    if len(data.encode()) < LONGEST_PATH:
        return data
    folder = tempfile.TemporaryDirectory(prefix="espeak-")
    atexit.register(folder.cleanup)  # not earlier: dictionaries are read when a voice needs them
    link = Path(folder.name) / "espeak-ng-data"
    link.symlink_to(data, target_is_directory=True)
    return str(link)


_starting = threading.Lock()


def _engine() -> _Engine:
    with _starting:  # `cache` alone would let two threads start the library at once, which it does not survive
        return _started()


@cache
def _started() -> _Engine:
    return _Engine()


def speak(text: str, voice: str, *, speed: float = 1.0, pitch: float = 0.0, ssml: bool = False) -> Speech:
    """Speak ``text`` with an espeak voice such as ``es`` or ``en-us+f2``.

    ``speed`` is a factor, ``pitch`` semitones from -50 to 50. Raises MediaError if nothing can be spoken.
    """
    rate = min(450, max(80, round(WORDS_PER_MINUTE * speed)))
    engine = _engine()
    samples, events = engine.speak(text, voice, rate, min(99, max(0, round(50 + pitch))), ssml)
    if not any(samples):
        raise MediaError("the text has nothing that can be spoken", "tts_text_invalid")
    speech = Speech(samples, engine.rate, ())
    return Speech(samples, engine.rate, tuple(_words(text, events, speech.seconds)))


def _words(text: str, events: list[tuple[int, int, int]], total: float) -> Iterator[Word]:
    # A number or an abbreviation gives several events at one position; the first carries the time.
    firsts = [event for index, event in enumerate(events) if index == 0 or event[0] != events[index - 1][0]]
    for (position, length, milliseconds), following in zip(firsts, [*firsts[1:], None], strict=True):
        written = text[position - 1 : position - 1 + length].strip()
        end = total if following is None else following[2] / 1000
        if written:
            yield Word(written, round(milliseconds / 1000, 3), round(min(end, total), 3))
