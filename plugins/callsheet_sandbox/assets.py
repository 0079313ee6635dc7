"""Uploads: in one multipart request, or announced, put to a presigned URL and completed."""

from __future__ import annotations

import base64
import hashlib
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import JSONResponse, Response

from .asset_table import ASSETS, Asset, find, insert, mark, name_for_url, remove
from .context import Sandbox, base_url, new_id, sandbox_of
from .errors import invalid, missing, not_ready, too_large
from .media import probe
from .replay import Create, Draft, receive_json
from .validation import check, check_query, read_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from starlette.requests import Request

MULTIPART_TYPES = frozenset(
    {"image/png", "image/jpeg", "video/mp4", "video/webm", "audio/mpeg", "audio/wav", "application/pdf",
     "application/x-subrip", "audio/mp4", "video/quicktime"}
)  # fmt: skip
DIRECT_TYPES = MULTIPART_TYPES | {"application/zip"}
FORM_ROOM = 64 * 1024  # bytes for the frame of a multipart body


@dataclass(frozen=True)
class Uploaded:
    """A received file: where it lies for now, and what it is."""

    name: str
    mime: str
    size: int
    place: Path


async def _receive_file(request: Request) -> tuple[Uploaded, str]:
    sandbox = sandbox_of(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid("the upload must be multipart/form-data with one field 'file'.", "file")
    try:
        parser = MultiPartParser(request.headers, _capped(request, sandbox.settings.max_multipart), max_files=1)
        form = await parser.parse()
    except MultiPartException as error:
        raise invalid(f"the multipart body cannot be read: {error.message}") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise invalid("'file' is required.", "file")
        if len(form.multi_items()) > 1:
            other = next((name for name in form if name != "file"), "file")
            raise invalid(f"unknown or repeated field '{other}'.", other)
        return await anyio.to_thread.run_sync(_keep, sandbox, file)
    finally:
        await form.close()


async def _capped(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body; 413 once it is too long, but only after its end, so that the client reads the answer."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received <= limit + FORM_ROOM:
            yield chunk
    if received > limit + FORM_ROOM:
        raise too_large(limit)


def _keep(sandbox: Sandbox, file: UploadFile) -> tuple[Uploaded, str]:
    if (file.size or 0) > sandbox.settings.max_multipart:
        raise too_large(sandbox.settings.max_multipart)
    mime = probe.sniff(file.file.read(probe.HEAD_BYTES))
    if mime not in MULTIPART_TYPES:
        raise invalid("unsupported file type; use png, jpeg, mp4, webm, mp3, wav, pdf or srt.", "file")
    file.file.seek(0)
    place = sandbox.file(f"{ASSETS}/{new_id('incoming')}.part")
    with place.open("wb") as kept:
        shutil.copyfileobj(file.file, kept, 1024 * 1024)
    with place.open("rb") as kept:
        digest = hashlib.file_digest(kept, "sha256").hexdigest()
    return Uploaded(file.filename or "file", mime, place.stat().st_size, place), digest


async def _prepare_upload(request: Request, file: Uploaded) -> Draft:
    sandbox = sandbox_of(request)
    asset = Asset(new_id("asset"), "ready", file.name, file.mime, file.size, time.time())

    def write() -> dict[str, Any]:
        # Renamed before the row is durable: a kill in between leaves a file that nothing names, never the reverse.
        file.place.rename(sandbox.file(asset.path))
        insert(sandbox.store, asset)
        return {
            "asset_id": asset.id,
            "url": public_url(request, asset),
            "mime_type": asset.mime,
            "size_bytes": asset.size,
        }

    return Draft("assets", [asset.id], write)


async def _prepare_direct(request: Request, body: dict[str, Any]) -> Draft:
    sandbox = sandbox_of(request)
    check(body, "direct_upload")
    mime, size = probe.canonical(body["content_type"]), body["size_bytes"]
    if mime not in DIRECT_TYPES:
        raise invalid(f"unsupported content type '{body['content_type']}'.", "content_type")
    if size > sandbox.settings.max_direct:
        raise invalid(f"'size_bytes' exceeds the limit of {sandbox.settings.max_direct} bytes.", "size_bytes")
    checksum = (body.get("checksum_sha256") or "").lower() or None
    headers = {"Content-Type": body["content_type"]}
    if checksum:
        headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(checksum)).decode()
    asset = Asset(new_id("asset"), "pending", body["filename"], mime, size, time.time(), headers)

    def write() -> dict[str, Any]:
        insert(sandbox.store, asset)
        return {
            "asset_id": asset.id,
            "upload_url": sandbox.links.presign("PUT", base_url(request), f"/uploads/{asset.id}"),
            "upload_headers": headers,
            "expires_in_seconds": max(1, round(sandbox.links.lifetime)),
            "max_bytes": sandbox.settings.max_direct,
            "status": "pending_upload",
        }

    return Draft("assets/direct-uploads", [asset.id], write)


async def complete(request: Request) -> Response:
    """POST /v3/assets/{asset_id}/complete: make uploaded bytes usable; repeating it changes nothing."""
    sandbox, asset = sandbox_of(request), _asset(request)
    body = await read_json(request) if await request.body() else {}
    check(body, "complete")
    if asset.status == "pending":
        raise not_ready("the uploaded object was not found yet; retry after the PUT has returned 200.")
    place = sandbox.file(asset.path)
    detected = await anyio.to_thread.run_sync(_head_type, place)
    if detected != asset.mime:
        raise invalid(f"the file is declared as '{asset.mime}' but its bytes are '{detected}'.", "content_type")
    wanted = body.get("checksum_sha256")
    if wanted and await anyio.to_thread.run_sync(_digest, place) != wanted.lower():
        raise invalid("the stored bytes have another SHA-256.", "checksum_sha256")
    if asset.status == "stored":
        mark(sandbox.store, asset.id, "ready")
    data = {"asset_id": asset.id, "url": public_url(request, asset), "mime_type": asset.mime, "size_bytes": asset.size}
    return JSONResponse({"data": {**data, "status": "processing"}})


async def get(request: Request) -> Response:
    """GET /v3/assets/{asset_id}."""
    check_query(request, ())
    asset, owner = _asset(request), sandbox_of(request).store.username
    data = {
        "id": asset.id,
        "name": asset.name,
        "type": probe.kind_of(asset.mime),
        "owner": owner,
        "space_id": owner,
        "folder_id": None,
        "uploaded_at": int(asset.uploaded_at),
        "url": public_url(request, asset) if asset.status == "ready" else None,
    }
    return JSONResponse({"data": data})


async def delete(request: Request) -> Response:
    """DELETE /v3/assets/{asset_id}."""
    asset = _asset(request)
    remove(sandbox_of(request).store, asset.id)
    sandbox_of(request).file(asset.path).unlink(missing_ok=True)
    return JSONResponse({"data": {"id": asset.id}})


def public_url(request: Request, asset: Asset) -> str:
    """Where anybody who knows the id can read the asset, as HeyGen's ``url`` of an upload says."""
    return f"{base_url(request)}/media/assets/{asset.id}/{name_for_url(asset)}"


def _asset(request: Request) -> Asset:
    identifier = request.path_params["asset_id"]
    asset = find(sandbox_of(request).store, identifier)
    if asset is None:
        raise missing("asset", identifier)
    return asset


def _head_type(place: Path) -> str | None:
    with place.open("rb") as file:
        return probe.sniff(file.read(probe.HEAD_BYTES))


def _digest(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


upload = Create(_receive_file, _prepare_upload)
direct_upload = Create(receive_json, _prepare_direct)
