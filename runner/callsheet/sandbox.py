"""The Jinja environment of expressions: what may be read, called and how large a result may grow.

Nothing here can reach a clock, chance, a file or the network, and data is never evaluated: a text that comes out of a
variable is only ever text.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from functools import wraps
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn, cast

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .core.diagnostics import did_you_mean
from .core.values import Deferred, Media, PlannedMedia, Unready
from .languages import language_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_TEXT = 1_000_000  # characters in a rendered text
LARGEST_WIDTH = 10_000  # for padding, repetition and the like

_MEDIA_ATTRIBUTES = frozenset(
    {"kind", "path", "url", "asset", "sha256", "mime", "bytes", "duration", "width", "height", "fps"}
)
_PURE_FILTERS = frozenset(
    re.findall(
        r"\w+",
        "abs batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format "
        "groupby indent int items join last length list lower map max min reject rejectattr replace reverse round safe "
        "select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode wordcount "
        "wordwrap",
    )
)
_PURE_GLOBALS = frozenset({"range", "dict", "namespace"})
_PADDING_METHODS = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs"})


class Problem(Exception):
    """Something is wrong with a value in an expression."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UpstreamSkipped(UndefinedError):
    """The expression reads outputs of a task that was skipped."""


class Missing(StrictUndefined):
    """A name that is not there; its message says where it was looked for and what is there."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        owner = self._undefined_obj
        if isinstance(owner, dict):
            names = did_you_mean(self._undefined_name, map(str, owner))
            return f'there is no "{self._undefined_name}"' + (f" ({names})" if names else "")
        if isinstance(owner, Media):
            names = ", ".join(sorted(_MEDIA_ATTRIBUTES))
            return f'media have no "{self._undefined_name}" (they have {names})'
        if isinstance(owner, str | list | int | float | bool) or owner is None:
            return f'{"null" if owner is None else type(owner).__name__} has no "{self._undefined_name}"'
        return f'"{self._undefined_name}" is not defined'


class SkippedOutputs(Missing):
    """The outputs of a skipped task: all absent, so `default()` works and any other use raises `UpstreamSkipped`."""

    callsheet_names = True
    __slots__ = ("_task",)

    def __init__(self, task: str) -> None:
        super().__init__(hint=f"{task} was skipped", name=task, exc=UpstreamSkipped)
        self._task = task

    def __getitem__(self, name: object) -> Undefined:  # type: ignore[override] # the base class refuses every use
        return Missing(hint=f"{self._task} was skipped", name=str(name), exc=UpstreamSkipped)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with our delimiters and only what is pure."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self, filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(
            variable_start_string="${{",
            variable_end_string="}}",
            comment_start_string="${#",
            comment_end_string="#}",
            undefined=Missing,
            autoescape=False,
            keep_trailing_newline=True,
            finalize=only_text,
        )
        self.filters = {name: _guarded(f) for name, f in self.filters.items() if name in _PURE_FILTERS}
        self.filters.update(BUILT_IN_FILTERS)
        self.filters.update(filters)
        self.globals = {name: value for name, value in self.globals.items() if name in _PURE_GLOBALS}
        self.tests = {name: _waiting(cast("Callable[..., Any]", test)) for name, test in self.tests.items()}
        self.tests["defined"] = _defined
        self.tests["undefined"] = lambda value: not _defined(value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A map's key comes before its methods, so that a column may be called "items"."""
        if type(obj) is dict:
            if attribute in obj:
                return obj[attribute]
        elif hasattr(obj, "callsheet_names"):  # an object of ours that looks names up by itself
            return obj[attribute]
        elif isinstance(obj, Deferred):
            raise Unready(obj)
        elif isinstance(obj, Media):
            return self._media(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Items of maps and lists; a missing one says what is there."""
        if isinstance(argument, Deferred):
            raise Unready(argument)
        if hasattr(obj, "callsheet_names"):
            return obj[argument]
        if isinstance(obj, Deferred):
            raise Unready(obj)
        if isinstance(obj, Media) and isinstance(argument, str):
            return self._media(obj, argument)
        return super().getitem(obj, argument)

    def _media(self, media: Media, attribute: str) -> Any:
        if attribute not in _MEDIA_ATTRIBUTES:
            return self.undefined(obj=media, name=attribute)
        value = getattr(media, attribute)
        if value is None and isinstance(media, PlannedMedia):
            raise Unready(Deferred(f"the {attribute} of {media.origin or 'a result'}"))
        if value is None and attribute == "url":
            raise Problem("this media has no lasting URL", "download it, or pass the media itself to the next step")
        return value

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Operators that could make a small expression huge are bounded."""
        for side in (left, right):
            if isinstance(side, Deferred):
                raise Unready(side)
        if operator == "**":
            raise SecurityError("`**` is not available")
        if operator == "*" and (_sized(left) or _sized(right)):
            size, times = (left, right) if _sized(left) else (right, left)
            if not isinstance(times, int) or len(size) * max(times, 0) > LARGEST_WIDTH:
                raise SecurityError(f"a repetition longer than {LARGEST_WIDTH} is not available")
        if operator == "%" and isinstance(left, str):
            _check_format(left)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Methods that pad may not pad beyond a sensible width."""
        name = getattr(__obj, "__name__", "")
        if name in _PADDING_METHODS:
            _check_widths(args)
        if name == "replace" and isinstance(getattr(__obj, "__self__", None), str):
            _check_replacement(__obj.__self__, *args[:2])
        return check_size(super().call(__context, __obj, *args, **kwargs))


def only_text(value: Any) -> Any:
    """Only text and numbers may stand in mixed text; anything else would be written in a way nobody meant."""
    if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, Undefined):
        str(value)
    if isinstance(value, Deferred):
        raise Unready(value)
    if isinstance(value, Media):
        raise Problem(f"a {value.kind} cannot stand in text", "use one of its facts: .path, .url, .sha256, .duration")
    if value is None:
        raise Problem("null cannot stand in text", "give it a value: `| default('…', true)`")
    if isinstance(value, bool):
        raise Problem("true or false cannot stand in text", "write the text: `'yes' if x else 'no'`")
    raise Problem(
        f"a {'map' if isinstance(value, dict) else 'list'} cannot stand in text", "add `| tojson` or `| join(', ')`"
    )


def check_text(text: str) -> str:
    """Refuse a rendered text that is absurdly long."""
    check_length(len(text))
    return text


def check_length(length: int) -> None:
    """Refuse a length that no text of a job needs."""
    if length > LONGEST_TEXT:
        raise Problem(f"the text has too many characters: at most {LONGEST_TEXT} are allowed")


def check_size(value: Any) -> Any:
    """Refuse intermediate texts and lists that are absurdly long."""
    if _sized(value) and len(value) > LONGEST_TEXT:
        raise SecurityError(f"a value longer than {LONGEST_TEXT} is not available")
    return value


def _sized(value: Any) -> bool:
    return isinstance(value, str | bytes | list | tuple)


def _check_widths(arguments: Any) -> None:
    if any(isinstance(a, int) and not isinstance(a, bool) and abs(a) > LARGEST_WIDTH for a in arguments):
        raise SecurityError(f"a width over {LARGEST_WIDTH} is not available")


def _check_format(pattern: str) -> None:
    if any(int(width) > LARGEST_WIDTH for width in re.findall(r"\d+", pattern)) or "*" in pattern:
        raise SecurityError(f"a width over {LARGEST_WIDTH} is not available")


def _check_replacement(text: Any, old: Any = "", new: Any = "") -> None:
    growth = len(str(new)) - len(str(old))
    if growth > 0 and len(str(text)) + str(text).count(str(old)) * growth > LONGEST_TEXT:
        raise SecurityError(f"a text longer than {LONGEST_TEXT} is not available")


def _waiting(test: Callable[..., Any]) -> Callable[..., Any]:
    """A test of Jinja's own that waits for a value of the run instead of guessing."""

    @wraps(test)
    def waiting(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            if isinstance(value, Deferred):
                raise Unready(value)
        return test(*args, **kwargs)

    return waiting


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja's own with its arguments and its result bounded."""

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            if isinstance(value, Deferred):
                raise Unready(value)
        _check_widths((*args[1:], *kwargs.values()))
        if function.__name__ == "do_format" and args:
            _check_format(str(args[0]))
        if function.__name__ == "do_replace":
            _check_replacement(*args[-3:])
        return check_size(function(*args, **kwargs))

    return bounded


def _defined(value: Any) -> bool:
    if isinstance(value, Deferred):
        raise Unready(value)
    return not isinstance(value, Undefined)


def slugify(text: object) -> str:
    """Letters and digits in lower case, joined by hyphens: ``"Señor Núñez" | slugify`` gives ``senor-nunez``."""
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def basename(path: object) -> str:
    """The last part of a path or of a local media file: ``media/launch.mp4`` gives ``launch.mp4``."""
    return PurePosixPath(_path(path)).name


def stem(path: object) -> str:
    """The last part of a path without its extension: ``media/launch.mp4`` gives ``launch``."""
    return PurePosixPath(_path(path)).stem


def sha256(value: object) -> str:
    """The sha256 of a text, or of a media file's content, as 64 hex digits."""
    if isinstance(value, Media):
        if value.sha256 is None:
            raise Unready(Deferred("the content of a result"))
        return value.sha256
    return hashlib.sha256(str(value).encode()).hexdigest()


def fromjson(text: object) -> Any:
    """The value that a JSON text stands for."""
    try:
        return json.loads(str(text))
    except ValueError as problem:
        raise Problem(f"not JSON: {problem}") from None


def _path(value: object) -> str:
    if isinstance(value, Deferred):
        raise Unready(value)
    if isinstance(value, Media):
        return value.path or _no_path()
    return str(value)


def _no_path() -> NoReturn:
    raise Problem("this media is not a local file")


BUILT_IN_FILTERS: dict[str, Callable[..., Any]] = {
    "language_name": language_name,
    "slugify": slugify,
    "basename": basename,
    "stem": stem,
    "sha256": sha256,
    "fromjson": fromjson,
}
