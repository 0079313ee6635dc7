"""What all operations of one provider share: its name, its errors, its prices and its tables of words."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import (
    AccessRefused,
    InvalidInput,
    NotReady,
    OperationError,
    OutOfCredit,
    RateLimited,
    Rejected,
    ServerError,
)
from .rules import check

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASSES: dict[str, type[OperationError]] = {
    "access": AccessRefused,
    "credit": OutOfCredit,
    "invalid_input": InvalidInput,
    "not_ready": NotReady,
    "rate_limited": RateLimited,
    "rejected": Rejected,
    "server_error": ServerError,
}


class Lookup(Protocol):
    """A table from the job's words to the provider's, such as language tags to names."""

    def find(self, word: str) -> str | None:
        """The provider's word; None when it has none."""
        ...

    def explain(self, word: str) -> tuple[str, str]:
        """Why there is none, and what could be meant: a message and a hint."""
        ...


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One row of the table: which replies it is for, and what they mean."""

    error: type[OperationError]
    statuses: frozenset[int]
    codes: frozenset[str]
    hint: str = ""

    def fits(self, status: int, code: str) -> bool:
        """Whether the row is for this status and code. An empty set is for all; codes are in lower case."""
        return (not self.statuses or status in self.statuses) and (not self.codes or code.lower() in self.codes)


@dataclass(frozen=True, slots=True)
class Card:
    """A provider's prices: an amount per rate, the day they were read, and where."""

    currency: str
    as_of: str
    source: str
    rates: Mapping[str, Decimal]

    @classmethod
    def parse(cls, data: Mapping[str, Any], file: str = "prices") -> Card:
        """From a price file. Raises `PluginError` naming the file and the key that is wrong."""
        check("prices", data, file)
        rates = {name: Decimal(str(amount)) for name, amount in data["rates"].items()}
        return cls(data["currency"], str(data["as_of"]), data["source"], rates)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a provider speaks. ``error``, ``code``, ``text`` and ``param`` are JSON Pointers into its error replies."""

    provider: str
    error: str
    code: str
    text: str
    param: str
    request_id: str
    rules: tuple[ErrorRule, ...]
    card: Card | None = None
    lookups: Mapping[str, Lookup] = field(default_factory=dict)

    @classmethod
    def parse(
        cls,
        errors: Mapping[str, Any],
        *,
        file: str = "errors",
        card: Card | None = None,
        lookups: Mapping[str, Lookup] | None = None,
    ) -> Dialect:
        """From an error table. Raises `PluginError` naming the file and the key that is wrong."""
        check("errors", errors, file)
        rules = tuple(
            ErrorRule(
                CLASSES[row["means"]],
                frozenset(row.get("status", ())),
                frozenset(code.lower() for code in row.get("codes", ())),
                row.get("hint", ""),
            )
            for row in errors["rules"]
        )
        return cls(
            provider=errors["provider"],
            error=errors["error"],
            code=errors["code"],
            text=errors["message"],
            param=errors["param"],
            request_id=errors["request_id"].lower(),
            rules=rules,
            card=card,
            lookups=lookups or {},
        )

    def rule(self, status: int, code: str) -> ErrorRule | None:
        """The first row for this status and code; None when the table says nothing about it."""
        return next((rule for rule in self.rules if rule.fits(status, code)), None)
