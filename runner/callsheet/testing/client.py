"""A provider's client whose answers a test writes down."""

from __future__ import annotations

import json as jsonlib
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.operation import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    #: Method, path (``*`` and ``?`` as in file names), and the answer: a `Reply`, an exception to raise, or JSON.
    Scripted = tuple[str, str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request that an operation made. ``file`` is the local file that it sent."""

    method: str
    path: str
    json: Any = None
    params: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    file: Path | None = None


class ScriptedClient:
    """Implements `callsheet.api.Client`.

    ``script`` holds (method, path, answer); answers to the same request are given in order, the last one for ever. A
    path may hold ``*`` and ``?``. ``requests`` is the record. A request that is not there raises AssertionError.
    """

    def __init__(self, script: Iterable[Scripted] = (), *, account: str = "test-account") -> None:
        self.account = account
        self.requests: list[Request] = []
        self._script: dict[tuple[str, str], deque[Any]] = {}
        for method, path, answer in script:
            self._script.setdefault((method.upper(), path), deque()).append(answer)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        file: tuple[str, Path, str] | None = None,
    ) -> Reply:
        """See `Client.request`."""
        # A copy, through JSON: it must be JSON anyway, and the record must not change when the caller's value does.
        body = jsonlib.loads(jsonlib.dumps(json))
        sent = file[1] if file is not None else None
        self.requests.append(Request(method.upper(), path, body, dict(params or {}), dict(headers or {}), sent))
        return self._answer(method.upper(), path)

    async def put_file(self, url: str, file: Path, headers: Mapping[str, str]) -> Reply:
        """See `Client.put_file`."""
        self.requests.append(Request("PUT", url, None, {}, dict(headers), Path(file)))
        return self._answer("PUT", url)

    def _answer(self, method: str, path: str) -> Reply:
        for (known_method, pattern), answers in self._script.items():
            if method == known_method and (path == pattern or fnmatchcase(path, pattern)):
                answer = answers.popleft() if len(answers) > 1 else answers[0]
                if isinstance(answer, BaseException):
                    raise answer
                return answer if isinstance(answer, Reply) else json_reply(answer)
        known = ", ".join(f"{m} {p}" for m, p in self._script) or "nothing"
        raise AssertionError(f"{method} {path} is not in the script, which has {known}")


def json_reply(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with a JSON document. Header names in lower case."""
    known = {"content-type": "application/json", **(headers or {})}
    return Reply(status, known, jsonlib.dumps(document).encode())
