"""What an operation is given for one task: the provider's client, paths inside the allowed folders, fresh URLs."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.operation import Done, RemoteOperation
from ..core.values import Media
from ..errors import Ambiguous, InvalidInput, NotReady, Retryable
from ..expressions import ExpressionError
from ..plan.targets import sha256_of
from .download import ExpiredUrl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.operation import Client
    from .services import Services
    from .sessions import Session

log = logging.getLogger("callsheet.operation")
_FRESH_ATTEMPTS = 5


class TaskContext:
    """Implements `core.operation.Context`."""

    def __init__(self, services: Services, task: str, session: Session | None, key: str = "", tag: str = "") -> None:
        self._services = services
        self._session = session
        self.task = task
        self.key = key
        self.tag = tag
        self.job_dir = Path(services.folder)
        self.log = log
        self._urls: dict[str, str] = {}

    @property
    def client(self) -> Client:
        """See `Context.client`."""
        if self._session is None:
            raise InvalidInput("this operation has no provider, so it has no client")
        return self._session.client

    async def url(self, media: Media) -> str:
        """See `Context.url`."""
        if media.url is not None:
            return media.url
        if media.fresh is not None:
            return media.fresh
        if media.origin is None:
            raise InvalidInput(f"this {media.kind} has no URL", hint="it has to be uploaded first")
        if media.origin not in self._urls:  # one and the same for all sendings of a request: a key has one body
            self._urls[media.origin] = await self._reread(media)
        return self._urls[media.origin]

    def target(self, name: str) -> Path:
        """See `Context.target`."""
        path = self._services.targets.path(name)
        if path is None:
            raise InvalidInput(
                f'"{name}" is not a file inside the job\'s folder', hint="allow a folder: --allow-root DIR"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InvalidInput(f'the folder of "{name}" cannot be made: {problem.strerror}') from None
        return path

    def source(self, name: str) -> Path:
        """See `Context.source`."""
        path = self._services.targets.path(name)
        if path is None or not path.is_file():
            raise InvalidInput(f'there is no file "{name}" inside the job\'s folder')
        return path

    def render(self, template: str, data: Mapping[str, Any]) -> str:
        """See `Context.render`."""
        try:
            value = self._services.expressions.compile(template).render(dict(data))
        except ExpressionError as problem:
            raise InvalidInput(f"line {problem.line + 1}: {problem.message}", hint=problem.hint) from None
        return value if isinstance(value, str) else str(value)

    async def fetch(self, media: Media, target: Path, *, overwrite: bool = False) -> Media:
        """See `Context.fetch`."""
        mine = self._services.wrote(target)
        if target.exists() and not mine and not overwrite:
            raise InvalidInput(
                f'"{target.name}" is there already and was not written by callsheet',
                hint='move it away, or set "overwrite: true"',
            )
        await self._services.state.claim_file(str(target))
        if media.path is not None:
            return await asyncio.to_thread(_copied, media, target)
        return await self._download(media, target)

    async def _download(self, media: Media, target: Path) -> Media:
        url = await self.url(media)
        for attempt in range(2):  # a URL that expired is read again once; the engine repeats the rest at its own pace
            try:
                found = await self._services.downloader.download(
                    url,
                    target,
                    kind=media.kind,
                    allow_private=self._services.allows_private(media),
                    progress=lambda done, total: self._services.transfer(self.task, done, total),
                )
            except ExpiredUrl:
                if attempt or media.origin is None:
                    raise
                url = await self._reread(media)
                continue
            return replace(
                media, path=str(target), origin=None, fresh=None, expected=None, account=None, url=None,
                sha256=found.sha256, bytes=found.size, mime=found.mime or media.mime,
            )  # fmt: skip
        raise AssertionError("unreachable")

    async def _reread(self, media: Media) -> str:
        """Ask the provider for a URL of a finished job's result that works now."""
        key, _, name = (media.origin or "").partition("/")
        submission = self._services.state.submissions([(media.account or "", key)]).get((media.account or "", key))
        if submission is None or submission.handle is None:
            raise InvalidInput(f"the state does not know where this {media.kind} came from")
        prefix, _, short = submission.operation.partition("/")
        operation = self._services.registry.plugin(prefix).operations[short]
        assert isinstance(operation, RemoteOperation)
        session = await self._services.sessions.session(prefix)
        context = TaskContext(self._services, self.task, session, submission.idempotency_key, submission.tag)
        for attempt in range(1, _FRESH_ATTEMPTS + 1):
            try:
                answer = await operation.check(submission.handle, context)
                fresh = answer.outputs.get(name) if isinstance(answer, Done) else None
                if isinstance(fresh, Media) and fresh.fresh:
                    return fresh.fresh
            except (Retryable, Ambiguous):
                if attempt == _FRESH_ATTEMPTS:
                    raise
            await self._services.clock.sleep(self._services.timing.backoff(attempt))
        raise NotReady(f'the provider gives no URL for "{name}"')


def _copied(media: Media, target: Path) -> Media:
    """A local file copied beside its target, synced, and renamed into place."""
    source = Path(media.path or "")
    part = target.with_name(f".{target.name}.part")
    try:
        with source.open("rb") as reader, part.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
            writer.flush()
            os.fsync(writer.fileno())
        part.replace(target)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise InvalidInput(f'"{target.name}" cannot be written: {problem.strerror}') from None
    digest = media.sha256 or sha256_of(target)
    return replace(media, path=str(target), sha256=digest, bytes=target.stat().st_size, account=None, asset=None)
