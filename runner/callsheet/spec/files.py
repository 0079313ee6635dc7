"""Media that a job names: local files are looked at once, URLs and assets are taken as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..core.values import Deferred, Media, MediaKind
from ..expressions import describe

if TYPE_CHECKING:
    from collections.abc import Callable


class MediaProblem(Exception):
    """A medium that a job names cannot be used."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class Probe(Protocol):
    """Looks at a local file: `callsheet.media`."""

    def probe(self, path: Path, kind: MediaKind | None) -> Media:
        """The file's facts; a ValueError says what is wrong with it."""
        ...


class MediaFiles:
    """Turns what stands in a media input into media.

    ``look`` is False for `validate --no-files`: files need not exist then, and nothing is known about them.
    """

    def __init__(self, folder: str, probe: Probe, *, look: bool = True, roots: tuple[Path, ...] = ()) -> None:
        self._folder = Path(folder)
        self._probe = probe
        self._look = look
        self._roots = tuple(root.resolve() for root in (self._folder, *roots))
        self._seen: dict[tuple[str, str], Media | MediaProblem] = {}

    def media(self, value: Any, kind: MediaKind) -> Any:
        """The media for a path, an https URL, a map with path, url or asset, or media as they are.

        Raises `MediaProblem`. Anything that cannot be media at all comes back unchanged, for the schema to judge.
        """
        if isinstance(value, Media | Deferred):
            return value
        if isinstance(value, dict) and len(value) == 1:
            key, inner = next(iter(value.items()))
            makers: dict[str, Callable[[str, MediaKind], Media]] = {"path": self._file, "url": _url, "asset": _asset}
            if key in makers and isinstance(inner, str):
                return makers[key](inner, kind)
            raise MediaProblem("media-form", f'a {kind} cannot be given by "{key}"', "use path, url or asset")
        if isinstance(value, str) and value:
            return _url(value, kind) if "://" in value else self._file(value, kind)
        raise MediaProblem("wrong-type", f"{describe(value)} is not a {kind}", "give a path, an https URL or an output")

    def _file(self, name: str, kind: MediaKind) -> Media:
        if (name, kind) not in self._seen:
            try:
                self._seen[name, kind] = self._probed(name, kind)
            except MediaProblem as problem:
                self._seen[name, kind] = problem
        known = self._seen[name, kind]
        if isinstance(known, MediaProblem):
            raise known
        return known

    def _probed(self, name: str, kind: MediaKind) -> Media:
        path = self._folder / name
        if not any(path.resolve().is_relative_to(root) for root in self._roots):
            hint = "allow its folder: --allow-root DIR, or allow_roots in callsheet.toml"
            raise MediaProblem("media-outside", f'"{name}" is outside the folders that this job may use', hint)
        if not self._look:
            return Media(kind, path=str(path))
        try:
            return self._probe.probe(path, None if kind == "file" else kind)
        except ValueError as problem:
            hint = "" if path.exists() else f"paths are relative to {self._folder}"
            raise MediaProblem("media-file", f'"{name}" {problem}', hint) from None


def _url(text: str, kind: MediaKind) -> Media:
    if not text.startswith("https://"):
        raise MediaProblem(
            "media-url", f'"{text.split("?", maxsplit=1)[0]}" is not an https URL', "use https:// or a local path"
        )
    return Media(kind, url=text)


def _asset(text: str, kind: MediaKind) -> Media:
    return Media(kind, asset=text)
