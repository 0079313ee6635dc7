"""The HeyGen provider: `upload`, `lipsync`, `translate`, `speech` and `video` over HeyGen's v3 API.

The operations are data, in ``operations``; only the upload needs code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callsheet.api import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callsheet.api import BaseOperation, Provider


@hookimpl
def callsheet_operations() -> Iterable[BaseOperation]:
    """The operations, read from their files when a job first needs them."""
    from .catalog import operations

    return operations()


@hookimpl
def callsheet_provider() -> Provider:
    """HeyGen itself."""
    from .provider import HeyGen

    return HeyGen()
