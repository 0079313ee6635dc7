from __future__ import annotations

import pytest

from callsheet.core.retry_after import http_date, parse_retry_after

NOW = 1_000_000_000.0  # Sun, 09 Sep 2001 01:46:40 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("Sun, 09 Sep 2001 01:47:40 GMT", 60.0),
        ("Sunday, 09-Sep-01 01:47:40 GMT", 60.0),
        ("Sun, 09 Sep 2001 01:47:40 -0000", 60.0),
    ],
)
def test_seconds_and_dates_are_read(value, seconds):
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "-1",
        "soon",
        "1e3",
        "٣",
        "12345678901",
        "Sun, 09 Sep 2001 01:46:00 GMT",
        "Sun, 09 Sep 99999999 01:46:00 GMT",
    ],
)
def test_anything_else_is_nothing(value):
    assert parse_retry_after(value, NOW) is None


def test_a_date_is_unix_time():
    assert http_date("Sun, 09 Sep 2001 01:46:40 GMT") == NOW
    assert http_date("yesterday") is None
    assert http_date(None) is None
