"""Files that a request names: assets of the account, or URLs of this sandbox (it fetches nothing from elsewhere)."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import asset_table
from .asset_table import ASSETS
from .context import Sandbox, new_id
from .errors import ApiError, StorageError, invalid, missing, not_ready
from .gate import LOOPBACK
from .media import probe
from .rendering import RESULTS


def resolve(sandbox: Sandbox, given: dict[str, Any], param: str, kind: str) -> str:
    """The file behind an asset input, relative to the data directory; 400, 404 or 409 if it cannot be used.

    ``kind`` is what the file must be: video, audio, image or subtitle.
    """
    if given["type"] == "asset_id":
        return of_asset(sandbox, given["asset_id"], f"{param}.asset_id", kind)
    if given["type"] == "url":
        return of_url(sandbox, given["url"], f"{param}.url", kind)
    return _of_base64(sandbox, given, param, kind)


def of_asset(sandbox: Sandbox, identifier: str, param: str, kind: str) -> str:
    """The bytes of an asset."""
    asset = asset_table.find(sandbox.store, identifier)
    if asset is None:
        raise missing("asset", identifier, param)
    if asset.status != "ready":
        raise not_ready(f"asset '{identifier}' is not completed.", param)
    if probe.kind_of(asset.mime) != kind:
        raise invalid(f"'{param}' must be a file of kind {kind}, but '{identifier}' is '{asset.mime}'.", param)
    return asset.path


def of_url(sandbox: Sandbox, url: str, param: str, kind: str) -> str:
    """The bytes behind a result URL or a public asset URL of this data directory, whatever port it was made on."""
    parts = urlsplit(url)
    segments = unquote(parts.path).split("/")
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK or segments[:2] != ["", "media"]:
        raise _not_downloaded(
            "the sandbox fetches nothing from other hosts; upload the file and use its asset id.", param
        )
    if len(segments) == 5 and segments[2] == "assets":
        return _small(sandbox, of_asset(sandbox, segments[3], param, kind), param)
    if len(segments) != 5 or segments[2] != "results" or {".", ".."} & set(segments):
        raise _not_downloaded("no such file.", param)
    try:
        sandbox.links.check("GET", unquote(parts.path), dict(parse_qsl(parts.query)))
    except StorageError as refusal:
        raise _not_downloaded(f"the URL answered {refusal.status}: {refusal.message}.", param) from None
    return _small(sandbox, _of_kind(sandbox, f"{RESULTS}/{segments[3]}/{segments[4]}", param, kind), param)


def _of_kind(sandbox: Sandbox, path: str, param: str, kind: str) -> str:
    try:
        with sandbox.file(path).open("rb") as file:
            mime = probe.sniff(file.read(probe.HEAD_BYTES)) or "application/octet-stream"
    except OSError:
        raise _not_downloaded("no such file.", param) from None
    if probe.kind_of(mime) != kind:
        raise invalid(f"'{param}' must be a file of kind {kind}, but it is '{mime}'.", param)
    return path


def _small(sandbox: Sandbox, path: str, param: str) -> str:
    limit = sandbox.settings.max_multipart
    if sandbox.file(path).stat().st_size > limit:
        raise _not_downloaded(f"the maximum size for URL inputs is {limit} bytes; use a direct upload.", param)
    return path


def _of_base64(sandbox: Sandbox, given: dict[str, Any], param: str, kind: str) -> str:
    try:
        content = base64.b64decode(given["data"], validate=True)
    except binascii.Error:
        raise invalid(f"'{param}.data' is not base64.", f"{param}.data") from None
    if len(content) > sandbox.settings.max_multipart:
        raise ApiError(413, "file_too_large", f"'{param}.data' exceeds the limit of inline files.", param=param)
    if probe.sniff(content[: probe.HEAD_BYTES]) != given["media_type"]:
        raise invalid(f"the bytes of '{param}.data' are not '{given['media_type']}'.", f"{param}.media_type")
    path = f"{ASSETS}/{new_id('inline')}"
    sandbox.file(path).write_bytes(content)
    return _of_kind(sandbox, path, param, kind)


def _not_downloaded(message: str, param: str) -> ApiError:
    return ApiError(400, "download_failed", message, param=param)
