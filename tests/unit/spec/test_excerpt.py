"""Diagnostics as people read them."""

from __future__ import annotations

import pytest

from callsheet.core.diagnostics import Diagnostic, Place
from callsheet.spec.excerpt import MAX_WIDTH, excerpt, render, width_of


def no_file(file: str, line: int) -> str | None:
    return None


def test_the_whole_shape() -> None:
    diagnostic = Diagnostic(
        Place("jobs/a.yaml", 12, 5),
        "unknown-step",
        'there is no step "mastr"',
        'did you mean "master"? known: master, save',
        related=((Place("jobs/a.yaml", 3, 5), "declared here"),),
    )
    assert render(diagnostic, lambda file, line: "    video: ${{ steps.mastr.outputs.asset }}\n") == (
        'jobs/a.yaml:12:5: error[unknown-step]: there is no step "mastr"\n'
        "   12 |     video: ${{ steps.mastr.outputs.asset }}\n"
        "      |     ^\n"
        '      = did you mean "master"? known: master, save\n'
        "      = see jobs/a.yaml:3:5: declared here"
    )


def test_without_a_line_to_show() -> None:
    warning = Diagnostic(Place("a.yaml"), "empty", "nothing", "write\nsomething", severity="warning")
    expected = "a.yaml: warning[empty]: nothing\n      = write\n        something"
    assert render(warning, lambda file, line: "never asked") == expected
    gone = Diagnostic(Place("a.yaml", 3, 1), "empty", "nothing")
    assert render(gone, no_file) == "a.yaml:3:1: error[empty]: nothing"


def test_large_line_numbers_stay_aligned() -> None:
    lines = render(Diagnostic(Place("a", 1234567, 1), "c", "m", "h"), lambda file, line: "text").splitlines()
    assert lines[1:] == ["1234567 | text", "        | ^", "        = h"]


def test_an_empty_line() -> None:
    lines = render(Diagnostic(Place("a", 2, 1), "c", "m"), lambda file, line: "").splitlines()
    assert lines[1:] == ["    2 |", "      | ^"]


@pytest.mark.parametrize(
    ("source", "column", "caret"),
    [
        ("abc", 1, 0),
        ("abc", 3, 2),
        ("abc", 4, 3),  # just behind the end
        ("abc", 5, None),
        ("abc", 0, None),
        ("日本: x", 5, 6),
        ("😀😀x", 3, 4),
        ("üx", 2, 1),
        ("e\u0301x", 3, 1),  # a combining accent takes no room
        ("\ta", 2, 4),
        ("a\tb", 3, 5),
        ("\u200dx", 2, 0),
    ],
)
def test_caret(source: str, column: int, caret: int | None) -> None:
    assert excerpt(source, column)[1] == caret


@pytest.mark.parametrize("column", [1, 50, 159, 161, 500, 999, 1000, 1001])
@pytest.mark.parametrize("unit", ["x", "日", "😀", "\t"])
def test_long_lines_are_cut_round_the_caret(column: int, unit: str) -> None:
    source = unit * (column - 1) + "X" + unit * (1000 - column) if column <= 1000 else unit * 1000
    shown, caret = excerpt(source, column)
    assert caret is not None
    assert width_of(shown) <= MAX_WIDTH
    assert shown.endswith("…") == (column < 999) or column > 900
    if column <= 1000:
        before = shown[: shown.index("X")]
        assert width_of(before) == caret


def test_a_line_that_just_fits_is_not_cut() -> None:
    assert excerpt("x" * MAX_WIDTH, 150) == ("x" * MAX_WIDTH, 149)


def test_control_characters_do_not_reach_the_terminal() -> None:
    diagnostic = Diagnostic(Place("a", 1, 2), "c", "bad \x1b[31m\nvalue", "hint \x07\u202e")
    text = render(diagnostic, lambda file, line: "x\x1b[2Jy\u2028z")
    assert not any(char in text for char in "\x1b\x07\u202e\u2028")
    assert len(text.splitlines()) == 4
