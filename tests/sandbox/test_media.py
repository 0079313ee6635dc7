"""The results are real media: the right picture, the right sound, the right length."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import av
import espeakng_loader
import httpx
import pytest
from sandbox.client import Api, asset, lengths, loudness, make_clip, make_png, make_wav, pictures, url

from callsheet_sandbox import catalog
from callsheet_sandbox.media import speech


def lipsync(api: Api, video: str, audio: str, **more: object) -> tuple[dict[str, object], bytes]:
    body = {"video": asset(video), "audio": asset(audio), **more}
    identifier = api.data("POST", "/v3/lipsyncs", json=body)["lipsync_id"]
    job = api.finished(f"/v3/lipsyncs/{identifier}")
    assert job["status"] == "completed", job
    return job, httpx.get(job["video_url"]).content


def test_lipsync_keeps_every_picture_and_replaces_the_sound(api: Api, clip: Path, clip_id: str, voice_id: str) -> None:
    job, made = lipsync(api, clip_id, voice_id, enable_dynamic_duration=False, mode="precision")
    assert pictures(made) == pictures(clip.read_bytes())
    assert lengths(made)["file"] == pytest.approx(4, abs=0.06)
    assert job["duration"] == pytest.approx(4, abs=0.01)
    assert loudness(made, 0.5, 2.0) > 5 * loudness(clip.read_bytes(), 0.5, 2.0)
    assert loudness(made, 3.0, 3.9) < 50


def test_lipsync_takes_the_length_of_shorter_sound(api: Api, clip: Path, clip_id: str, voice_id: str) -> None:
    job, made = lipsync(api, clip_id, voice_id)
    kept = pictures(made)
    assert job["duration"] == pytest.approx(2.5, abs=0.01)
    assert lengths(made)["file"] == pytest.approx(2.5, abs=0.15)
    assert kept == pictures(clip.read_bytes())[: len(kept)]


def test_lipsync_stands_still_until_longer_sound_ends(api: Api, clip: Path, clip_id: str, tmp_path: Path) -> None:
    _, made = lipsync(api, clip_id, api.upload(make_wav(tmp_path / "long.wav", 6), "long.wav"), enable_caption=True)
    assert pictures(made) == pictures(clip.read_bytes())
    assert lengths(made) == pytest.approx({"video": 6, "audio": 6, "file": 6}, abs=0.06)


def test_lipsync_of_a_part_keeps_the_other_sound(api: Api, clip: Path, clip_id: str, voice_id: str) -> None:
    _, made = lipsync(api, clip_id, voice_id, start_time=1, end_time=2)
    assert lengths(made)["file"] == pytest.approx(4, abs=0.06)
    assert loudness(made, 1.1, 1.9) == pytest.approx(16384, rel=0.2)
    for start in (0.1, 2.2):
        assert loudness(made, start, start + 0.7) == pytest.approx(
            loudness(clip.read_bytes(), start, start + 0.7), rel=0.1
        )


def test_a_picture_that_mp4_cannot_carry_fails_with_a_reason(api: Api, voice_id: str, tmp_path: Path) -> None:
    webm = api.upload(make_clip(tmp_path / "clip.webm", 0.2, codec="libvpx"), "clip.webm")
    body = {"video": asset(webm), "audio": asset(voice_id)}
    job = api.finished(f"/v3/lipsyncs/{api.data('POST', '/v3/lipsyncs', json=body)['lipsync_id']}")
    assert (job["status"], job["video_url"]) == ("failed", None)
    assert "'vp8'" in job["failure_message"]


def test_a_damaged_input_fails_with_a_reason(api: Api, clip: Path, voice_id: str) -> None:
    damaged = api.upload(clip.read_bytes()[:64] + bytes(5000), "broken.mp4")
    body = {"video": asset(damaged), "audio": asset(voice_id)}
    job = api.finished(f"/v3/lipsyncs/{api.data('POST', '/v3/lipsyncs', json=body)['lipsync_id']}")
    assert job["status"] == "failed"
    assert "cannot be read" in job["failure_message"]


def test_translation_speaks_a_placeholder_in_each_language(api: Api, clip: Path, clip_id: str) -> None:
    body = {
        "video": asset(clip_id),
        "output_languages": ["Spanish (Spain)", "Norwegian Bokmål (Norway)"],
        "enable_caption": True,
    }
    ids = api.data("POST", "/v3/video-translations", json=body)["video_translation_ids"]
    jobs = [api.finished(f"/v3/video-translations/{identifier}") for identifier in ids]
    assert [job["output_language"] for job in jobs] == ["es-ES", "nb-NO"]
    made = httpx.get(jobs[0]["video_url"]).content
    assert pictures(made) == pictures(clip.read_bytes())
    assert lengths(made)["file"] == pytest.approx(4, abs=0.06)
    assert loudness(made, 0.2, 2.0) > 500
    assert lengths(httpx.get(jobs[0]["audio_url"]).content)["file"] == pytest.approx(4, abs=0.1)
    assert "una voz provisional" in httpx.get(jobs[0]["srt_caption_url"]).text
    assert httpx.get(jobs[1]["vtt_caption_url"]).text.startswith("WEBVTT\n\n00:00:00.000 --> ")


def test_translation_with_own_sound_uses_it(api: Api, clip_id: str, voice_id: str) -> None:
    body = {"video": asset(clip_id), "audio": asset(voice_id), "output_languages": ["English"]}
    ids = api.data("POST", "/v3/video-translations", json=body)["video_translation_ids"]
    made = httpx.get(api.finished(f"/v3/video-translations/{ids[0]}")["video_url"]).content
    assert loudness(made, 0.2, 2.0) > 10000
    assert loudness(made, 3, 3.9) < 50


def test_speech_is_an_mp3_with_the_times_of_its_words(api: Api) -> None:
    body = {"text": "Hello there, big world of 25 examples.", "voice_id": "sandbox-anna"}
    data = api.data("POST", "/v3/voices/speech", json=body)
    content = httpx.get(data["audio_url"]).content
    assert lengths(content)["file"] == pytest.approx(data["duration"], abs=0.1)
    words = data["word_timestamps"]
    assert [word["word"] for word in words][:4] == ["Hello", "there", "big", "world"]
    assert all(0 <= word["start"] <= word["end"] <= data["duration"] for word in words)
    assert words == sorted(words, key=lambda word: word["start"])


def test_speed_and_language_change_speech(api: Api) -> None:
    def seconds(**more: object) -> float:
        body = {"text": "one two three four five six seven", "voice_id": "sandbox-ben", **more}
        return float(api.data("POST", "/v3/voices/speech", json=body)["duration"])

    assert seconds(speed=0.5) > 1.5 * seconds() > 2 * seconds(speed=2.0)
    assert seconds(locale="de-DE") != seconds(language="en")


def test_ssml_is_not_read_aloud(api: Api) -> None:
    body = {"text": '<speak>hello <break time="2s"/> world</speak>', "voice_id": "sandbox-ben", "input_type": "ssml"}
    assert 2.5 < api.data("POST", "/v3/voices/speech", json=body)["duration"] < 5


@pytest.mark.parametrize(
    ("resolution", "aspect", "size"),
    [
        ("720p", "16:9", (1280, 720)),
        ("720p", "9:16", (720, 1280)),
        ("1080p", "1:1", (1080, 1080)),
        ("4k", "16:9", (3840, 2160)),
    ],
)
def test_avatar_video_has_the_size_asked_for(api: Api, resolution: str, aspect: str, size: tuple[int, int]) -> None:
    body = {
        "type": "avatar",
        "avatar_id": "sandbox-avatar-1",
        "script": "Good morning and welcome to the show.",
        "resolution": resolution,
        "aspect_ratio": aspect,
    }
    made = api.data("POST", "/v3/videos", json=body)
    assert (made["status"], made["output_format"]) == ("waiting", "mp4")
    job = api.finished(f"/v3/videos/{made['video_id']}")
    with av.open(job["video_url"]) as source:
        assert (source.streams.video[0].width, source.streams.video[0].height) == size
        assert source.duration / 1e6 == pytest.approx(job["duration"], abs=0.05)
    assert "Good morning and welcome to the show" in httpx.get(job["subtitle_url"]).text
    assert httpx.get(job["thumbnail_url"]).content.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_image_video_shows_the_image_with_the_given_sound(api: Api, voice_id: str, fit: str) -> None:
    image = api.upload(make_png(300, 200), "picture.png")
    body = {
        "type": "image",
        "image": asset(image),
        "audio_asset_id": voice_id,
        "resolution": "720p",
        "aspect_ratio": "auto",
        "fit": fit,
    }
    job = api.finished(f"/v3/videos/{api.data('POST', '/v3/videos', json=body)['video_id']}")
    assert job["duration"] == pytest.approx(2.5, abs=0.01)
    made = httpx.get(job["video_url"]).content
    assert lengths(made) == pytest.approx({"video": 2.5, "audio": 2.5, "file": 2.5}, abs=0.06)
    assert loudness(made, 0.2, 2.0) > 10000


def test_a_script_too_short_fails(api: Api) -> None:
    body = {"type": "avatar", "avatar_id": "sandbox-avatar-2", "script": "a"}
    job = api.finished(f"/v3/videos/{api.data('POST', '/v3/videos', json=body)['video_id']}")
    assert (job["status"], job["failure_code"]) == ("failed", "script_too_short")


def test_results_feed_later_steps(api: Api, clip_id: str) -> None:
    speech_url = api.data("POST", "/v3/voices/speech", json={"text": "Hello again.", "voice_id": "sandbox-eva"})
    body = {"video": asset(clip_id), "audio": url(speech_url["audio_url"])}
    first = api.finished(f"/v3/lipsyncs/{api.data('POST', '/v3/lipsyncs', json=body)['lipsync_id']}")
    again = {"video": url(first["video_url"]), "output_languages": ["German (Germany)"]}
    ids = api.data("POST", "/v3/video-translations", json=again)["video_translation_ids"]
    assert api.finished(f"/v3/video-translations/{ids[0]}")["status"] == "completed"


def test_every_language_is_spoken() -> None:
    anna = catalog.voices()["sandbox-anna"]
    spoken = {language.voice: language.sentence for language in catalog.languages().values()}
    assert len(catalog.languages()) > 60
    for voice, sentence in spoken.items():
        said = speech.speak(sentence, anna.speaking(voice))
        assert 1 < said.seconds < 8, voice
        assert len(said.words) > 1, voice


def test_espeak_starts_from_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    (folder / "espeakng_loader").symlink_to(Path(espeakng_loader.__file__).parent)
    code = "from callsheet_sandbox.media import speech; print(speech.speak('hello there', 'en').seconds)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    output = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True, env=environment
    )
    assert float(output.stdout) > 0.4, output.stderr


def test_a_result_takes_less_than_a_second(api: Api, clip_id: str, voice_id: str) -> None:
    start = time.monotonic()
    lipsync(api, clip_id, voice_id, enable_dynamic_duration=False)
    assert time.monotonic() - start < 3  # a second where nothing else runs
