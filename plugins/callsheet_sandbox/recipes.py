"""How each kind of job becomes files: from its work order, into a folder.

Work orders are JSON made by the endpoints; paths in them are relative to the data directory.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import catalog
from .errors import MediaError
from .jobs import Result
from .media import captions, mux, pictures, probe, sound, speech
from .media.captions import Cue

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

PAUSE = 0.4  # seconds between two placeholder sentences
SHORTEST_SPEECH = 1.0  # seconds; HeyGen refuses scripts below it as script_too_short
Recipe = Callable[[dict[str, Any], Path, Path], Result]


def lipsync(work: dict[str, Any], data: Path, folder: Path) -> Result:
    """The picture as it is, with the other sound."""
    picture, voice = data / work["video"], data / work["audio"]
    picture_seconds, voice_seconds = probe.video_seconds(picture), sound.seconds_of(voice)
    start, end = span(work, picture_seconds)
    partial = (start, end) != (0.0, picture_seconds)
    seconds = voice_seconds if work["dynamic"] and not partial else picture_seconds
    chunks: Iterable[bytes] = sound.read(voice)
    if partial:
        chunks = sound.spliced(lambda: sound.read(picture), chunks, start, end, seconds)
    mux.replace_sound(picture, chunks, seconds, folder / "video.mp4")
    files = {"video_url": "video.mp4"}
    if work["caption"]:
        cue = Cue("(the sandbox does not transcribe speech)", start, min(end, seconds) if partial else seconds)
        (folder / "captions.srt").write_text(captions.srt([cue]), "utf-8")
        files["caption_url"] = "captions.srt"
    return Result(seconds, files)


def translation(work: dict[str, Any], data: Path, folder: Path) -> Result:
    """The picture as it is, with a placeholder sentence in the target language, or with the given sound."""
    picture, language = data / work["video"], catalog.languages()[work["language"]]
    seconds = probe.video_seconds(picture)
    start, end = span(work, seconds)
    spoken = speech.speak(language.sentence, catalog.voices()[work["voice"]].speaking(language.voice))
    sentence = sound.of_speech(spoken)

    def track() -> Iterable[bytes]:
        if work["audio"] is not None:
            insert: Iterable[bytes] = sound.read(data / work["audio"])
        else:
            insert = sound.repeated(sentence, PAUSE, end - start)
        return sound.exactly(sound.spliced(lambda: sound.read(picture), insert, start, end, seconds), seconds)

    mux.replace_sound(picture, track(), seconds, folder / "video.mp4")
    sound.write_mp3(track(), folder / "audio.mp3")
    files = {"video_url": "video.mp4", "audio_url": "audio.mp3"}
    if work["caption"]:
        cues = list(captions.repeated(language.sentence, spoken.seconds, PAUSE, end - start, start))
        (folder / "captions.srt").write_text(captions.srt(cues), "utf-8")
        (folder / "captions.vtt").write_text(captions.vtt(cues), "utf-8")
        files |= {"srt_caption_url": "captions.srt", "vtt_caption_url": "captions.vtt"}
    return Result(seconds, files)


def video(work: dict[str, Any], data: Path, folder: Path) -> Result:
    """One still picture with the script spoken, or with the given sound."""
    if work["audio"] is not None:
        seconds = sound.seconds_of(data / work["audio"])
        chunks: Iterable[bytes] = sound.read(data / work["audio"])
        cues = [Cue("(the sandbox does not transcribe speech)", 0.0, seconds)]
    else:
        spoken = speech.speak(work["script"], work["espeak"], speed=work["speed"], pitch=work["pitch"])
        seconds, chunks, cues = spoken.seconds, [sound.of_speech(spoken)], captions.cues_of(spoken.words)
        if seconds < SHORTEST_SPEECH:
            raise MediaError(f"the speech is {seconds:.1f} s long; it must be at least 1 s", "script_too_short")
    picture = _picture(work, data)
    pictures.write_video(picture, chunks, seconds, folder / "video.mp4")
    pictures.write_jpeg(picture, folder / "thumbnail.jpg")
    (folder / "captions.srt").write_text(captions.srt(cues), "utf-8")
    return Result(seconds, {"video_url": "video.mp4", "thumbnail_url": "thumbnail.jpg", "subtitle_url": "captions.srt"})


def spoken_text(work: dict[str, Any], _: Path, folder: Path) -> Result:
    """Text as an MP3; the words and their times are in ``work["words"]`` afterwards."""
    spoken = speech.speak(work["text"], work["espeak"], speed=work["speed"], ssml=work["ssml"])
    sound.write_mp3([sound.of_speech(spoken)], folder / "speech.mp3")
    work["words"] = [{"word": word.text, "start": word.start, "end": word.end} for word in spoken.words]
    return Result(round(spoken.seconds, 3), {"audio_url": "speech.mp3"})


RECIPES: dict[str, Recipe] = {"lipsync": lipsync, "translation": translation, "video": video, "speech": spoken_text}


def span(work: dict[str, Any], seconds: float) -> tuple[float, float]:
    """The part of the video that a job is about."""
    start = float(work["start"] or 0.0)
    end = seconds if work["end"] is None else min(float(work["end"]), seconds)
    if start >= end:
        raise MediaError(f"start_time {start:g} leaves nothing of a video of {seconds:.2f} s")
    return start, end


def ready_made(kind: str, data: Path, folder: Path) -> Result:
    """One-second files, made once per data directory and linked into every result."""
    stock = data / "stock"
    if not stock.is_dir():
        _make_stock(stock)
    names = {
        "lipsync": {"video_url": "video.mp4", "caption_url": "captions.srt"},
        "translation": {
            "video_url": "video.mp4",
            "audio_url": "audio.mp3",
            "srt_caption_url": "captions.srt",
            "vtt_caption_url": "captions.vtt",
        },
        "video": {"video_url": "video.mp4", "thumbnail_url": "thumbnail.jpg", "subtitle_url": "captions.srt"},
        "speech": {"audio_url": "audio.mp3"},
    }[kind]
    for name in names.values():
        try:
            os.link(stock / name, folder / name)
        except OSError:  # a file system without links
            shutil.copyfile(stock / name, folder / name)
    return Result(1.0, names)


def _make_stock(stock: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="stock-", dir=stock.parent))
    pictures.write_video(pictures.figure((64, 64)), [], 1.0, folder / "video.mp4")
    pictures.write_jpeg(pictures.figure((64, 64)), folder / "thumbnail.jpg", width=64)
    sound.write_mp3([sound.silence(1.0)], folder / "audio.mp3")
    cue = Cue("(sandbox)", 0.0, 1.0)
    (folder / "captions.srt").write_text(captions.srt([cue]), "utf-8")
    (folder / "captions.vtt").write_text(captions.vtt([cue]), "utf-8")
    try:
        folder.rename(stock)
    except OSError:  # another thread was faster
        shutil.rmtree(folder)


def _picture(work: dict[str, Any], data: Path) -> VideoFrame:
    image = None if work["image"] is None else pictures.load(data / work["image"])
    source = None if image is None else (image.width, image.height)
    size = pictures.size_for(work["resolution"], work["aspect"], source)
    if image is None:
        return pictures.figure(size, work["colour"])
    return pictures.fitted(image, size, work["fit"], work["colour"])
