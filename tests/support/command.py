"""The command as a real process, in a folder of its own, with nothing of our environment but what Python needs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMAND = (sys.executable, "-m", "callsheet")
TIMEOUT = 60.0

#: Starts a program as anybody's: root may read and write everything, so it first gives that right up (Linux: the
#: capabilities CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH leave the bounding set, which counts from the next exec on).
_UNPRIVILEGED = """\
import ctypes, os, sys
if os.geteuid() == 0:
    [ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) for capability in (1, 2)]
os.execv(sys.argv[1], sys.argv[1:])
"""
UNPRIVILEGED = (sys.executable, "-c", _UNPRIVILEGED, *COMMAND)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """Everything it said."""
        return self.out + self.err

    def tasks(self, name: str = "status") -> dict[str, Any]:
        """One fact of every task of a JSON document, by address."""
        return {task["address"]: task[name] for task in self.json["tasks"]}


class Process:
    """A command that is still running."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: nothing of the process has a chance to tidy up."""
        self.popen.kill()
        self.end()

    def end(self, timeout: float = TIMEOUT) -> Ran:
        """Wait for its end."""
        out, err = self.popen.communicate(timeout=timeout)
        return Ran(self.popen.returncode, out, err)


@dataclass
class Desk:
    """A folder to work in, and the environment that the command gets there."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str | bytes) -> Path:
        """A file of the folder, whose parents are made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def environment(self, more: dict[str, str | None] | None = None) -> dict[str, str]:
        """What a process of this folder sees; a value of None takes a variable away."""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
        env = {**kept, "HOME": str(self.folder), "LANG": "C.UTF-8", "COLUMNS": "200", **self.env, **(more or {})}
        return {name: value for name, value in env.items() if value is not None}

    def start(
        self, *arguments: str, env: dict[str, str | None] | None = None, command: tuple[str, ...] = COMMAND
    ) -> Process:
        """Start the command."""
        return Process(
            subprocess.Popen(
                [*command, *arguments],
                cwd=self.folder,
                env=self.environment(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        )

    def __call__(
        self, *arguments: str, env: dict[str, str | None] | None = None, command: tuple[str, ...] = COMMAND
    ) -> Ran:
        """Run the command to its end."""
        process = self.start(*arguments, env=env, command=command)
        try:
            return process.end()
        except subprocess.TimeoutExpired:
            process.popen.send_signal(signal.SIGABRT)
            raise

    @contextlib.contextmanager
    def background(self, *arguments: str, env: dict[str, str | None] | None = None) -> Iterator[Process]:
        """The command while the block runs; whatever happens there, it is gone afterwards."""
        process = self.start(*arguments, env=env)
        try:
            yield process
        finally:
            with process.popen:  # which closes its pipes
                process.popen.kill()

    def files(self, pattern: str = "**/*") -> set[str]:
        """The files of the folder that fit, relative to it."""
        return {str(path.relative_to(self.folder)) for path in self.folder.glob(pattern) if path.is_file()}


def until(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true answer; an error when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := holds():
            return answer
        time.sleep(0.01)
    raise AssertionError("what was waited for did not happen")
