"""Reading a provider's replies: what they mean for a purchase, and what to tell people.

The rules, from what clients of such APIs got wrong: decide by the status first and by codes second; a body may be
anything, an HTML page of a gateway too; a 2xx may carry an error; trouble after a paid request is only harmless when
the same key may be sent again; trouble while asking after a job says nothing about the job.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.retry_after import http_date, parse_retry_after
from ..errors import AccessRefused, Ambiguous, OperationError, RateLimited, Rejected, Retryable, ServerError
from .pointers import at

if TYPE_CHECKING:
    from ..core.operation import Repeat, Reply
    from .dialect import Dialect, ErrorRule

_LONGEST = 500  # characters of a provider's text that are worth showing
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def document(reply: Reply) -> Any:
    """The body as JSON; None when it is something else."""
    try:
        return reply.json()
    except (ValueError, RecursionError):
        return None


def plain(text: object) -> str:
    """A provider's text for people: one line, not endless, without the queries of URLs, which may be credentials."""
    line = " ".join(_UNPRINTABLE.sub(" ", _QUERY.sub(r"\1?…", str(text))).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


@dataclass(frozen=True, slots=True)
class Told:
    """What an error reply says. All of it may be empty."""

    code: str
    text: str
    param: str
    request_id: str


def hear(dialect: Dialect, reply: Reply) -> Told:
    """Read an error reply, whatever its form."""
    body = document(reply)

    def word(pointer: str) -> str:
        value = at(body, pointer)
        return plain(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    return Told(
        word(dialect.code), word(dialect.text), word(dialect.param), plain(reply.headers.get(dialect.request_id, ""))
    )


def refused(dialect: Dialect, reply: Reply, repeat: Repeat) -> OperationError:
    """The error for a request that did something and was not answered with 2xx."""
    told = hear(dialect, reply)
    if 300 <= reply.status < 400:
        return _error(
            Rejected, dialect, reply, told, "a redirect, which is never followed: check the API's base address"
        )
    rule = dialect.rule(reply.status, told.code)
    kind = rule.error if rule else ServerError if reply.status >= 500 else Rejected
    if kind is ServerError and repeat.kind not in {"keyed", "pure"}:
        # Without a key nothing tells whether the work has begun, so it must not be sent again blindly.
        return _error(Ambiguous, dialect, reply, told)
    return _error(kind, dialect, reply, told, hint=_hint(rule))


def failed_2xx(dialect: Dialect, reply: Reply) -> OperationError | None:
    """The error inside a 2xx reply; None when it carries none."""
    if at(document(reply), dialect.error) is None:
        return None
    told = hear(dialect, reply)
    rule = next((rule for rule in dialect.rules if told.code.lower() in rule.codes), None)
    return _error(rule.error if rule else Rejected, dialect, reply, told, hint=_hint(rule))


def unclear(dialect: Dialect, reply: Reply, repeat: Repeat, missing: str) -> OperationError:
    """The error for a 2xx reply that lacks what makes it useful: accepted, most likely, but out of sight."""
    told = hear(dialect, reply)
    if repeat.kind == "pure":
        return _error(ServerError, dialect, reply, told, f"no {missing} in the answer")
    return _error(Ambiguous, dialect, reply, told, f"accepted, {missing} unknown: the answer does not name it")


def poll_trouble(dialect: Dialect, reply: Reply) -> OperationError:
    """The error for an unanswered question after a job. Never final for the job: only the key can be refused."""
    told = hear(dialect, reply)
    rule = dialect.rule(reply.status, told.code)
    if rule and rule.error is AccessRefused:
        return _error(AccessRefused, dialect, reply, told, hint=rule.hint)
    if reply.status == 429:
        return _error(RateLimited, dialect, reply, told)
    return _error(ServerError if reply.status >= 500 else Retryable, dialect, reply, told)


def job_failed(dialect: Dialect, reply: Reply, code: object, text: object) -> Rejected:
    """The error for a job that the provider reports as failed; both reasons may be missing."""
    reason = plain(text) if text else plain(code) if code else "it gives no reason"
    request_id = plain(reply.headers.get(dialect.request_id, ""))
    return Rejected(f"{dialect.provider} could not do it: {reason}", code=plain(code or ""), request_id=request_id)


def _hint(rule: ErrorRule | None) -> str:
    return rule.hint if rule else ""


def _error(
    kind: type[OperationError], dialect: Dialect, reply: Reply, told: Told, says: str = "", *, hint: str = ""
) -> OperationError:
    details = [
        f"HTTP {reply.status}",
        told.code,
        f'param "{told.param}"' if told.param else "",
        f"request id {told.request_id}" if told.request_id else "",
    ]
    text = says or told.text or "no reason given"
    message = f"{dialect.provider}: {text} ({', '.join(detail for detail in details if detail)})"
    facts: dict[str, Any] = {"hint": hint, "code": told.code or str(reply.status), "request_id": told.request_id}
    if issubclass(kind, Retryable):
        # By the server's own clock, where it tells it: this machine's may be wrong.
        now = http_date(reply.headers.get("date")) or time.time()
        facts["retry_after"] = parse_retry_after(reply.headers.get("retry-after"), now)
    return kind(message, **facts)
