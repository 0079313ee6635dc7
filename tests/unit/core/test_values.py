"""Media, values that only a run can give, and what goes into the state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from callsheet.core.values import (
    Deferred,
    Media,
    PlannedMedia,
    Unready,
    from_state,
    is_known,
    known_part,
    to_public,
    to_state,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Media(
    "video", path="/m/a.mp4", sha256="ab" * 32, mime="video/mp4", bytes=12, duration=1.5, width=4, height=2, fps=25.0
)


class TestMedia:
    @pytest.mark.parametrize(
        ("media", "identity"),
        [
            (Media("video", path="/a", sha256="ff", origin="k/v", url="https://x", asset="a"), "sha256:ff"),
            (Media("video", origin="k/v", url="https://x", asset="a"), "result:k/v"),
            (Media("video", url="https://x", asset="a"), "url:https://x"),
            (Media("video", asset="a"), "asset:a"),
            (Media("video", path="/a"), None),
            (Media("video", fresh="https://signed"), None),
        ],
    )
    def test_identity_is_content_before_place(self, media: Media, identity: str | None) -> None:
        assert media.identity == identity

    def test_seconds_are_a_range(self) -> None:
        assert Media("audio", duration=2.0).seconds == (2.0, 2.0)
        assert Media("audio", expected=(1.0, 3.0)).seconds == (1.0, 3.0)
        assert Media("audio", duration=2.0, expected=(1.0, 3.0)).seconds == (2.0, 2.0)
        assert Media("audio").seconds is None

    def test_the_public_shape_hides_what_is_ours(self) -> None:
        media = Media("video", origin="k/v", fresh="https://signed", expected=(1.0, 2.0), duration=1.5)
        assert media.as_json() == {"kind": "video", "duration": 1.5}
        assert to_public({"a": [media, (1, "x")], 2: None}) == {"a": [media.as_json(), [1, "x"]], "2": None}


class TestState:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            1,
            1.5,
            "text",
            [],
            {},
            {"a": [1, {"b": None}]},
            FULL,
            {"video": FULL, "list": [FULL, {"in": FULL}]},
            {"$media": "text"},
            {"$media": {"kind": "video", "path": "/etc/passwd"}},
            {"$literal": {"$media": {}}},
            {"$media": FULL, "$literal": {"$literal": FULL}},
            {"$literal": {"$literal": {"$media": {"kind": "video"}}}},
        ],
    )
    def test_round_trip_through_json(self, value: Any) -> None:
        assert from_state(json.loads(json.dumps(to_state(value)))) == value

    def test_a_reply_cannot_become_a_path_on_this_machine(self) -> None:
        hostile = {"$media": {"kind": "file", "path": "/etc/passwd", "sha256": "00"}}
        assert from_state(to_state({"reply": hostile})) == {"reply": hostile}

    def test_short_lived_urls_and_expectations_are_not_kept(self) -> None:
        assert from_state(to_state(Media("video", fresh="https://signed", expected=(1, 2)))) == Media("video")


ACTIONS: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "bool": bool,
    "len": len,
    "iter": iter,
    "int": int,
    "float": float,
    "round": round,
    "abs": abs,
    "neg": lambda d: -d,
    "pos": lambda d: +d,
    "eq": lambda d: d == 1,
    "reflected eq": lambda d: d == "x",
    "ne": lambda d: d != 1,
    "lt": lambda d: d < 1,
    "le": lambda d: d <= 1,
    "gt": lambda d: d > 1,
    "ge": lambda d: d >= 1,
    "in": lambda d: 1 in d,
    "in a list": lambda d: d in [1],
    "in a map": lambda d: d in {"a": 1},
    "add": lambda d: d + 1,
    "radd": lambda d: 1 + d,
    "sub": lambda d: d - 1,
    "rsub": lambda d: 1 - d,
    "mul": lambda d: d * 2,
    "rmul": lambda d: 2 * d,
    "truediv": lambda d: d / 2,
    "rtruediv": lambda d: 2 / d,
    "floordiv": lambda d: d // 2,
    "rfloordiv": lambda d: 2 // d,
    "mod": lambda d: d % 2,
    "rmod": lambda d: 2 % d,
    "pow": lambda d: d**2,
    "rpow": lambda d: 2**d,
    "item": lambda d: d["a"],
    "call": lambda d: d(),
    "index": lambda d: [1, 2][d],
    "slice": lambda d: "abc"[d:],
    "f-string": lambda d: f"{d}",
    "percent": lambda d: "%s" % d,  # noqa: UP031 - the operator is what is tried
}


class TestDeferred:
    @pytest.mark.parametrize("name", ACTIONS)
    def test_every_use_says_what_it_waits_for(self, name: str) -> None:
        with pytest.raises(Unready) as caught:
            ACTIONS[name](Deferred("steps.a.outputs.b"))
        assert caught.value.deferred.what == "steps.a.outputs.b"

    def test_it_may_be_passed_on(self) -> None:
        waits = Deferred("x")
        assert [waits][0] is waits
        assert repr(waits) == "Deferred('x')"

    def test_what_is_known(self) -> None:
        planned = PlannedMedia("video", origin="k/v")
        assert is_known({"a": [1, FULL]})
        assert not is_known({"a": [Deferred("x")]})
        assert not is_known([planned])
        given = {"a": 1, "b": [Deferred("x")], "c": {"d": Deferred("y")}, "m": planned}
        assert known_part(given) == {"a": 1, "m": planned}
