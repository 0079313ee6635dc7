"""From a reply to outputs: media with a URL for right now, numbers, lists, and inputs that are handed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.values import Media
from .pointers import at, first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.values import MediaKind


@dataclass(frozen=True, slots=True)
class Output:
    """Where one output comes from: places in the reply (the first that is not null), or an input of the same task.

    ``media`` is the kind of a result that is a URL; ``seconds`` the place of its length.
    """

    sources: tuple[str, ...]
    media: MediaKind | None
    seconds: str | None
    copied: str | None
    required: bool

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Output:
        """From an entry."""
        source = data.get("from", [])
        return cls(
            sources=tuple([source] if isinstance(source, str) else source),
            media=data.get("media"),
            seconds=data.get("seconds"),
            copied=data.get("input"),
            required=bool(data.get("required", False)),
        )

    def value(self, document: Any, handed_on: Mapping[str, Any]) -> Any:
        """The output; None when the reply does not have it."""
        if self.copied:
            return handed_on.get(self.copied)
        found = first(document, self.sources)
        if self.media is None or found is None:
            return found
        if not isinstance(found, str) or not found:
            return None
        return Media(self.media, fresh=found, duration=_number(at(document, self.seconds)) if self.seconds else None)


def _number(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return float(value) if good else None


def read(outputs: Mapping[str, Output], document: Any, handed_on: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """All outputs that are there, and the name of a required one that is not (empty when none is missing)."""
    values = {name: output.value(document, handed_on) for name, output in outputs.items()}
    missing = next((name for name, output in outputs.items() if output.required and values[name] is None), "")
    return {name: value for name, value in values.items() if value is not None}, missing
