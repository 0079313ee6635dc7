"""HeyGen as a provider: its key, its limits, and who the account is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from callsheet.api import (
    AccessRefused,
    Connection,
    CredentialsError,
    Limits,
    Pace,
    Provider,
    RateLimited,
    Retryable,
    Schema,
    ServerError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callsheet.api import Client

API = "https://api.heygen.com"
KEY, KEY_FILE, BASE = "HEYGEN_API_KEY", "HEYGEN_API_KEY_FILE", "HEYGEN_API_BASE"
HINT = f"create a key at HeyGen (Settings, API) and set it: export {KEY}=…, or {KEY_FILE}=<file that holds it>"


class HeyGen(Provider):
    """Settings stand in ``[providers.heygen]`` of callsheet.toml, the key only in the environment."""

    name = "heygen"
    settings: Schema = {
        "type": "object",
        "properties": {
            "api_base": {
                "type": "string",
                "pattern": "^https?://",
                "description": f"Address of the API; {BASE} in the environment wins. Default: {API}.",
            },
            "concurrency": {
                "type": "integer",
                "minimum": 1,
                "description": "How many jobs may run at HeyGen at once. Default: 10, the pay-as-you-go plan's limit.",
            },
            "requests_per_second": {
                "type": "number",
                "exclusiveMinimum": 0,
                "description": "How many requests may be sent per second; HeyGen publishes no limit. Default: 5.",
            },
            "poll": {
                "type": "object",
                "description": "How often to ask after a job, in seconds; each operation has its own default.",
                "properties": {
                    "first": {"type": "number", "exclusiveMinimum": 0, "description": "The first wait."},
                    "longest": {"type": "number", "exclusiveMinimum": 0, "description": "The longest wait."},
                },
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    }

    def limits(self, settings: Mapping[str, Any]) -> Limits:
        """Ten jobs at once unless the settings say otherwise; HeyGen counts over all machines of an account."""
        poll = {name: float(seconds) for name, seconds in settings.get("poll", {}).items()}
        return Limits(
            jobs={"jobs": settings.get("concurrency", 10)},
            requests_per_second=float(settings.get("requests_per_second", 5.0)),
            pace=Pace(**poll) if poll else None,
        )

    def connect(self, settings: Mapping[str, Any], env: Mapping[str, str]) -> Connection:
        """The key from the environment. `CredentialsError` says how to set it."""
        key = _key(env)
        base = (env.get(BASE) or settings.get("api_base") or API).rstrip("/")
        parts = urlsplit(base)
        odd = parts.username or parts.password or parts.query or parts.fragment
        if parts.scheme not in {"http", "https"} or not parts.hostname or odd:
            # Not shown: it may hold a password.
            raise CredentialsError(f"{BASE} (or api_base) is not the address of an API", hint=f"one is {API}")
        digest = hashlib.sha256(f"{key}\n{base}".encode()).hexdigest()
        return Connection(base, {"X-Api-Key": key}, frozenset({key}), digest)

    async def identify(self, client: Client) -> str:
        """The account's user name at HeyGen, with the host. One free request: `GET /v3/users/me`.

        The reply has been seen with an old envelope around it, so only ``data`` is read.
        """
        reply = await client.request("GET", "/v3/users/me")
        if reply.status in {401, 403}:
            raise AccessRefused(f"HeyGen refuses the key (HTTP {reply.status})", hint=HINT)
        if reply.status == 429:
            raise RateLimited("HeyGen answers too many requests (HTTP 429)")
        if not reply.ok:
            raise ServerError(f"HeyGen does not say whose key it is (HTTP {reply.status})")
        try:
            data = reply.json()["data"]
            user = data.get("username") or data.get("email")
        except (ValueError, KeyError, TypeError, AttributeError):
            user = None
        if not isinstance(user, str) or not user:
            raise Retryable("HeyGen does not say whose key it is: no user name in the answer")
        return f"{user}@{urlsplit(reply.url).hostname}" if urlsplit(reply.url).hostname else user


def _key(env: Mapping[str, str]) -> str:
    key = env.get(KEY, "")
    file = env.get(KEY_FILE, "")
    if not key and file:
        try:
            key = Path(file).expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise CredentialsError(f'{KEY_FILE}: cannot read "{file}": {type(problem).__name__}', hint=HINT) from None
    key = key.strip()
    if not key:
        raise CredentialsError("there is no HeyGen API key", hint=HINT)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise CredentialsError("the HeyGen API key has characters that no key has", hint=HINT)
    return key
