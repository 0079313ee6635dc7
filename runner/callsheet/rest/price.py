"""How long a result will play and what it will cost, reckoned from an entry's ``lasts`` and ``price``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from ..core.money import Cost
from ..core.values import Media
from .pointers import inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .dialect import Card

Seconds = tuple[float, float]

#: What a digit or a wide (Chinese, Japanese, Korean) character counts in letters when it is spoken.
_LONG_SPOKEN = 4
_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True, slots=True)
class Length:
    """One way to know how long a result plays: as media inputs (``of``; of several, between the shortest and the
    longest), or as long as it takes to say a text.

    ``pace`` is characters per second, slowest and fastest; ``speeds`` are inputs that multiply it. ``clip`` names the
    inputs that cut a part out; ``factor`` widens the result. ``when`` are the inputs' values that it is for.
    """

    when: Mapping[str, Any]
    of: tuple[str, ...]
    text: str | None
    pace: Seconds
    speeds: tuple[str, ...]
    clip: tuple[str, str] | None
    factor: Seconds

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Length:
        """From an entry."""
        low, high = data.get("characters_per_second", (1, 1))
        shortest, longest = data.get("factor", (1, 1))
        clip, of = data.get("clip"), data.get("of", [])
        return cls(
            when=data.get("when", {}),
            of=tuple([of] if isinstance(of, str) else of),
            text=data.get("text"),
            pace=(low, high),
            speeds=tuple(data.get("speeds", ())),
            clip=(clip[0], clip[1]) if clip else None,
            factor=(shortest, longest),
        )

    def applies(self, inputs: Mapping[str, Any]) -> bool:
        """Whether it is the one for these inputs."""
        sources = [inside(inputs, name) for name in (*self.of, *([self.text] if self.text else []))]
        return matches(self.when, inputs) and (bool(self.when) or all(source is not None for source in sources))

    def seconds(self, inputs: Mapping[str, Any]) -> Seconds | None:
        """The shortest and the longest; None when it cannot be known."""
        found = self._played(inputs) if self.of else self._spoken(inside(inputs, self.text or ""), inputs)
        if found is None:
            return None
        low, high = _clipped(found, self.clip, inputs)
        return low * self.factor[0], high * self.factor[1]

    def _played(self, inputs: Mapping[str, Any]) -> Seconds | None:
        media = [inside(inputs, name) for name in self.of]
        lengths = [item.seconds if isinstance(item, Media) else None for item in media]
        known = [seconds for seconds in lengths if seconds is not None]
        if len(known) < len(lengths):
            return None
        return min(low for low, _ in known), max(high for _, high in known)

    def _spoken(self, text: Any, inputs: Mapping[str, Any]) -> Seconds | None:
        if not isinstance(text, str):
            return None
        letters = _letters(text)
        speed = 1.0
        for name in self.speeds:
            given = inside(inputs, name)
            speed *= given if isinstance(given, int | float) and given > 0 else 1.0
        return letters / self.pace[1] / speed, letters / self.pace[0] / speed


def _letters(text: str) -> int:
    """How long a text is to speak, in letters: a digit or a Chinese character stands for a word."""
    if text.isascii():
        return len(text) + (_LONG_SPOKEN - 1) * len(_DIGIT.findall(text))
    return sum(_LONG_SPOKEN if c.isdigit() or unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _clipped(seconds: Seconds, clip: tuple[str, str] | None, inputs: Mapping[str, Any]) -> Seconds:
    if clip is None:
        return seconds
    start, end = (inside(inputs, name) for name in clip)
    begin = start or 0.0
    low, high = (max(0.0, (length if end is None else min(end, length)) - begin) for length in seconds)
    return low, high


def matches(when: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether the inputs have these values; a list means any of its values, true alone "is given"."""
    for name, wanted in when.items():
        value = inside(inputs, name)
        if value not in (wanted if isinstance(wanted, list) else [wanted]) and not (
            wanted == "given" and value is not None
        ):
            return False
    return True


def length(lengths: tuple[Length, ...], inputs: Mapping[str, Any]) -> Seconds | None:
    """How long the result plays by the first of an entry's ways that applies; None when none does."""
    fitting = next((way for way in lengths if way.applies(inputs)), None)
    return fitting.seconds(inputs) if fitting else None


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of a price rule: the names of its rates, cheapest first, and the inputs' values that it is for."""

    when: Mapping[str, Any]
    names: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Price:
    """A price rule: the first line that fits counts. ``unit`` is ``second`` or ``call``."""

    unit: str
    rates: tuple[Rate, ...]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Price:
        """From an entry."""
        rates = []
        for line in data["rates"]:
            names = line["rate"] if isinstance(line["rate"], list) else [line["rate"]]
            rates.append(Rate(line.get("when", {}), tuple(names), line.get("note", "")))
        return cls(data["unit"], tuple(rates))

    def cost(self, seconds: Seconds | None, inputs: Mapping[str, Any], card: Card) -> Cost | None:
        """The price; None when no line fits or the length is unknown."""
        line = next((rate for rate in self.rates if matches(rate.when, inputs)), None)
        if line is None or (self.unit == "second" and seconds is None):
            return None
        amounts = [card.rates[name] for name in line.names]
        low, high = min(amounts), max(amounts)
        rate = _span(str(low), str(high))
        dated = f"(rates of {card.as_of})" + (f", {line.note}" if line.note else "")
        if self.unit == "call" or seconds is None:
            return Cost(low, high, card.currency, f"{rate} {card.currency} each {dated}")
        # Widened to hundredths, so that an estimate is never below what it stands for.
        shortest, longest = _hundredths(seconds[0], ROUND_FLOOR), _hundredths(seconds[1], ROUND_CEILING)
        basis = f"{_span(f'{shortest.normalize():f}', f'{longest.normalize():f}')} s × {rate} {card.currency}/s {dated}"
        return Cost(shortest * low, longest * high, card.currency, basis)

    def describe(self, card: Card) -> str:
        """All its rates, for people."""
        unit = "s" if self.unit == "second" else "call"
        lines = []
        for rate in self.rates:
            amounts = [card.rates[name] for name in rate.names]
            when = ", ".join(f"{name} {_word(value)}" for name, value in rate.when.items())
            amount = f"{_span(str(min(amounts)), str(max(amounts)))} {card.currency}/{unit}"
            lines.append(f"{amount} ({when})" if when else amount)
        return f"{'; '.join(lines)} (rates of {card.as_of})"


def _word(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value).lower()


def _hundredths(seconds: float, rounding: str) -> Decimal:
    return Decimal(str(round(seconds, 6))).quantize(Decimal("0.01"), rounding)


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low}–{high}"
