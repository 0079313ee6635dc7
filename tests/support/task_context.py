"""What an operation is given, for tests of single operations: fixed keys, and URLs that media already have."""

from __future__ import annotations

import json as jsonlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callsheet.api import InvalidInput, Media, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "cs1-" + "ab" * 20 + "-1"
TAG = "cs:0123456789abcdef"


@dataclass
class OneReply:
    """A client that gives the same reply to everything, and remembers what it was asked."""

    reply: Reply
    account: str = "tester@host"
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def request(self, method: str, path: str, **more: Any) -> Reply:
        self.asked.append({"method": method, "path": path, **more})
        return self.reply

    async def put_file(self, url: str, file: Path, headers: Mapping[str, str]) -> Reply:
        self.asked.append({"method": "PUT", "path": url, "file": file, "headers": dict(headers)})
        return self.reply


def reply(status: int, document: Any = None, *, raw: bytes | None = None, **headers: str) -> Reply:
    """A reply; header names are written with underscores."""
    body = jsonlib.dumps(document).encode() if raw is None else raw
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, "https://api.test/x")


@dataclass
class TaskContext:
    """Implements `callsheet.api.Context` as far as single operations need it."""

    client: Any
    key: str = KEY
    tag: str = TAG
    task: str = "step"
    job_dir: Path = Path()
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("test"))

    async def url(self, media: Media) -> str:
        found = media.url or media.fresh
        if not found:
            raise InvalidInput("this media has no URL")
        return found

    def target(self, name: str) -> Path:
        return self.job_dir / name

    def source(self, name: str) -> Path:
        return self.job_dir / name

    async def fetch(self, media: Media, target: Path, *, overwrite: bool = False) -> Media:
        raise NotImplementedError
