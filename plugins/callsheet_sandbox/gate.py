"""What happens to every request: request id, host check, API key, counting, and the last line of defence.

Plain ASGI, because Starlette's BaseHTTPMiddleware would copy every streamed chunk through a queue.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from .errors import ApiError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost"})
log = logging.getLogger(__name__)


class Gate:
    """Lets a request in, or answers why not."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._key = settings.api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = body_ended = False

        async def receive_watched() -> Message:
            nonlocal body_ended
            message = await receive()
            body_ended = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_numbered(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                # A client that is still sending would see a reset connection instead of the refusal.
                while message["status"] >= 400 and not body_ended:
                    await receive_watched()
                MutableHeaders(scope=message)["X-Request-Id"] = f"req_{secrets.token_hex(8)}"
                scope["app"].state.sandbox.counts.answers[message["status"]] += 1
            await send(message)

        try:
            self._admit(scope)
            await self._app(scope, receive_watched, send_numbered)
        except ApiError as refusal:
            await JSONResponse(refusal.envelope(), refusal.status)(scope, receive_watched, send_numbered)
        except ClientDisconnect:
            pass  # nobody is left to answer
        except Exception:
            log.exception("the sandbox failed on %s %s", scope["method"], scope["path"])
            if started:
                raise
            failure = ApiError(500, "internal_error", "the sandbox failed; see its log.")
            await JSONResponse(failure.envelope(), failure.status)(scope, receive_watched, send_numbered)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        # A web page could reach a loopback server through a name that it points here.
        if headers.get("host", "").rsplit(":", 1)[0] not in LOOPBACK:
            raise ApiError(400, "invalid_host", "the sandbox answers to 127.0.0.1 and localhost only.")
        key = headers.get("x-api-key", "").encode()
        if scope["path"].startswith("/v3/") and not hmac.compare_digest(key, self._key):
            raise ApiError(401, "authentication_failed", "invalid or missing API key; check your X-Api-Key header.")
