"""The sandbox for one run: served in this process, with what a provider needs to find it."""

from __future__ import annotations

import contextlib
import secrets
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .server import Settings, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Seconds a job takes when nobody says otherwise.
JOB_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Served:
    """Where the sandbox is, as environment variables and settings of the provider that it stands in for."""

    base_url: str
    provider: str = "heygen"
    env: dict[str, str] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    notice: str = (
        "sandbox: nothing is charged; voices are robotic, translations are placeholders, lips are not animated"
    )


_KEY, _PORT = "key", "port"


@contextlib.contextmanager
def serving(data: Path, job_seconds: float = JOB_SECONDS) -> Iterator[Served]:
    """Serve the sandbox while the block runs. Its data stay in the folder, so that a later run finds its jobs again."""
    settings = _settings(data, job_seconds)
    with running(settings) as base_url:
        (data / _PORT).write_text(base_url.rpartition(":")[2], encoding="utf-8")
        yield Served(
            base_url,
            env={"HEYGEN_API_BASE": base_url, "HEYGEN_API_KEY": settings.api_key},
            # Jobs of seconds need another pace than jobs of minutes.
            settings={"heygen": {"requests_per_second": 200, "poll": {"first": 0.2, "longest": 2}}},
        )


def _settings(data: Path, job_seconds: float) -> Settings:
    """The same key and, if it is free, the same port as last time: a second run knows the account without asking."""
    data.mkdir(parents=True, exist_ok=True)
    key_file, port_file = data / _KEY, data / _PORT
    if not key_file.exists():
        key_file.write_text(f"sandbox-key-{secrets.token_hex(8)}", encoding="utf-8")
    port = int(port_file.read_text(encoding="utf-8")) if port_file.exists() else 0
    return Settings(data=data, job_seconds=job_seconds, api_key=key_file.read_text(encoding="utf-8"), port=_free(port))


def _free(port: int) -> int:
    """The port, or 0 for any other when somebody has taken it."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
