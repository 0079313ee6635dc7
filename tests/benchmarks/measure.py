"""Whole processes measured: CPU time, wall time and peak memory, the median of several runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU and wall time in seconds, peak resident memory in MB; medians."""

    cpu: float
    wall: float
    peak_mb: float


def measured(
    command: Sequence[str], runs: int = 3, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Figures:
    """Run a command several times. A command that fails ends the benchmark with its output."""
    found = [once(command, env, cwd) for _ in range(runs)]
    return Figures(
        statistics.median(f.cpu for f in found),
        statistics.median(f.wall for f in found),
        statistics.median(f.peak_mb for f in found),
    )


def once(command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Figures:
    """Run a command once."""
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, cwd=cwd
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{output.decode(errors='replace')[-4000:]}")
    return Figures(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def report(name: str, ours: Figures, floor: Figures, goal: float) -> None:
    """One line: our figure, the floor's, the ratio and the goal."""
    ratio = ours.cpu / floor.cpu
    verdict = "ok" if ratio <= goal else "MISSED"
    print(f"{name}: {ours.cpu:.2f} s CPU against {floor.cpu:.2f} s = {ratio:.2f} × (goal {goal} ×) {verdict}")
