"""What every handler works with, found through the request."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from .rendering import Renderer
    from .settings import Settings
    from .signing import Links
    from .store import Store


@dataclass(frozen=True)
class Counts:
    """What happened since the start or the last reset; in memory, because only tests and benchmarks read it."""

    requests: Counter[str] = field(default_factory=Counter)  # by method and route
    answers: Counter[int] = field(default_factory=Counter)  # by HTTP status
    client_errors: Counter[str] = field(default_factory=Counter)  # things a careful client never does

    def reset(self) -> None:
        """Start again from zero."""
        for counter in (self.requests, self.answers, self.client_errors):
            counter.clear()


@dataclass(frozen=True)
class Sandbox:
    """One running sandbox."""

    settings: Settings
    store: Store
    links: Links
    renderer: Renderer
    counts: Counts = field(default_factory=Counts)
    in_flight: set[tuple[str, str]] = field(default_factory=set)  # scope and key of creates being answered

    def file(self, relative: str) -> Path:
        """The absolute place of a file that the database names relative to the data directory."""
        return self.settings.data / relative


def sandbox_of(request: Request) -> Sandbox:
    """The sandbox that answers this request."""
    return cast("Sandbox", request.app.state.sandbox)


def base_url(request: Request) -> str:
    """Scheme, host and port as the client wrote them, without a slash at the end.

    URLs are built from it, so they stay right when a restart brings another port.
    """
    return str(request.base_url).rstrip("/")


def new_id(prefix: str) -> str:
    """An id that nobody can guess: asset URLs are public and rely on it."""
    return f"{prefix}_{secrets.token_hex(12)}"
