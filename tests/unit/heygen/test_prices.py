"""Prices and lengths, worked by hand from HeyGen's price page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from callsheet.api import Media
from callsheet_heygen.catalog import operations
from callsheet_heygen.prices import card

OPERATIONS = {operation.name: operation for operation in operations()}


def film(seconds: float | None = None, expected: tuple[float, float] | None = None) -> Media:
    return Media("video", asset="v", duration=seconds, expected=expected)


def sound(seconds: float | None = None, expected: tuple[float, float] | None = None) -> Media:
    return Media("audio", asset="a", duration=seconds, expected=expected)


def cost(name: str, **inputs: Any) -> tuple[Decimal, Decimal]:
    found = OPERATIONS[f"heygen/{name}"].estimate(inputs)
    assert found is not None
    assert found.currency == "USD"
    assert "rates of 2026-11-20" in found.basis
    return found.low, found.high


def exactly(amount: str) -> tuple[Decimal, Decimal]:
    return Decimal(amount), Decimal(amount)


def test_lipsync_can_be_as_long_as_its_audio():
    inputs = {"video": film(60), "audio": sound(12.5), "duration": "match_audio"}
    assert cost("lipsync", **inputs) == exactly("0.41625")  # 12.5 × 0.0333
    assert cost("lipsync", **inputs, quality="high") == exactly("0.83375")  # 12.5 × 0.0667


def test_lipsync_is_between_the_two_unless_it_is_told():
    assert cost("lipsync", video=film(60), audio=sound(12.5)) == (Decimal("0.41625"), Decimal("1.998"))


def test_lipsync_can_be_as_long_as_its_video():
    inputs = {"video": film(60), "audio": sound(12.5), "duration": "match_video"}
    assert cost("lipsync", **inputs) == exactly("1.998")  # 60 × 0.0333
    assert cost("lipsync", **inputs, start=10, end=25) == exactly("0.4995")  # 15 × 0.0333
    assert cost("lipsync", **inputs, start=50) == exactly("0.333")  # 10 × 0.0333
    assert cost("lipsync", **inputs, end=90) == exactly("1.998")  # there are only 60
    assert cost("lipsync", **inputs, start=70) == exactly("0")


def test_lipsync_with_an_expected_length_has_a_range():
    inputs = {"video": film(60), "audio": sound(expected=(10, 20)), "duration": "match_audio"}
    assert cost("lipsync", **inputs) == (Decimal("0.333"), Decimal("0.666"))


def test_lipsync_of_unknown_length_has_an_unknown_price():
    assert OPERATIONS["heygen/lipsync"].estimate({"video": film(60), "audio": sound()}) is None
    assert OPERATIONS["heygen/lipsync"].estimate({"audio": sound(10)}) is None
    assert OPERATIONS["heygen/lipsync"].estimate({}) is None
    assert OPERATIONS["heygen/lipsync"].estimate({"audio": sound(10), "duration": "match_video"}) is None


def test_translate_may_be_shorter_or_longer_than_the_source():
    # 30 s × 0.65 = 19.5 s, 30 s × 1.4 = 42 s
    assert cost("translate", video=film(30), language="es") == (Decimal("0.64935"), Decimal("1.3986"))
    assert cost("translate", video=film(30), language="es", lip_sync=False) == (Decimal("0.32565"), Decimal("0.7014"))
    assert cost("translate", video=film(30), language="es", quality="high") == (Decimal("1.30065"), Decimal("2.8014"))
    fixed = {"options": {"enable_dynamic_duration": False}}
    assert cost("translate", video=film(30), language="es", **fixed) == exactly("0.999")
    assert cost("translate", video=film(30), language="es", start=10, **fixed) == exactly("0.666")


def test_speech_takes_its_time_by_the_letter():
    # 240 letters at 20 and 12 a second: 12 to 20 s × 0.000667
    assert cost("speech", text="x" * 240, voice="v") == (Decimal("0.008004"), Decimal("0.01334"))
    assert cost("speech", text="x" * 240, voice="v", speed=2) == (Decimal("0.004002"), Decimal("0.00667"))
    # A digit or a Chinese character takes as long as four letters.
    assert cost("speech", text="你" * 60, voice="v") == cost("speech", text="7" * 60, voice="v")
    assert cost("speech", text="你" * 60, voice="v") == cost("speech", text="x" * 240, voice="v")


@pytest.mark.parametrize(
    ("inputs", "low", "high"),
    [
        ({"avatar": "a"}, "0.50", "0.667"),  # photo avatar 0.05, digital twin or studio avatar 0.0667
        ({"avatar": "a", "resolution": "1080p"}, "0.50", "0.667"),
        ({"avatar": "a", "resolution": "4k"}, "0.667", "0.833"),
        ({"image": Media("image", asset="i")}, "0.50", "0.50"),
        ({"image": Media("image", asset="i"), "resolution": "4k"}, "0.667", "0.667"),
        ({"avatar": "a", "options": {"engine": {"type": "avatar_iii"}}}, "0.167", "0.167"),
        ({"avatar": "a", "options": {"engine": {"type": "avatar_iii"}}, "resolution": "4k"}, "0.2", "0.2"),
        ({"avatar": "a", "options": {"engine": {"type": "avatar_v"}}}, "0.50", "0.667"),
    ],
)
def test_video_costs_what_its_kind_of_avatar_costs(inputs, low, high):
    assert cost("video", audio=sound(10), **inputs) == (Decimal(low), Decimal(high))


def test_video_with_a_script_is_a_range_of_a_range():
    # 240 letters: 12 to 20 s × 0.05 to 0.0667
    assert cost("video", avatar="a", voice="v", script="x" * 240) == (Decimal("0.6"), Decimal("1.334"))
    faster = {"options": {"voice_settings": {"speed": 1.5}}}
    assert cost("video", avatar="a", voice="v", script="x" * 240, **faster) == (
        Decimal("0.4"),
        Decimal("0.889778"),
    )  # 8 to 13.34 s


def test_the_basis_is_for_people():
    lipsync = OPERATIONS["heygen/lipsync"].estimate({"audio": sound(12.5), "duration": "match_audio"})
    assert lipsync is not None
    assert lipsync.basis == "12.5 s × 0.0333 USD/s (rates of 2026-11-20)"
    video = OPERATIONS["heygen/video"].estimate({"avatar": "a", "script": "x" * 240})
    assert video is not None
    assert video.basis == "12–20 s × 0.05–0.0667 USD/s (rates of 2026-11-20), the kind of avatar decides"


def test_uploads_cost_nothing():
    # An Operation is free by definition: the engine asks only remote operations for a price.
    assert OPERATIONS["heygen/upload"].estimate({}) is None or OPERATIONS["heygen/upload"].estimate({}).is_free


def test_predictions_let_later_steps_be_priced():
    speech = OPERATIONS["heygen/speech"].predict({"text": "x" * 240, "voice": "v"})
    assert speech == {"audio": Media("audio", expected=(12.0, 20.0))}
    translated = OPERATIONS["heygen/translate"].predict({"video": film(30), "language": "es-ES"})
    assert translated["language"] == "es-ES"
    assert translated["video"].seconds == pytest.approx((19.5, 42.0))
    lipsync = OPERATIONS["heygen/lipsync"].predict({"video": film(30), "audio": speech["audio"]})
    assert lipsync["video"].seconds == (12.0, 30.0)
    video = OPERATIONS["heygen/video"].predict({"avatar": "a", "audio": sound(7)})
    assert video == {"video": Media("video", expected=(7, 7))}


def test_what_came_out_settles_the_price():
    lipsync = OPERATIONS["heygen/lipsync"].settle({"quality": "high"}, {"video": film(10)})
    assert lipsync is not None
    assert lipsync.low == lipsync.high == Decimal("0.667")
    assert OPERATIONS["heygen/speech"].settle({}, {"audio": sound(100)}).high == Decimal("0.0667")
    assert OPERATIONS["heygen/lipsync"].settle({}, {"video": film()}) is None
    assert OPERATIONS["heygen/lipsync"].settle({}, {}) is None


def test_single_rates_can_be_replaced():
    own = card({"lipsync.speed": "0.05"})
    assert own.rates["lipsync.speed"] == Decimal("0.05")
    assert own.rates["lipsync.precision"] == Decimal("0.0667")
    assert own.as_of == "2026-11-20, with 1 of the account's own"
    with pytest.raises(KeyError, match="gold"):
        card({"gold": "1"})
