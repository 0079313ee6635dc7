"""When to ask after a remote job: near its expected end, learnt from the jobs before it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ..core.values import Media, known_part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.operation import Limits, RemoteOperation
    from .services import Services


class Durations:
    """How long the last jobs of an operation took, per second of media where that is known. It keeps polls few."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=10)

    def learn(self, running: float | None, ended: float, weight: float) -> None:
        """A job was still at work after ``running`` seconds (None: not asked before) and at its end after ``ended``."""
        # At the end with the first question says "at most": the next is asked a little earlier.
        seconds = 0.995 * ended if running is None else running + (ended - running) / 4
        self._last.append(seconds / weight)

    def expected(self, weight: float) -> float | None:
        """When a quarter of such jobs have ended, in seconds; None while nothing is known."""
        return sorted(self._last)[len(self._last) // 4] * weight if self._last else None


class Rhythm:
    """The waits between the questions after one job, in seconds."""

    def __init__(
        self, services: Services, operation: RemoteOperation, limits: Limits, inputs: Mapping[str, Any]
    ) -> None:
        self._pace = limits.pace or operation.pace
        self._lasted = services.lasted[operation.name]
        predicted = operation.predict(known_part(dict(inputs))).values()
        # Work takes a multiple of the seconds of media that it makes.
        self._weight = max((m.seconds[1] for m in predicted if isinstance(m, Media) and m.seconds), default=1.0) or 1.0
        self._expected = self._lasted.expected(self._weight)
        self._asked_again = False

    def first(self) -> float:
        """How long to wait before the first question."""
        return max(self._pace.first, self._expected or 0.0)

    def next(self, asked: float) -> float:
        """How long to wait after a question at ``asked`` seconds: a share of that, less right at the expected end."""
        eager = self._expected is not None and not self._asked_again
        self._asked_again = True
        share = self._pace.share / (4 if eager else 1)
        return min(self._pace.longest, max(self._pace.first, asked * share))

    def learn(self, running: float | None, ended: float) -> None:
        """See `Durations.learn`."""
        self._lasted.learn(running, ended, self._weight)
