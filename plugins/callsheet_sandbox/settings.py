"""What a sandbox can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """How one sandbox behaves; times are seconds, sizes bytes.

    ``data`` keeps everything that survives a restart. ``port`` 0 takes a free one. ``media`` False answers with
    tiny ready-made files instead of rendering each job, for benchmarks of a client.
    """

    data: Path
    port: int = 0
    job_seconds: float = 2.0  # whole life of a job: a tenth of it pending, the rest running
    concurrency: int = 10  # open lipsyncs, translations and videos of the account together
    url_lifetime: float = 3600.0
    api_key: str = "sandbox"
    max_multipart: int = 32 * MIB  # also the cap of URL inputs, as HeyGen documents
    max_direct: int = 5 * 1024 * MIB
    idempotency_window: float = 86400
    media: bool = True
