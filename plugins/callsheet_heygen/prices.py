"""HeyGen's prices: the dated table, with single rates replaced where an account has others."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

from callsheet.rest import Card

if TYPE_CHECKING:
    from collections.abc import Mapping


def card(own: Mapping[str, str] | None = None) -> Card:
    """The price table; ``own`` are rates by name that replace those of the table. A KeyError names an unknown rate."""
    table = Card.parse(yaml.safe_load((files(__package__) / "prices.yaml").read_text("utf-8")), "prices.yaml")
    if not own:
        return table
    unknown = next((name for name in own if name not in table.rates), None)
    if unknown is not None:
        raise KeyError(unknown)
    rates = {**table.rates, **{name: Decimal(str(amount)) for name, amount in own.items()}}
    return replace(table, rates=rates, as_of=f"{table.as_of}, with {len(own)} of the account's own")
