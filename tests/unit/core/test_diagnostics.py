"""Places, hints and the order of problems."""

from __future__ import annotations

from callsheet.core.diagnostics import Diagnostic, Place, by_place, did_you_mean


def test_a_near_name_is_offered_first() -> None:
    assert did_you_mean("langs", ["row", "lang"]) == 'did you mean "lang"? known: lang, row'


def test_without_a_near_name_the_known_ones_are_listed() -> None:
    assert did_you_mean("zzz", ["row", "lang"]) == "known: lang, row"
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean(7, ["a"]) == "known: a"


def test_a_long_list_is_cut() -> None:
    assert did_you_mean("q", [f"n{i:02}" for i in range(20)]).endswith("n11, …")
    assert "…" not in did_you_mean("q", [f"n{i:02}" for i in range(12)])


def test_places() -> None:
    assert str(Place("a.yaml", 3, 7)) == "a.yaml:3:7"
    assert str(Place("a.yaml")) == "a.yaml"


def test_problems_are_sorted_by_place_and_said_once() -> None:
    late = Diagnostic(Place("a", 10, 1), "x", "late")
    early = Diagnostic(Place("a", 9, 80), "x", "early")
    other = Diagnostic(Place("b", 1, 1), "x", "other file")
    assert by_place([other, late, early, late]) == [early, late, other]


def test_the_published_shape() -> None:
    problem = Diagnostic(Place("a", 1, 2), "code", "message", "hint", "warning", ((Place("b"), "there"),))
    assert problem.as_json() == {
        "file": "a",
        "line": 1,
        "column": 2,
        "severity": "warning",
        "code": "code",
        "message": "message",
        "hint": "hint",
    }
