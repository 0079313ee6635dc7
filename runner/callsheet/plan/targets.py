"""Files that tasks write: inside the allowed folders, one task each, and still there with the recorded content."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.values import Media

if TYPE_CHECKING:
    from ..state.protocol import State


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that targets lie in: where it really is, and the names in it that are folders or links."""

    path: str
    allowed: bool
    taken: frozenset[str]

    @classmethod
    def look(cls, folder: Path, roots: tuple[Path, ...]) -> _Folder:
        try:
            resolved = folder.resolve()
            allowed = any(resolved.is_relative_to(root) for root in roots)
            entries = os.scandir(resolved) if allowed and resolved.is_dir() else ()
            taken = frozenset(entry.name for entry in entries if entry.is_symlink() or entry.is_dir())
        except (OSError, RuntimeError):  # RuntimeError: links that go in circles
            return cls("", False, frozenset())
        return cls(str(resolved).rstrip(os.sep), allowed, taken)


class Targets:
    """The output files of one job. ``roots`` are further folders that tasks may write to."""

    def __init__(self, folder: str, roots: tuple[Path, ...] = ()) -> None:
        self._folder = Path(folder)
        self._roots = tuple(root.resolve() for root in (self._folder, *roots))
        self._claimed: dict[str, str] = {}
        self._folders: dict[str, _Folder] = {}

    def path(self, name: str) -> Path | None:
        """The absolute path of a target; None when it leaves the allowed folders, be it through a link."""
        found = self._resolve(name)
        return None if found is None else Path(found)

    def _resolve(self, name: str) -> str | None:
        above, last = os.path.split(name)
        if last in ("", ".", "..") or "\0" in name:
            return None
        folder = self._folders.get(above)
        if folder is None:  # thousands of targets share a folder: it is looked at once
            folder = self._folders[above] = _Folder.look(self._folder / above, self._roots)
        return f"{folder.path}{os.sep}{last}" if folder.allowed and last not in folder.taken else None

    def claim(self, name: str, address: str) -> tuple[str, str, str] | None:
        """Note that a task writes the file. Gives what is wrong with that, as code, message and hint, or None."""
        path = self._resolve(name)
        if path is None:
            message = f'"{name}" is not a file inside the job\'s folder'
            return (
                "target-outside",
                message,
                "write below the folder of the job file, or allow a folder: --allow-root DIR",
            )
        first = self._claimed.setdefault(path, address)
        if first != address:
            hint = "put what tells them apart into the name, such as the axis value"
            return ("target-collision", f'{first} and {address} both write "{name}"', hint)
        return None

    def shown(self, path: str) -> str:
        """A path relative to the job's folder where that is possible."""
        try:
            return str(Path(path).relative_to(self._folder))
        except ValueError:
            return path

    def changed(self, outputs: Any, *, state: State | None) -> str | None:
        """Why recorded outputs cannot be reused: a file is missing or has changed. None when they can."""
        for value in outputs.values() if isinstance(outputs, dict) else ():
            if isinstance(value, Media) and value.path is not None:
                problem = self._file_changed(Path(value.path), value, state)
                if problem:
                    return f"{self.shown(value.path)} {problem}"
        return None

    def _file_changed(self, path: Path, media: Media, state: State | None) -> str | None:
        try:
            found = path.stat()
        except OSError:
            return "is missing"
        known = state.artifact(str(path)) if state is not None else None
        if known is not None and (known.sha256, known.size, known.mtime_ns) == (
            media.sha256,
            found.st_size,
            found.st_mtime_ns,
        ):
            return None  # untouched since it was written: no need to read it all again
        if media.bytes is not None and media.bytes != found.st_size:
            return "has changed"
        return None if sha256_of(path) == media.sha256 else "has changed"


def sha256_of(path: Path) -> str:
    """The digest of a file's content, 64 hex digits; the file is streamed."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
