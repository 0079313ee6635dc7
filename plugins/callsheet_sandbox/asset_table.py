"""The account's assets in the database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from .store import Store

ASSETS = "assets"  # the folder of their bytes


@dataclass(frozen=True)
class Asset:
    """One uploaded or announced file; ``status`` is pending, stored or ready, ``size`` bytes."""

    id: str
    status: str
    name: str
    mime: str
    size: int
    uploaded_at: float
    upload_headers: dict[str, str] = field(default_factory=dict)  # what the PUT has to carry

    @property
    def path(self) -> str:
        """Its bytes, relative to the data directory."""
        return f"{ASSETS}/{self.id}"


def insert(store: Store, asset: Asset) -> None:
    """Add an asset."""
    headers = json.dumps(asset.upload_headers)
    store.write(
        "INSERT INTO assets (id, status, name, mime, size, uploaded_at, upload_headers) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (asset.id, asset.status, asset.name, asset.mime, asset.size, asset.uploaded_at, headers),
    )


def find(store: Store, identifier: str) -> Asset | None:
    """One asset of the account."""
    row = store.row(
        "SELECT id, status, name, mime, size, uploaded_at, upload_headers FROM assets WHERE id = ?", (identifier,)
    )
    return None if row is None else Asset(**{**dict(row), "upload_headers": json.loads(row["upload_headers"])})


def mark(store: Store, identifier: str, status: str) -> None:
    """Move an asset on."""
    store.write("UPDATE assets SET status = ? WHERE id = ?", (status, identifier))


def remove(store: Store, identifier: str) -> None:
    """Forget an asset."""
    store.write("DELETE FROM assets WHERE id = ?", (identifier,))


def name_for_url(asset: Asset) -> str:
    """The last part of the asset's public URL: its name, without any folders that a client wrote into it."""
    return quote(PurePosixPath(asset.name.replace("\\", "/")).name or "file")
