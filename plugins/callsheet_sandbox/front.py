"""The plain statement of what this is, and the page that shows it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

STATEMENT = (
    "This is a sandbox, not HeyGen. It does not animate lips: it replaces the sound and keeps every picture. "
    "Its voices are robotic (espeak-ng), a translation is a placeholder sentence in the target language, "
    "and an avatar is a drawn sign. It costs nothing and sends nothing to the internet."
)


async def page(_: Request) -> Response:
    """GET /."""
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><title>callsheet sandbox</title>"
        f"<h1>callsheet sandbox</h1><p>{escape(STATEMENT)}</p>"
        "<p>The API is under <code>/v3</code>; "
        "<a href=/_sandbox/state>/_sandbox/state</a> shows what was asked of it.</p>"
    )
