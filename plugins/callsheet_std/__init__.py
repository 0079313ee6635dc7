"""Operations that need no provider: `std/download`, `std/render`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callsheet.api import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callsheet.api import BaseOperation


@hookimpl
def callsheet_operations() -> Iterable[BaseOperation]:
    """The operations of this plugin."""
    from .download import Download
    from .render import Render

    return (Download(), Render())
