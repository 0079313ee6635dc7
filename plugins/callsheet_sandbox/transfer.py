"""The object storage: presigned PUTs in, public and presigned GETs out. Files are streamed, never held in memory."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.responses import FileResponse, Response

from .asset_table import Asset, find, mark
from .context import Sandbox, new_id, sandbox_of
from .errors import StorageError
from .rendering import RESULTS

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

CHUNK = 1024 * 1024
TYPES = {  # of what the recipes make; the system's own table differs from machine to machine
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".jpg": "image/jpeg",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
}
# What HTTP libraries send by themselves; anything else has to be in upload_headers.
TRANSPORT_HEADERS = frozenset(
    {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "expect"}
)


class FileInChunks(FileResponse):
    """A file with Range, If-Range and ETag; large chunks, because each one is a hop to a thread."""

    chunk_size = CHUNK


async def put(request: Request) -> Response:
    """PUT /uploads/{asset_id}: exactly the announced bytes with exactly the announced headers, else 403."""
    sandbox = sandbox_of(request)
    asset = _admit(request, sandbox)
    etag = await _receive(request, sandbox, asset)
    mark(sandbox.store, asset.id, "stored")
    return Response(status_code=200, headers={"ETag": f'"{etag}"'})


def _admit(request: Request, sandbox: Sandbox) -> Asset:
    sandbox.links.check("PUT", request.url.path, request.query_params)
    asset = find(sandbox.store, request.path_params["asset_id"])
    if asset is None:
        raise StorageError(404, "NoSuchUpload", "the upload does not exist")
    if asset.status == "ready":
        raise StorageError(403, "AccessDenied", "the upload is completed")
    wanted = {name.lower(): value for name, value in asset.upload_headers.items()}
    sent = {name: value for name, value in request.headers.items() if name not in TRANSPORT_HEADERS}
    if "x-api-key" in sent:
        sandbox.counts.client_errors["api_key_sent_to_storage"] += 1
    if sent != wanted or request.headers.get("content-length") != str(asset.size):
        raise StorageError(403, "SignatureDoesNotMatch", "headers or length are not the signed ones")
    return asset


async def _receive(request: Request, sandbox: Sandbox, asset: Asset) -> str:
    place = sandbox.file(asset.path)
    incoming = place.with_name(f"{new_id('incoming')}.part")
    checksum = asset.upload_headers.get("x-amz-checksum-sha256")
    digest = hashlib.sha256() if checksum else None
    try:
        async with await anyio.open_file(incoming, "wb") as file:
            held = bytearray()
            async for chunk in request.stream():
                held += chunk
                if len(held) >= CHUNK or not chunk:
                    if digest is not None:
                        await anyio.to_thread.run_sync(digest.update, bytes(held))
                    await file.write(held)
                    held = bytearray()
        if digest is not None and base64.b64encode(digest.digest()).decode() != checksum:
            raise StorageError(400, "BadDigest", "the bytes have another SHA-256 than announced")
        incoming.replace(place)
    finally:
        incoming.unlink(missing_ok=True)
    return asset.id


async def asset_file(request: Request) -> Response:
    """GET /media/assets/{asset_id}/{name}: public to whoever knows the id."""
    sandbox = sandbox_of(request)
    asset = find(sandbox.store, request.path_params["asset_id"])
    if asset is None or asset.status != "ready":
        raise StorageError(404, "NoSuchKey", "the file does not exist")
    return _answer(request, sandbox, sandbox.file(asset.path), asset.mime)


async def result_file(request: Request) -> Response:
    """GET /media/results/{job_id}/{name}: presigned."""
    sandbox = sandbox_of(request)
    sandbox.links.check("GET", request.url.path, request.query_params)
    identifier, name = request.path_params["job_id"], request.path_params["name"]
    place = sandbox.file(f"{RESULTS}/{identifier}/{name}")
    if not place.is_file():
        raise StorageError(404, "NoSuchKey", "the file does not exist")
    return _answer(request, sandbox, place, TYPES.get(place.suffix, "application/octet-stream"))


def _answer(request: Request, sandbox: Sandbox, place: Path, mime: str) -> Response:
    if "x-api-key" in request.headers:
        sandbox.counts.client_errors["api_key_sent_to_storage"] += 1
    return FileInChunks(place, media_type=mime)
