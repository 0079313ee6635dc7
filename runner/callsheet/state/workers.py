"""Who works on a state, and whether a process that owned something is still alive."""

from __future__ import annotations

import os
import platform
import secrets
from functools import cache
from hashlib import sha256
from pathlib import Path

from .protocol import Worker

#: Seconds of silence after which a process on another machine counts as gone.
SILENCE = 30.0

_PROC = Path("/proc")


def this_worker() -> Worker:
    """A value for this process, with a new id at each call."""
    pid = os.getpid()
    return Worker(secrets.token_hex(8), this_host(), pid, _started(pid) or 0.0)


@cache
def this_host() -> str:
    """The machine's name, made distinct by boot and by process namespace.

    Process ids mean something only within one boot and one namespace: two containers with the same name and a
    shared volume must not look up each other's ids.
    """
    name = platform.node() or "localhost"
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        namespace = os.readlink(_PROC / "self/ns/pid")  # noqa: PTH115 - not a path, Path would change its text
    except OSError:
        return name
    return f"{name}#{sha256(f'{boot}{namespace}'.encode()).hexdigest()[:8]}"


def is_alive(host: str, pid: int, started: float, beat_at: float, *, now: float) -> bool:
    """Whether the process still runs: looked up on this host, judged by its last beat elsewhere."""
    if host != this_host() or os.name == "nt":  # on Windows `os.kill` would end the process
        return now - beat_at <= SILENCE
    return _runs(pid, started)


def _runs(pid: int, started: float) -> bool:
    """Whether this very process (not a later one with its number) runs here."""
    found = _started(pid)
    if found is not None:
        return started in (found, 0.0)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # It exists. Without /proc that is all there is to know; with it, only a dead process has no start time.
    return not (_PROC / str(pid)).exists()


def _started(pid: int) -> float | None:
    """When a process began, in seconds since boot; None if it is dead or the system does not say."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything, so count from its end: state is field 3, start time field 22.
    state, *fields = text.rpartition(")")[2].split()
    if state in ("Z", "X"):  # killed, only not yet collected by its parent
        return None
    return int(fields[18]) / os.sysconf("SC_CLK_TCK")
