"""A stable order, and the way round a cycle."""

from __future__ import annotations

import itertools

import pytest

from callsheet.core.graph import Cycle, order


def test_the_given_order_breaks_ties() -> None:
    assert order({"c": [], "b": [], "a": []}) == ["c", "b", "a"]
    assert order({"save": ["dub"], "other": [], "dub": ["up"], "up": []}) == ["other", "up", "dub", "save"]


def test_the_same_need_twice_counts_once() -> None:
    assert order({"b": ["a", "a"], "a": []}) == ["a", "b"]


@pytest.mark.parametrize(
    ("needs", "names"),
    [
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"x": [], "a": ["b"], "b": ["c"], "c": ["a", "x"]}, ["a", "b", "c", "a"]),
    ],
)
def test_a_cycle_is_named_all_the_way_round(needs: dict[str, list[str]], names: list[str]) -> None:
    with pytest.raises(Cycle) as caught:
        order(needs)
    found = caught.value.names
    assert found[0] == found[-1]
    assert len(found) == len(names)
    assert set(found) == set(names)
    # Each name waits for the next one.
    assert all(after in needs[before] for before, after in itertools.pairwise(found))
    assert str(caught.value) == " → ".join(found)
