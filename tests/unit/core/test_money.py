"""Amounts and estimates: decimals, ranges, and the difference between free and unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from callsheet.core.money import Cost, Money, Total, show, total


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [("60 USD", "60", "USD"), ("0.05 EUR", "0.05", "EUR"), (" 1.50USD ", "1.50", "USD"), ("0 USD", "0", "USD")],
)
def test_money_is_read(text: str, amount: str, currency: str) -> None:
    assert Money.parse(text) == Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    "text", ["", "60", "USD", "60 usd", "-1 USD", "1,50 USD", "1e3 USD", "$60", None, 60, "6 0 USD"]
)
def test_other_text_is_refused_with_the_form(text: object) -> None:
    with pytest.raises(ValueError, match=r'write it like "60 USD"'):
        Money.parse(text)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00"),
        ("2", "2.00"),
        ("0.123", "0.123"),
        ("0.03340", "0.0334"),
        ("12.34567", "12.3457"),
        ("0.00005", "0.00005"),
        ("1000000", "1000000.00"),
    ],
)
def test_amounts_are_shown_short(amount: str, shown: str) -> None:
    assert show(Decimal(amount)) == shown


def test_a_cost_in_words() -> None:
    assert str(Cost.free()) == "free"
    assert str(Cost.exact("2")) == "2.00 USD"
    assert str(Cost(Decimal(1), Decimal("2.5"), "EUR")) == "1.00–2.50 EUR"
    assert Cost.exact("2", basis="60 s").as_json() == {
        "low": "2.00",
        "high": "2.00",
        "currency": "USD",
        "basis": "60 s",
    }
    assert str(Money(Decimal("60"))) == "60.00 USD"


def test_a_range_from_nothing_is_not_free() -> None:
    assert not Cost(Decimal(0), Decimal("0.01")).is_free


def test_a_total_counts_the_unknown() -> None:
    found = total([Cost.exact("1"), None, Cost(Decimal(1), Decimal(3)), Cost.free(), None])
    assert found == Total(Decimal(2), Decimal(4), "USD", 2)
    assert str(found) == "2.00–4.00 USD + 2 of unknown price"
    assert found.as_json() == {"low": "2.00", "high": "4.00", "currency": "USD", "unknown": 2}
    assert str(total([])) == "0.00 USD"


def test_free_work_has_no_currency() -> None:
    assert total([Cost.free(), Cost.exact("1", "EUR")]).currency == "EUR"


def test_another_currency_counts_as_unknown() -> None:
    found = total([Cost.exact("1", "EUR"), Cost.exact("2", "USD"), Cost.exact("3", "EUR")])
    assert (found.high, found.currency, found.unknown) == (Decimal(4), "EUR", 1)
