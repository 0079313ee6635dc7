"""``start_time`` and ``end_time`` of lipsyncs and translations: the sound outside of them is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread

from .errors import MediaError, invalid
from .media import probe

if TYPE_CHECKING:
    from .context import Sandbox

TOLERANCE = 0.1  # seconds that a rounded duration may be too long


async def check_window(sandbox: Sandbox, body: dict[str, Any], picture: str) -> dict[str, float | None]:
    """The two times as the work order wants them; 400 if they do not lie in the video."""
    start, end = body.get("start_time"), body.get("end_time")
    if end is not None and end <= (start or 0):
        raise invalid("'end_time' must be later than 'start_time'.", "end_time")
    if (start or end is not None) and sandbox.settings.media:
        try:
            seconds = await anyio.to_thread.run_sync(probe.video_seconds, sandbox.file(picture))
        except MediaError as error:
            raise invalid(f"{error}.", "video") from None
        if (start or 0) >= seconds:
            raise invalid(f"'start_time' lies after the end of the video ({seconds:.2f} s).", "start_time")
        if end is not None and end > seconds + TOLERANCE:
            raise invalid(f"'end_time' lies after the end of the video ({seconds:.2f} s).", "end_time")
    return {"start": start, "end": end}
