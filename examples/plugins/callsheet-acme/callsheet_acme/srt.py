"""SubRip subtitles: sentences share the time by their length."""

import re


def srt(text: str, duration: float) -> str:
    """The text as SRT. Each sentence is shown for its share of the letters; ``duration`` is in seconds."""
    sentences = [part for part in re.split(r"(?<=[.!?…])\s+", text.strip()) if part]
    letters = sum(map(len, sentences))
    shown, begin = [], 0.0
    for number, sentence in enumerate(sentences, 1):
        end = begin + duration * len(sentence) / letters
        shown.append(f"{number}\n{timecode(begin)} --> {timecode(end)}\n{sentence}\n")
        begin = end
    return "\n".join(shown)


def timecode(seconds: float) -> str:
    """``75.5`` gives ``00:01:15,500``."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02},{milliseconds % 1000:03}"
