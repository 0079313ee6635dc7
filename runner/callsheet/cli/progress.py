"""How a run goes on: one bar and the active tasks on a terminal, plain lines and a heartbeat elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from ..core.durations import show_duration
from ..core.states import TaskState
from .common import redactor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from ..engine.events import Event, Events
    from ..engine.outcome import TaskRun
    from ..plan.model import Plan

_HEARTBEAT = 30.0  # seconds without news, off a terminal
_ACTIVE = 12  # tasks shown below the bar


class Progress:
    """Listens to a run and shows it on stderr. Use it as a context manager around the run."""

    def __init__(self, plan: Plan, events: Events, *, quiet: bool) -> None:
        self._plan = plan
        self._runs: Sequence[TaskRun] = ()
        self._quiet = quiet
        self._active: dict[str, str] = {}
        self._ended = 0
        self._begun = time.monotonic()
        self._spoke = self._begun
        self._live: Any = None
        self._bar: Any = None
        events.listen(self.hear)

    def follow(self, runs: Sequence[TaskRun]) -> None:
        """The tasks of the run."""
        self._runs = runs
        self._ended = sum(run.state.ended for run in runs)

    def in_flight(self) -> int:
        """How many remote jobs are running."""
        return sum(run.planned.is_remote and run.state is TaskState.RUNNING for run in self._runs)

    def say(self, text: str) -> None:
        """One line, beside whatever is shown."""
        if self._live is not None:
            self._live.console.print(redactor(text), markup=False, highlight=False)
        else:
            print(redactor(text), file=sys.stderr, flush=True)
        self._spoke = time.monotonic()

    def hear(self, event: Event) -> None:
        """See `engine.events.Events.listen`."""
        if event.kind == "task" and event.state is not None:
            self._task(event.task, event.state, event.message)
        elif event.kind == "remote":
            self._line(event.task, "", event.message)
        elif event.kind == "transfer" and event.task in self._active:
            self._active[event.task] = _amount(event.data)
        self._refresh()

    def _task(self, address: str, state: TaskState, message: str) -> None:
        if state.ended:
            self._active.pop(address, None)
            self._ended += 1
        else:
            self._active[address] = message or state.value
        if self._live is None or state is TaskState.FAILED:
            self._line(address, state.value, message)

    def _line(self, address: str, state: str, message: str) -> None:
        if not self._quiet:
            self.say(" ".join(part for part in (address, state.replace("_", " "), message and f"({message})") if part))

    def _refresh(self) -> None:
        if self._bar is not None:
            self._bar.update(self._ended, self._active)

    # -- life

    def __enter__(self) -> Progress:
        if not self._quiet and _is_terminal():
            self._start_bar()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._refresh()
            self._live.stop()
            self._live = None

    def _start_bar(self) -> None:
        try:
            from .bar import Bar
        except ImportError:  # rich is an extra; plain lines do as well
            return
        self._bar = Bar(len(self._plan.tasks), _ACTIVE)
        self._live = self._bar.live
        self._live.start()

    async def heartbeat(self, sleep: Any) -> None:
        """Say from time to time that the run is alive, so that a log of CI is never silent for long."""
        while True:
            await sleep(1.0)
            if self._live is None and not self._quiet and time.monotonic() - self._spoke >= _HEARTBEAT:
                gone = show_duration(time.monotonic() - self._begun)
                count = f"{self._ended} of {len(self._runs)} tasks ended, {len(self._active)} active"
                self.say(f"still running after {gone}: {count}")


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def _amount(data: dict[str, Any]) -> str:
    done, whole = data.get("bytes", 0), data.get("total")
    share = f" of {whole / 1e6:.1f}" if whole else ""
    return f"{done / 1e6:.1f}{share} MB"
