"""Properties of pure values: what goes into the state comes back, keys follow content, order follows needs."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import find, given
from hypothesis import strategies as st

from callsheet.core.durations import parse_duration, show_duration
from callsheet.core.fingerprint import digest, purchase_key
from callsheet.core.graph import Cycle, order
from callsheet.core.money import Cost, Money, show, total
from callsheet.core.values import MEDIA_KINDS, Deferred, Media, from_state, is_known, known_part, to_public, to_state

if TYPE_CHECKING:
    from collections.abc import Callable

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
#: Names that the state uses for itself come up often.
keys = text | st.sampled_from(["$media", "$literal", "kind", "path"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
media = st.builds(
    Media,
    kind=st.sampled_from(MEDIA_KINDS),
    path=st.none() | text,
    url=st.none() | text,
    asset=st.none() | text,
    origin=st.none() | text,
    sha256=st.none() | st.text("0123456789abcdef", min_size=4, max_size=8),
    bytes=st.none() | st.integers(0, 10**12),
    duration=st.none() | st.floats(0, 1e6),
)


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
    )


values = trees(scalars | media)
plain = trees(scalars)


@given(values)
def test_what_goes_into_the_state_comes_back(value: Any) -> None:
    assert from_state(json.loads(json.dumps(to_state(value)))) == value


@given(plain)
def test_plain_data_never_becomes_media(value: Any) -> None:
    def has_media(part: Any) -> bool:
        if isinstance(part, dict):
            return any(map(has_media, part.values()))
        return any(map(has_media, part)) if isinstance(part, list) else isinstance(part, Media)

    assert not has_media(from_state(to_state(value)))


@given(values)
def test_the_public_shape_is_json(value: Any) -> None:
    json.dumps(to_public(value), allow_nan=False)


@given(plain, plain)
def test_keys_are_equal_for_equal_content_only(one: Any, two: Any) -> None:
    # As text, because for Python 1, 1.0 and True are equal, and for a provider they are not.
    assert (digest(one) == digest(two)) == (json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True))
    assert digest(one) == digest(copy.deepcopy(one))


@given(st.dictionaries(keys, plain, max_size=4), keys, plain)
def test_cosmetic_inputs_do_not_count(inputs: dict[str, Any], name: str, value: Any) -> None:
    without = {key: item for key, item in inputs.items() if key != name}
    assert purchase_key("a/b", 1, "", {**inputs, name: value}, {name}) == purchase_key("a/b", 1, "", without)


@given(media, text)
def test_known_content_counts_and_its_place_does_not(one: Media, place: str) -> None:
    known = replace(one, sha256="ab12")
    moved = replace(known, path=place, url=None, asset=place, account=place, fresh=place, origin=None)
    assert digest({"x": known}) == digest({"x": moved})
    assert digest({"x": known}) != digest({"x": replace(known, sha256="ab13")})


@given(trees(scalars | media | st.builds(Deferred, text)))
def test_what_waits_is_left_out_and_nothing_else(value: Any) -> None:
    def waits(part: Any) -> bool:
        if isinstance(part, dict):
            return any(map(waits, part.values()))
        return any(map(waits, part)) if isinstance(part, list) else isinstance(part, Deferred)

    assert is_known(value) is not waits(value)
    kept = known_part({"a": value, "b": 1})
    assert set(kept) == ({"b"} if waits(value) else {"a", "b"})


graphs = st.dictionaries(st.sampled_from("abcdefg"), st.lists(st.sampled_from("abcdefg"), max_size=3), max_size=7).map(
    lambda found: {name: [need for need in needs if need in found] for name, needs in found.items()}
)


def ordered(needs: dict[str, list[str]]) -> list[str] | Cycle:
    try:
        return order(needs)
    except Cycle as cycle:
        return cycle


@given(graphs)
def test_order_or_a_way_round(needs: dict[str, list[str]]) -> None:
    found = ordered(needs)
    if isinstance(found, Cycle):
        assert found.names[0] == found.names[-1]
        assert all(after in needs[before] for before, after in zip(found.names, found.names[1:], strict=False))
        return
    assert sorted(found) == sorted(needs)
    rank = {name: position for position, name in enumerate(found)}
    assert all(rank[need] < rank[name] for name, all_needs in needs.items() for need in all_needs)
    assert order(needs) == found


@given(st.lists(st.text("abcd", min_size=1, max_size=2), unique=True))
def test_without_needs_the_order_stays(names: list[str]) -> None:
    assert order({name: [] for name in names}) == names


amounts = st.decimals(0, 10**6, places=4, allow_nan=False)


@given(amounts)
def test_money_is_read_as_it_is_shown(amount: Decimal) -> None:
    assert Money.parse(f"{show(amount)} USD").amount == amount


@given(st.lists(st.none() | st.builds(lambda a, b: Cost(min(a, b), max(a, b)), amounts, amounts), max_size=6))
def test_a_total_is_a_sum(costs: list[Cost | None]) -> None:
    found = total(costs)
    assert found.unknown == sum(cost is None for cost in costs)
    assert found.low == sum((cost.low for cost in costs if cost), Decimal(0))
    assert found.low <= found.high


@given(st.integers(0, 10**6), st.sampled_from("smhd"))
def test_lengths_of_time(number: int, unit: str) -> None:
    seconds = parse_duration(f"{number}{unit}")
    assert seconds == number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    assert show_duration(seconds)


@given(text)
def test_any_other_text_is_a_value_error(value: str) -> None:
    for parse in (parse_duration, Money.parse):
        assert "write it like" in refusal(parse, value)


def refusal(parse: Callable[[object], object], value: str) -> str:
    try:
        return f"write it like {parse(value)}"
    except ValueError as problem:
        return str(problem)


def test_the_strategies_reach_hostile_values() -> None:
    """A guard of this file: without such keys the first property would say little."""
    assert find(plain, lambda value: isinstance(value, dict) and "$media" in value)
