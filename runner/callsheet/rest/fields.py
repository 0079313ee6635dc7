"""How one input becomes part of a request: the rules of an entry's ``fields`` and ``options``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..core.values import Media
from .pointers import inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Place = Literal["body", "path", "query"]


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a media value goes: the dotted paths of its asset id, of its URL, and of the word that says which it is."""

    asset: str
    url: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One rule. ``to`` is the wire's dotted path.

    ``values`` maps the words of the job to those of the wire, by their JSON text (``"true"``); null leaves the field
    out. ``lookup`` names a table of the dialect. ``set`` are constants that go along. ``unless`` is an input that makes
    this rule void; ``pattern`` keeps it for values that match.
    """

    to: str
    place: Place = "body"
    values: Mapping[str, Any] | None = None
    many: bool = False
    lookup: str | None = None
    media: Wire | None = None
    set: Mapping[str, Any] = field(default_factory=dict)
    unless: str | None = None
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, name: str, data: Mapping[str, Any]) -> Field:
        """From an entry; ``name`` is the input, and the wire's name unless ``to`` says otherwise."""
        to = str(data.get("to", name))
        pattern = data.get("pattern")
        return cls(
            to=to,
            place=data.get("in", "body"),
            values=data.get("values"),
            many=bool(data.get("list", False)),
            lookup=data.get("lookup"),
            media=_wire(to, data.get("media")),
            set=data.get("set", {}),
            unless=data.get("unless"),
            pattern=re.compile(pattern) if pattern else None,
        )

    def applies(self, value: Any, inputs: Mapping[str, Any]) -> bool:
        """Whether this rule is the one for the value."""
        if self.unless and inside(inputs, self.unless) is not None:
            return False
        return self.pattern is None or self.pattern.search(str(value)) is not None


def _wire(to: str, data: Any) -> Wire | None:
    if data is None or data is False:
        return None
    if data is True:
        return Wire(f"{to}.asset_id", f"{to}.url", f"{to}.type")
    return Wire(data["asset"], data["url"], data.get("kind"))


Fields = dict[str, tuple[Field, ...]]


def parse(data: Mapping[str, Any]) -> Fields:
    """The rules by input; where an input has several, the first that applies counts."""
    return {
        name: tuple(Field.parse(name, rule) for rule in (rules if isinstance(rules, list) else [rules]))
        for name, rules in data.items()
    }


def chosen(fields: Fields, options: Fields, inputs: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Field, Any]]:
    """The path, rule and value of each input that is given. Null means not given: it is never sent."""
    groups = (((), fields, inputs), (("options",), options, inputs.get("options") or {}))
    for parent, rules, values in groups:
        for name, value in values.items():
            alternatives = rules.get(name)
            if value is None or alternatives is None:
                continue
            rule = next((rule for rule in alternatives if rule.applies(value, inputs)), None)
            if rule is not None:
                yield (*parent, name), rule, value


def word(value: Any) -> str:
    """A value's JSON text, as ``values`` names it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def holds_media(value: Any) -> bool:
    """Whether a value is, or contains, media."""
    if isinstance(value, dict):
        return any(holds_media(item) for item in value.values())
    return any(holds_media(item) for item in value) if isinstance(value, list) else isinstance(value, Media)
