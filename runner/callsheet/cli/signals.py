"""Ctrl-C and SIGTERM: the first stops submitting and keeps the state, the second leaves at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..engine.stop import Stop


class Speaker(Protocol):
    """Says something to the person at the terminal."""

    def say(self, text: str) -> None:
        """One line."""
        ...

    def in_flight(self) -> int:
        """How many remote jobs are running."""
        ...


@contextlib.contextmanager
def stopping() -> Iterator[Callable[[Stop, Speaker], None]]:
    """While a run goes on, signals stop it gently. Gives the function that tells what to stop."""
    loop = asyncio.get_running_loop()
    handled = (signal.SIGINT, signal.SIGTERM)

    def begin(stop: Stop, speaker: Speaker) -> None:
        def caught(number: int) -> None:
            if stop.now:
                # A second signal means now. Everything that matters is in the state already.
                os._exit(128 + number)
            count = speaker.in_flight()
            stop.interrupt(number)
            what = (
                f"{count} remote job{'' if count == 1 else 's'} run on at the provider" if count else "nothing runs on"
            )
            speaker.say(f"stopping: nothing more is submitted, {what}; once more to leave at once")

        for number in handled:
            loop.add_signal_handler(number, caught, int(number))

    try:
        yield begin
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
