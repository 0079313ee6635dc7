"""Subtitle files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .speech import Word

WORDS_PER_CUE = 8


@dataclass(frozen=True)
class Cue:
    """One subtitle; times in seconds."""

    text: str
    start: float
    end: float


def cues_of(words: Sequence[Word]) -> list[Cue]:
    """Subtitles of a few words each."""
    groups = [words[index : index + WORDS_PER_CUE] for index in range(0, len(words), WORDS_PER_CUE)]
    return [Cue(" ".join(word.text for word in group), group[0].start, group[-1].end) for group in groups]


def srt(cues: Sequence[Cue]) -> str:
    """SubRip text."""
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT text."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{cue.text}\n\n" for cue in cues
    )


def repeated(text: str, length: float, pause: float, seconds: float, offset: float = 0.0) -> Iterator[Cue]:
    """A cue for each time that a sentence of ``length`` is spoken within ``seconds``; matches ``sound.repeated``."""
    start = 0.0
    while start == 0.0 or start + length <= seconds:
        yield Cue(text, offset + start, offset + min(start + length, seconds))
        start += length + pause


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
