"""Make the media of the examples: a moving test picture with a spoken sound track, and a new recording to put on it.

Run it once: `python examples/make_media.py`. Files that are there are left alone. It needs `callsheet[sandbox]`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.filter import Graph

from callsheet_sandbox.media import mux, sound, speech

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
SIZE = "640x360"
RATE = 25

ORIGINAL = "Welcome to our spring launch. This is the master cut, spoken in English."
RECORDED = "Welcome to our spring launch. This is the new recording, with the corrected product name."


def main() -> None:
    """Make what is missing, in the `media` folder of each example."""
    for example in ("01-lipsync", "02-translate", "03-campaign"):
        folder = HERE / example / "media"
        folder.mkdir(exist_ok=True)
        make(folder / "launch.mp4", lambda path: video(path, ORIGINAL))
    make(HERE / "01-lipsync" / "media" / "recorded.mp3", lambda path: audio(path, RECORDED))


def make(path: Path, write: Any) -> None:
    """Write a file under another name first, so that a broken attempt leaves nothing behind."""
    if path.exists():
        return
    part = path.with_name(f"part-{path.name}")
    write(part)
    part.replace(path)
    print(f"made {path.relative_to(HERE)} ({path.stat().st_size / 1000:.0f} kB)")


def audio(path: Path, text: str) -> None:
    """A sentence as MP3."""
    sound.write_mp3([spoken(text)], path)


def video(path: Path, text: str) -> None:
    """A test picture that plays as long as the sentence."""
    samples = spoken(text)
    seconds = len(samples) / sound.size_of(1.0)
    silent = path.with_name(f"silent-{path.name}")
    with av.open(str(silent), "w") as container:
        track = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "30"})
        track.width, track.height = (int(part) for part in SIZE.split("x"))
        track.pix_fmt = "yuv420p"
        for frame in pictures(seconds):
            container.mux(track.encode(frame))
        container.mux(track.encode())
    mux.replace_sound(silent, [samples], seconds, path)
    silent.unlink()


def pictures(seconds: float) -> Iterator[Any]:
    """The frames of a moving test picture."""
    graph = Graph()
    source = graph.add("testsrc2", f"size={SIZE}:rate={RATE}:duration={seconds:.3f}")
    pixels = graph.add("format", "yuv420p")
    sink = graph.add("buffersink")
    source.link_to(pixels)
    pixels.link_to(sink)
    graph.configure()
    while True:
        try:
            yield graph.pull()
        except (EOFError, av.error.EOFError):
            return


def spoken(text: str) -> bytes:
    """The samples of a sentence in English."""
    return sound.of_speech(speech.speak(text, "en-us"))


if __name__ == "__main__":
    main()
