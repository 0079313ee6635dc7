"""Uploading files: the one operation of HeyGen that is more than a request and its polling.

Up to 32 MB a file goes through the API itself (`POST /v3/assets`, multipart). A larger one goes to a storage address in
three steps: init, PUT, complete (HeyGen's page "Upload Assets").

`run` may be called again at any time: the init request carries the task's key, so within a day HeyGen answers with the
same asset and address, a PUT of the same bytes changes nothing, and completing is idempotent by itself. An operation
never waits, so trouble on the way (a PUT answered with 5xx, a file that storage does not show yet) is raised as
retryable and the engine calls again. Only an address that has run out needs something new: an init under the key with
``-r1``, ``-r2`` or ``-r3`` behind it.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from callsheet.api import (
    Ambiguous,
    InvalidInput,
    Media,
    NotReady,
    Operation,
    OutOfCredit,
    Problem,
    Rejected,
    Retryable,
    ServerError,
    keyed,
)
from callsheet.rest import replies
from callsheet_specs import neutral

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callsheet.api import Context, Inputs, Outputs, Reply
    from callsheet.rest import Dialect

#: HeyGen says "32 MB" without saying which megabytes; the smaller ones are safe, for larger files have another way.
MULTIPART_LIMIT = 32_000_000
ROUNDS = 4  # the first upload address and three fresh ones
KEYED = keyed(86400)

#: What HeyGen's upload page lists, and SRT, which its command line accepts since v0.4.0.
TYPES = {
    "image/png",
    "image/jpeg",
    "video/mp4",
    "video/webm",
    "audio/mpeg",
    "audio/wav",
    "application/pdf",
    "application/x-subrip",
}
#: Other names of the same types, as probes and browsers give them.
SAME = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "text/srt": "application/x-subrip",
    "application/srt": "application/x-subrip",
}
SUFFIXES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".pdf": "application/pdf",
    ".srt": "application/x-subrip",
}


def mime(media: Media) -> str:
    """The type that HeyGen knows the file by; whatever it is otherwise."""
    suffix = SUFFIXES.get(Path(media.path or "").suffix.lower(), "")
    known = media.mime or suffix
    if known == "text/plain" and suffix:  # subtitles look like any other text
        return suffix
    return SAME.get(known, known)


class Upload(Operation):
    """Put a file into HeyGen's store."""

    name = "heygen/upload"
    summary = "Put a file into HeyGen's store, once per content and account."
    inputs = copy.deepcopy(neutral()["upload"]["inputs"])
    outputs = copy.deepcopy(neutral()["upload"]["outputs"])
    repeat = KEYED
    cosmetic = frozenset({"title"})
    timeout = 3600.0

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        # The assets whose bytes are at their address, by key. Losing it costs sending the same bytes twice, no more.
        self._sent: dict[str, str] = {}

    def problems(self, inputs: Inputs) -> Iterator[Problem]:
        """Files that HeyGen does not take, and media that are no local files."""
        media = inputs.get("file")
        if not isinstance(media, Media):
            return
        if media.path is None:
            if media.url or media.asset:
                yield Problem(
                    ("file",), "only a local file can be uploaded", "give the URL or asset to the step that uses it"
                )
        elif mime(media) not in TYPES:
            kind = f'"{mime(media)}"' if mime(media) else "files of an unknown type"
            yield Problem(("file",), f"HeyGen does not take {kind}", _fix(mime(media)))

    def predict(self, inputs: Inputs) -> Outputs:
        """The same file, elsewhere."""
        media = inputs.get("file")
        return {"asset": replace(media, path=None)} if isinstance(media, Media) else {}

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        """Upload the file and give the asset, with what was known about the file."""
        media: Media = inputs["file"]
        problem = next(iter(self.problems(inputs)), None)
        if problem or media.path is None:
            raise InvalidInput(problem.message if problem else "only a local file can be uploaded")
        file = Path(media.path)
        size = _size(file, media)
        if size <= MULTIPART_LIMIT:
            asset = await self._multipart(file, mime(media), ctx)
        else:
            asset = await self._direct(file, size, media, ctx)
        account = ctx.client.account
        return {"asset": replace(media, path=None, asset=asset, account=account, mime=mime(media), bytes=size)}

    async def _post(self, path: str, ctx: Context, **request: Any) -> Reply:
        try:
            return await ctx.client.request("POST", path, **request)
        except Ambiguous as problem:  # uploads are free and repeatable: a lost answer is only asked for again
            raise Retryable(problem.message, hint=problem.hint) from problem

    async def _multipart(self, file: Path, content_type: str, ctx: Context) -> str:
        headers = {"Idempotency-Key": ctx.key}
        reply = await self._post("/v3/assets", ctx, headers=headers, file=("file", file, content_type))
        return str(self._data(reply, "asset_id")["asset_id"])

    async def _direct(self, file: Path, size: int, media: Media, ctx: Context) -> str:
        asset = self._sent.get(ctx.key) or await self._transfer(file, size, media, ctx)
        self._sent[ctx.key] = asset
        await self._complete(asset, file, ctx)
        self._sent.pop(ctx.key, None)
        return asset

    async def _transfer(self, file: Path, size: int, media: Media, ctx: Context) -> str:
        """Bring the bytes to an upload address; gives the asset's id."""
        body: dict[str, Any] = {"filename": file.name, "content_type": mime(media), "size_bytes": size}
        if media.sha256:
            body["checksum_sha256"] = media.sha256
        for number in range(ROUNDS):
            # A replayed init gives the old address again, so a fresh one needs a fresh key.
            key = ctx.key if number == 0 else f"{ctx.key}-r{number}"
            reply = await self._post("/v3/assets/direct-uploads", ctx, json=body, headers={"Idempotency-Key": key})
            data = self._data(reply, "asset_id", "upload_url")
            limit = data.get("max_bytes")
            if isinstance(limit, int) and size > limit:
                raise InvalidInput(
                    f'"{file.name}" has {size} bytes; HeyGen takes at most {limit}', hint="make it smaller"
                )
            if await self._put(file, data, ctx):
                return str(data["asset_id"])
        raise Rejected(
            f'HeyGen\'s storage refuses "{file.name}": four upload addresses were answered with 403', code="403"
        )

    async def _put(self, file: Path, data: dict[str, Any], ctx: Context) -> bool:
        """Send the bytes. False when the address has run out."""
        given = data.get("upload_headers") or {}
        reply = await ctx.client.put_file(data["upload_url"], file, {str(k): str(v) for k, v in given.items()})
        if reply.ok:
            return True
        if reply.status == 403:
            return False
        told = f'HeyGen\'s storage answers HTTP {reply.status} for "{file.name}"'
        if reply.status >= 500 or reply.status in {408, 429}:
            raise ServerError(told, code=str(reply.status))
        raise Rejected(told, code=str(reply.status), hint="the file may have changed while it was sent; run again")

    async def _complete(self, asset: str, file: Path, ctx: Context) -> None:
        reply = await self._post(f"/v3/assets/{quote(asset, safe='')}/complete", ctx, json={})
        if reply.status == 409:  # whatever its code says: the file is not visible yet
            raise NotReady(f'HeyGen does not see "{file.name}" in its storage yet', code="409")
        if reply.status == 400:  # the bytes are not those that were announced
            self._sent.pop(ctx.key, None)
        self._data(reply, "asset_id")

    def _data(self, reply: Reply, *needed: str) -> dict[str, Any]:
        """The ``data`` of a reply. Uploads cost nothing, so an answer that is of no use may be asked for again."""
        if not reply.ok:
            raise _not_for_all(replies.refused(self._dialect, reply, KEYED))
        document = replies.document(reply)
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, dict) or not all(isinstance(data.get(name), str) and data[name] for name in needed):
            raise replies.failed_2xx(self._dialect, reply) or ServerError(
                f"HeyGen: no {' and '.join(needed)} in the answer (HTTP {reply.status})"
            )
        return data


def _not_for_all(error: Exception) -> Exception:
    """Uploads are free: one refused for lack of credit is only itself refused."""
    return Rejected(error.message, hint=error.hint, code=error.code) if isinstance(error, OutOfCredit) else error


def _size(file: Path, media: Media) -> int:
    try:
        size = file.stat().st_size
    except OSError as problem:
        raise InvalidInput(f'cannot read "{file}": {problem.strerror}') from None
    if media.bytes is not None and size != media.bytes:
        raise InvalidInput(f'"{file}" has changed since it was looked at', hint="run again when it is complete")
    return size


def _fix(content_type: str) -> str:
    if content_type.startswith("video/"):
        return "convert it to MP4: ffmpeg -i IN -c:v libx264 -c:a aac OUT.mp4"
    if content_type.startswith("audio/"):
        return "convert it to MP3: ffmpeg -i IN OUT.mp3"
    if content_type.startswith("image/"):
        return "convert it to PNG or JPEG"
    return f"it takes {', '.join(sorted(suffix[1:] for suffix in SUFFIXES))}"
