"""Amounts of money and estimates of cost. Amounts are decimals; an unknown price is None, never 0."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The currency of every price list so far; a budget in another could not be held against a price.
PRICED_IN = "USD"

_MONEY = re.compile(r"^\s*(?P<amount>\d+(?:\.\d+)?)\s*(?P<currency>[A-Z]{3})\s*$")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217), such as ``60 USD``."""

    amount: Decimal
    currency: str = "USD"

    @classmethod
    def parse(cls, text: object) -> Money:
        """Read ``60 USD`` or ``0.05 USD``; a ValueError says what is wrong with anything else."""
        found = _MONEY.match(str(text))
        if not found:
            raise ValueError(f'"{text}" is not an amount of money; write it like "60 USD"')
        try:
            return cls(Decimal(found["amount"]), found["currency"])
        except InvalidOperation as problem:  # pragma: no cover - the pattern lets only numbers through
            raise ValueError(f'"{text}" is not an amount of money') from problem

    def __str__(self) -> str:
        return f"{show(self.amount)} {self.currency}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs, at least and at most; ``basis`` says how that was reckoned, for people."""

    low: Decimal
    high: Decimal
    currency: str = "USD"
    basis: str = ""

    @classmethod
    def exact(cls, amount: str | Decimal, currency: str = "USD", basis: str = "") -> Cost:
        """A price without a range."""
        return cls(Decimal(amount), Decimal(amount), currency, basis)

    @classmethod
    def free(cls, basis: str = "") -> Cost:
        """Costs nothing. Not the same as an unknown price, which is None."""
        return cls(Decimal(0), Decimal(0), "USD", basis)

    @property
    def is_free(self) -> bool:
        """Whether it certainly costs nothing."""
        return self.high == 0

    def as_json(self) -> dict[str, str]:
        """The published shape; amounts are text, so that no reader rounds them."""
        return {"low": show(self.low), "high": show(self.high), "currency": self.currency, "basis": self.basis}

    def __str__(self) -> str:
        if self.is_free:
            return "free"
        span = show(self.low) if self.low == self.high else f"{show(self.low)}–{show(self.high)}"
        return f"{span} {self.currency}"


def show(amount: Decimal) -> str:
    """At least two decimals, at most four, without needless zeros: 2.00, 0.0334, 0.123."""
    if amount != 0 and abs(amount) < Decimal("0.0001"):
        return f"{amount.normalize():f}"
    text = f"{amount:.4f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of many estimates; ``unknown`` counts those without a price."""

    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    currency: str = "USD"
    unknown: int = 0

    def as_json(self) -> dict[str, str | int]:
        """The published shape."""
        return {"low": show(self.low), "high": show(self.high), "currency": self.currency, "unknown": self.unknown}

    def __str__(self) -> str:
        span = show(self.low) if self.low == self.high else f"{show(self.low)}–{show(self.high)}"
        return f"{span} {self.currency}" + (f" + {self.unknown} of unknown price" if self.unknown else "")


def total(costs: Iterable[Cost | None]) -> Total:
    """Add up estimates, in the currency of the first. What is None, or in another currency, counts as unknown."""
    low = high = Decimal(0)
    unknown = 0
    currency: str | None = None
    for cost in costs:
        if cost is not None and cost.is_free:
            continue
        if cost is None or currency not in (None, cost.currency):
            unknown += 1
            continue
        currency = cost.currency
        low += cost.low
        high += cost.high
    return Total(low, high, currency or "USD", unknown)
