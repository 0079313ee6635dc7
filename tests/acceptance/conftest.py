"""What these tests share: a folder with a job and its media, a sandbox in this process, and the command in between."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.checkout import ROOT
from support.command import Desk
from support.proxy import Proxy

from callsheet_sandbox.server import Settings, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEDIA = ROOT / "specs/cases/media"

PROJECT = """\
provider = "heygen"
[providers.heygen]
requests_per_second = 200
poll = {first = 0.1, longest = 0.3}
"""


class Sandbox:
    """A sandbox that runs, and what it counts."""

    def __init__(self, url: str, data: Path) -> None:
        self.url = url
        self.data = data
        self.env = {"HEYGEN_API_BASE": url, "HEYGEN_API_KEY": "sandbox"}

    def state(self) -> Any:
        """See `/_sandbox/state`. The look itself is not counted."""
        return httpx.get(f"{self.url}/_sandbox/state", timeout=20).json()

    def reset(self) -> None:
        """Count from zero."""
        httpx.post(f"{self.url}/_sandbox/reset", timeout=20).raise_for_status()

    @property
    def creates(self) -> dict[str, int]:
        """How often each operation was bought since the last reset, uploads too."""
        return dict(self.state()["creates"])

    @property
    def bought(self) -> dict[str, int]:
        """The same without uploads, which are free."""
        return {name: times for name, times in self.creates.items() if name != "assets"}

    @property
    def requests(self) -> int:
        """How many requests of the API and for files arrived since the last reset."""
        return sum(times for route, times in self.state()["requests"].items() if "_sandbox" not in route)

    @property
    def open_jobs(self) -> int:
        """Jobs that have not ended."""
        return int(self.state()["open_jobs"])


@contextmanager
def serving(data: Path, **settings: Any) -> Iterator[Sandbox]:
    """A sandbox with quick jobs and ready-made results."""
    with running(Settings(data, **{"job_seconds": 0.2, "media": False, **settings})) as url:
        yield Sandbox(url, data)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A quick sandbox of the test's own."""
    with serving(tmp_path / "server") as served:
        yield served


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[Proxy]:
    """What stands before the sandbox when something has to go wrong."""
    with Proxy(sandbox.url).running() as proxy:
        yield proxy


@pytest.fixture
def bare(tmp_path: Path) -> Desk:
    """A folder with a project file and media, but with no provider in reach."""
    desk = Desk(tmp_path / "desk")
    desk.write("callsheet.toml", PROJECT)
    (desk.folder / "media").mkdir()
    for name in ("clip.mp4", "voice.wav"):
        shutil.copy(MEDIA / name, desk.folder / "media")
    return desk


@pytest.fixture
def desk(bare: Desk, sandbox: Sandbox) -> Desk:
    """The same with the sandbox as the provider."""
    bare.env.update(sandbox.env)
    return bare


@pytest.fixture
def behind(bare: Desk, sandbox: Sandbox, proxy: Proxy) -> Desk:
    """The same with the proxy in between."""
    bare.env.update({**sandbox.env, "HEYGEN_API_BASE": proxy.url})
    return bare
