"""The error answers of the API: one exception, one envelope.

Codes and classes follow HeyGen's error page: ``{"error": {"code", "message", "param", "doc_url"}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(Exception):
    """An answer other than success; raised anywhere below a handler."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = dict(headers or {})

    def envelope(self) -> dict[str, Any]:
        """The documented body of an error."""
        return {"error": {"code": self.code, "message": self.message, "param": self.param, "doc_url": None}}


def invalid(message: str, param: str | None = None) -> ApiError:
    """400: the request itself is wrong; repeating it will not help."""
    return ApiError(400, "invalid_parameter", message, param=param)


def missing(what: str, identifier: str, param: str | None = None) -> ApiError:
    """404: nothing with this id belongs to the account."""
    return ApiError(404, f"{what}_not_found", f"no {what} '{identifier}' in this account.", param=param)


def not_ready(message: str, param: str | None = None) -> ApiError:
    """409: the same request will work later."""
    return ApiError(409, "resource_not_ready", message, param=param)


def too_large(limit: int) -> ApiError:
    """413: more bytes than this way of sending them takes."""
    return ApiError(413, "file_too_large", f"the file exceeds the limit of {limit} bytes; use a direct upload.")


class StorageError(Exception):
    """An answer of the object storage, which speaks XML instead of the envelope, as presigned URLs do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def document(self) -> str:
        """The body; no quoting is needed because messages are fixed texts of this package."""
        return f"<?xml version='1.0'?><Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"


class MediaError(Exception):
    """A media file cannot be used; the message ends up as the job's ``failure_message``."""

    def __init__(self, message: str, code: str = "media_error") -> None:
        super().__init__(message)
        self.code = code
