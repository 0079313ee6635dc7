"""What an operation is given, for tests of single operations: a temporary job folder and a scripted client."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.fingerprint import idempotency_key, tag
from ..errors import InvalidInput
from ..expressions import ExpressionError, Expressions
from ..plan.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.operation import Client
    from ..core.values import Media

_KEY = idempotency_key("test-account", "test/operation", "0" * 64, 1)


@dataclass
class FakeContext:
    """Implements `callsheet.api.Context`, below one folder and without a network.

    ``service`` is what `client` gives; None means an operation without a provider. ``contents`` holds the bytes of
    media by URL; anything else is fetched as a line of text that names it.
    """

    job_dir: Path
    service: Client | None = None
    key: str = _KEY
    tag: str = tag(_KEY)
    task: str = "step"
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("callsheet.operation"))
    contents: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """See `Context.client`. Raises `InvalidInput` without a service, as the engine does."""
        if self.service is None:
            raise InvalidInput("this operation has no provider, so it has no client")
        return self.service

    async def url(self, media: Media) -> str:
        """See `Context.url`."""
        if media.url or media.fresh:
            return str(media.url or media.fresh)
        if media.origin is None:
            raise InvalidInput(f"this {media.kind} has no URL", hint="it has to be uploaded first")
        return f"https://results.invalid/{media.origin}"

    def target(self, name: str) -> Path:
        """See `Context.target`."""
        path = Targets(str(self.job_dir)).path(name)
        if path is None:
            raise InvalidInput(f'"{name}" is not a file inside the job\'s folder')
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def source(self, name: str) -> Path:
        """See `Context.source`."""
        path = Targets(str(self.job_dir)).path(name)
        if path is None or not path.is_file():
            raise InvalidInput(f'there is no file "{name}" inside the job\'s folder')
        return path

    def render(self, template: str, data: Mapping[str, Any]) -> str:
        """See `Context.render`."""
        try:
            value = Expressions().compile(template).render(dict(data))
        except ExpressionError as problem:
            raise InvalidInput(f"line {problem.line + 1}: {problem.message}", hint=problem.hint) from None
        return value if isinstance(value, str) else str(value)

    async def fetch(self, media: Media, target: Path, *, overwrite: bool = False) -> Media:
        """See `Context.fetch`. It overwrites always: a test runs an operation twice in the same folder."""
        content = await self._content(media)
        await asyncio.to_thread(target.write_bytes, content)
        return replace(
            media, path=str(target), sha256=hashlib.sha256(content).hexdigest(), bytes=len(content),
            url=None, asset=None, account=None, origin=None, fresh=None, expected=None,
        )  # fmt: skip

    async def _content(self, media: Media) -> bytes:
        if media.path is not None:
            return await asyncio.to_thread(Path(media.path).read_bytes)
        url = await self.url(media)
        return self.contents.get(url, f"the content of {url}\n".encode())
