"""Presigned URLs: a path, an expiry and a signature over both, so that a link needs no API key and dies by itself."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from .errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Links:
    """Makes and checks the URLs of one account."""

    def __init__(self, secret: bytes, lifetime: float) -> None:
        self._secret = secret
        self.lifetime = lifetime

    def presign(self, method: str, base_url: str, path: str) -> str:
        """``base_url`` and ``path`` as a URL that works for ``method`` until the lifetime is over."""
        expires = f"{time.time() + self.lifetime:.3f}"
        query = urlencode({"expires": expires, "signature": self._sign(method, path, expires)})
        return f"{base_url}{quote(path)}?{query}"

    def check(self, method: str, path: str, query: Mapping[str, str]) -> None:
        """Raise a 403 unless the signature fits and its time is not over."""
        expires = query.get("expires", "")
        if not hmac.compare_digest(self._sign(method, path, expires), query.get("signature", "")):
            raise StorageError(403, "SignatureDoesNotMatch", "the signature does not fit this request")
        if float(expires) < time.time():
            raise StorageError(403, "AccessDenied", "request has expired")

    def _sign(self, method: str, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{method}\n{path}\n{expires}".encode(), hashlib.sha256).hexdigest()
