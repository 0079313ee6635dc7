"""Lengths of time."""

from __future__ import annotations

import pytest

from callsheet.core.durations import parse_duration, show_duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), ("1.5h", 5400), (" 5 m ", 300), (90, 90), (0.5, 0.5)],
)
def test_read(value: object, seconds: float) -> None:
    assert parse_duration(value) == seconds


@pytest.mark.parametrize("value", ["", "90", "s", "-1s", "1w", "1h30m", "1,5h", -1, True, None, [1], float("nan")])
def test_refused_with_the_form(value: object) -> None:
    with pytest.raises(ValueError, match="write it like 90s, 30m or 2h"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (4.25, "4.2s"),
        (10, "10s"),
        (59, "59s"),
        (60, "1m00s"),
        (190, "3m10s"),
        (3599.6, "1h00m"),
        (7500, "2h05m"),
        (90000, "25h00m"),
    ],
)
def test_shown(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown
