"""The `Retry-After` header: seconds, or a date."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}(\.\d+)?", re.ASCII)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """How many seconds to wait, from ``now`` (Unix time).

    Both forms of RFC 9110, 10.2.3 are read. None when the header is missing, negative, in the past or garbage; then the
    caller's own backoff counts.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    until = http_date(text)
    return until - now if until is not None and until > now else None


def http_date(text: str | None) -> float | None:
    """An HTTP date as Unix time; None for anything else."""
    try:
        moment = parsedate_to_datetime(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
