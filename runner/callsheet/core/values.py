"""The values that pass between steps: media, and how results are written into the state."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

MediaKind = Literal["video", "audio", "image", "subtitle", "file"]

MEDIA_KINDS: tuple[MediaKind, ...] = ("video", "audio", "image", "subtitle", "file")

#: Marks a media value in the state's JSON. A provider's reply that looks like one is kept under `_LITERAL`, so that no
#: reply can turn into a path on this machine.
_TAG = "$media"
_LITERAL = "$literal"


@dataclass(frozen=True, slots=True)
class Media:
    """A file, wherever it is: on disk, behind a lasting URL, an uploaded asset, or a result at the provider.

    Exactly one of these says where it is; the rest is what is known about it.

    * ``path``: absolute path of a local file.
    * ``url``: a URL that lasts (given by the user). A result's presigned URL is never kept: it is read again.
    * ``asset``: the provider's id of an uploaded file, valid for ``account``.
    * ``origin``: ``<purchase key>/<output name>``: a result that lives at the provider.

    ``bytes`` is the size in bytes, ``duration`` is in seconds, ``width`` and ``height`` in pixels. ``expected`` is
    the range of seconds a result will have, before it is known. ``fresh`` is a URL for right now, kept in memory only.
    """

    kind: MediaKind
    path: str | None = None
    url: str | None = None
    asset: str | None = None
    account: str | None = None
    origin: str | None = None
    sha256: str | None = None
    mime: str | None = None
    bytes: int | None = None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    expected: tuple[float, float] | None = None
    fresh: str | None = None

    @property
    def identity(self) -> str | None:
        """What makes it the same content wherever it lies; None when only a run can tell."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        if self.origin:
            return f"result:{self.origin}"
        if self.url:
            return f"url:{self.url}"
        return f"asset:{self.asset}" if self.asset else None

    @property
    def seconds(self) -> tuple[float, float] | None:
        """The shortest and longest it may play, in seconds; None when unknown."""
        return (self.duration, self.duration) if self.duration is not None else self.expected

    def as_json(self) -> dict[str, Any]:
        """The public shape in `--json`: what is known, without ids of ours and without short-lived URLs."""
        hidden = {"fresh", "expected", "origin"}
        known = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in hidden}
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class PlannedMedia(Media):
    """A result that does not exist yet. Its identity may be known, its facts are not: reading one defers."""


class Unready(Exception):
    """An expression needs a value that only a run can give; ``deferred`` says which."""

    def __init__(self, deferred: Deferred) -> None:
        super().__init__(deferred.what)
        self.deferred = deferred


class Deferred:
    """A value that only a run can give. It may be passed on as it is; any other use raises `Unready`.

    ``what`` names it for people: ``steps.speak.outputs.duration``.
    """

    __slots__ = ("what",)

    def __init__(self, what: str) -> None:
        self.what = what

    def __repr__(self) -> str:
        return f"Deferred({self.what!r})"

    def _use(self, *_: object) -> Any:
        raise Unready(self)

    __str__ = __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __call__ = _use
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _use
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _use
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = _use
    __int__ = __float__ = __index__ = __round__ = _use
    __hash__ = _use  # looking it up in a map is a use


def is_known(value: Any) -> bool:
    """Whether nothing in the value waits for a run."""
    if isinstance(value, dict):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return not isinstance(value, Deferred | PlannedMedia)


def known_part(value: dict[str, Any]) -> dict[str, Any]:
    """The map without entries that wait for a run; planned media stay, since something is known of them."""
    return {name: item for name, item in value.items() if not _defers(item)}


def _defers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_defers(item) for item in value.values())
    if isinstance(value, list):
        return any(_defers(item) for item in value)
    return isinstance(value, Deferred)


def kept_at_provider(outputs: dict[str, Any], key: str, account: str) -> dict[str, Any]:
    """Outputs of a finished remote job: its media stay at the provider, known by the purchase they came from."""
    return {
        name: replace(value, origin=f"{key}/{name}", account=account) if isinstance(value, Media) else value
        for name, value in outputs.items()
    }


def to_state(value: Any) -> Any:
    """JSON for the state: media become tagged maps, without their short-lived URL."""
    if isinstance(value, Media):
        kept = replace(value, fresh=None, expected=None)
        return {_TAG: {f.name: v for f in fields(kept) if (v := getattr(kept, f.name)) is not None}}
    if isinstance(value, dict):
        plain = {str(key): to_state(item) for key, item in value.items()}
        return {_LITERAL: plain} if plain.keys() & {_TAG, _LITERAL} else plain
    if isinstance(value, list | tuple):
        return [to_state(item) for item in value]
    return value


def from_state(value: Any) -> Any:
    """The reverse of `to_state`."""
    if isinstance(value, dict):
        if value.keys() == {_TAG}:
            return Media(**value[_TAG])
        if value.keys() == {_LITERAL}:
            value = value[_LITERAL]
        return {key: from_state(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_state(item) for item in value]
    return value


def to_public(value: Any) -> Any:
    """JSON for people and programs outside: media as `Media.as_json`."""
    if isinstance(value, Media):
        return value.as_json()
    if isinstance(value, dict):
        return {str(key): to_public(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_public(item) for item in value]
    return value
