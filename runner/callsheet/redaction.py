"""Secrets out of everything that is written: logs, messages, crash reports."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORTEST = 6  # shorter values would blank out ordinary words
_QUERY = re.compile(r"(?P<base>https?://[^\s?\"'<>]+)\?[^\s\"'<>)\]}]+")


class Redactor:
    """Replaces known secrets, and the queries of URLs: a presigned URL is a key to a file."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def add(self, secrets: Iterable[str]) -> None:
        """Learn values that must appear nowhere."""
        self._secrets |= {secret for secret in secrets if len(secret) >= _SHORTEST}

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return _QUERY.sub(r"\g<base>?…", text)


class RedactingFormatter(logging.Formatter):
    """Redacts the finished text, so that arguments, tracebacks and other libraries' records are covered too."""

    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._inner = inner
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        return self._redactor(self._inner.format(record))
