"""One sandbox for most tests, and media files made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sandbox.client import Api, make_clip, make_wav

from callsheet_sandbox.server import Settings, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A quick sandbox that hardly ever refuses because of its limit."""
    settings = Settings(tmp_path_factory.mktemp("sandbox"), job_seconds=0.05, concurrency=50)
    with running(settings) as address:
        yield address


@pytest.fixture
def api(base_url: str) -> Iterator[Api]:
    """A client of the shared sandbox."""
    with Api(base_url) as client:
        yield client


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of moving picture with sound."""
    return make_clip(tmp_path_factory.mktemp("media") / "clip.mp4", 4)


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two and a half seconds of loud sound."""
    return make_wav(tmp_path_factory.mktemp("media") / "voice.wav", 2.5)


@pytest.fixture(scope="session")
def clip_id(base_url: str, clip: Path) -> str:
    """The clip as an asset of the shared sandbox."""
    with Api(base_url) as client:
        return client.upload(clip, "clip.mp4")


@pytest.fixture(scope="session")
def voice_id(base_url: str, voice: Path) -> str:
    """The sound as an asset of the shared sandbox."""
    with Api(base_url) as client:
        return client.upload(voice, "voice.wav")
