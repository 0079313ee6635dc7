"""Keys made from content: equal work has an equal key, whoever asks for it and whenever.

The layout follows the design of the state: the purchase key names *what* is bought, the idempotency key one attempt to
buy it. Both are deterministic, so even without a state two machines send the same key for the same work.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from .values import Media

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VERSION = 1


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; media by their identity. Equal values give equal text, others do not."""
    media = _Media()
    text = _dump(value, media)
    if text.count(_MARK) == media.count:
        return text
    return "escaped:" + _dump(_escaped(value), _Media())  # somebody's map looks like media


_MARK = '"$media":'


class _Media:
    """Writes media, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, value: object) -> Any:
        if not isinstance(value, Media):
            raise TypeError(f"{type(value).__name__} cannot be part of a key")
        identity = value.identity
        if identity is None:
            raise ValueError(f"{value.kind} has no content yet")
        self.count += 1
        return {"$media": identity}


def _dump(value: Any, media: _Media) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=media)


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {f"${key}" if str(key).startswith("$") else key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


def digest(value: Any) -> str:
    """sha256 of `canonical`, as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def purchase_key(
    operation: str, version: int, account: str, inputs: Mapping[str, Any], cosmetic: Iterable[str] = ()
) -> str:
    """The identity of a piece of work, as 64 hex digits.

    ``account`` is empty for local work. ``cosmetic`` inputs (a title, a folder) do not make it other work. Raises
    ValueError when an input's content is not known yet.
    """
    kept = {name: value for name, value in inputs.items() if name not in frozenset(cosmetic)}
    return digest({"v": _VERSION, "operation": operation, "version": version, "account": account, "inputs": kept})


def idempotency_key(account: str, operation: str, key: str, generation: int) -> str:
    """The key that is sent: ``cs1-`` + 40 hex + ``-`` + generation, within HeyGen's ``[A-Za-z0-9_:.-]{1,255}``."""
    return f"cs1-{digest([account, operation, key])[:40]}-{generation}"


def tag(idempotency: str) -> str:
    """The short mark by which a remote job is found again in the provider's lists: ``cs:`` + 16 hex."""
    return f"cs:{hashlib.sha256(idempotency.encode()).hexdigest()[:16]}"
