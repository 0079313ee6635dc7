"""The project file, ``callsheet.toml``: what holds for every job below its folder."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .core.money import Money
from .errors import UsageError
from .schema import Checker

if TYPE_CHECKING:
    from pathlib import Path

FILE = "callsheet.toml"
FOLDER = ".callsheet"
RESEND_BELOW = "0.05 USD"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "provider": {"type": "string", "description": "The provider of jobs that name none."},
        "state": {"type": "string", "description": "Where the state is, relative to this file."},
        "allow_roots": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Folders besides the job's own that jobs may read media from and write to.",
        },
        "resend_below": {"$ref": "callsheet:money"},
        "env": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Environment variables that expressions may read.",
        },
        "providers": {
            "type": "object",
            "additionalProperties": {"type": "object"},
            "description": "Settings of each provider, by its name.",
        },
    },
}


@dataclass(frozen=True, slots=True)
class Project:
    """Settings of the folder that a job lies in. ``folder`` holds the project file, or the job when there is none."""

    folder: Path
    provider: str | None = None
    state: str | None = None
    roots: tuple[Path, ...] = ()
    resend_below: Money = field(default_factory=lambda: Money.parse(RESEND_BELOW))
    env: frozenset[str] = frozenset()
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def state_path(self) -> Path:
        """The state when no flag names another."""
        return self.folder / FOLDER / "state.db"


def find(start: Path) -> Project:
    """The project of a folder: the nearest project file above it, not beyond the repository. Raises UsageError."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return read(folder / FILE)
        if (folder / ".git").exists():
            break
    return Project(start, roots=(start,))


def read(path: Path) -> Project:
    """The settings in a project file. Raises UsageError with everything that is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} cannot be read: {problem}") from None
    except tomllib.TOMLDecodeError as problem:
        raise UsageError(f"{path} is not TOML: {problem}") from None
    faults = Checker(SCHEMA).faults(data)
    if faults:
        lines = [
            f"{'.'.join(map(str, f.path)) or 'file'}: {f.message}" + (f" ({f.hint})" if f.hint else "") for f in faults
        ]
        raise UsageError(f"{path}: " + "; ".join(lines))
    folder = path.parent
    return Project(
        folder,
        provider=data.get("provider"),
        state=data.get("state"),
        roots=(folder, *((folder / root).resolve() for root in data.get("allow_roots", ()))),
        resend_below=Money.parse(data.get("resend_below", RESEND_BELOW)),
        env=frozenset(data.get("env", ())),
        providers=data.get("providers", {}),
    )
