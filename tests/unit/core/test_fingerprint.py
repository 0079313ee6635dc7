"""Keys: equal for equal work, different for anything that makes it other work."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from callsheet.core.fingerprint import canonical, digest, idempotency_key, purchase_key, tag
from callsheet.core.values import Deferred, Media, PlannedMedia

VIDEO = Media("video", path="/here/a.mp4", sha256="ab" * 32)
INPUTS: dict[str, Any] = {
    "video": VIDEO,
    "language": "es-ES",
    "title": "Launch",
    "options": {"b": 1, "a": [True, None]},
}


def key(inputs: dict[str, Any] = INPUTS, **changes: Any) -> str:
    asked = {"operation": "acme/dub", "version": 1, "account": "acct", "cosmetic": {"title"}, **changes}
    return purchase_key(inputs=inputs, **asked)


class TestPurchaseKey:
    def test_it_is_64_hex_digits_and_always_the_same(self) -> None:
        assert key() == key(dict(reversed(INPUTS.items())))
        assert re.fullmatch("[0-9a-f]{64}", key())
        # The layout must stay: a change of it would buy everything again.
        layout = {"v": 1, "operation": "acme/dub", "version": 1, "account": "acct", "inputs": {}}
        assert key({}, cosmetic=()) == digest(layout)

    @pytest.mark.parametrize(
        "changes", [{"operation": "acme/other"}, {"version": 2}, {"account": "other"}, {"cosmetic": ()}]
    )
    def test_other_work_has_another_key(self, changes: dict[str, Any]) -> None:
        assert key(**changes) != key()

    @pytest.mark.parametrize(
        "changed",
        [
            {"language": "fr-FR"},
            {"video": replace(VIDEO, sha256="cd" * 32)},
            {"options": {"b": 1, "a": [None, True]}},
            {"options": {"b": "1", "a": [True, None]}},
            {"more": None},
        ],
    )
    def test_content_counts(self, changed: dict[str, Any]) -> None:
        assert key({**INPUTS, **changed}) != key()

    @pytest.mark.parametrize(
        "changed",
        [
            {"title": "Another title"},
            {"video": replace(VIDEO, path="/there/b.mp4")},
            {"video": Media("video", asset="asset_1", account="acct", sha256=VIDEO.sha256)},
            {"video": replace(VIDEO, duration=1.0, bytes=5, mime="video/mp4", fresh="https://signed?x=1")},
        ],
    )
    def test_names_and_places_do_not(self, changed: dict[str, Any]) -> None:
        assert key({**INPUTS, **changed}) == key()

    def test_a_map_that_looks_like_media_is_other_work(self) -> None:
        assert key({"x": {"$media": VIDEO.identity}}) != key({"x": VIDEO})

    @pytest.mark.parametrize("value", [PlannedMedia("video"), Media("video", path="/a")])
    def test_unknown_content_has_no_key(self, value: Media) -> None:
        with pytest.raises(ValueError, match="video has no content yet"):
            key({"video": value})

    @pytest.mark.parametrize("value", [Deferred("x"), object(), b"bytes"])
    def test_what_is_no_value_has_no_key(self, value: object) -> None:
        with pytest.raises(TypeError, match="cannot be part of a key"):
            key({"x": value})

    def test_a_planned_result_has_the_key_of_its_origin(self) -> None:
        assert key({"x": PlannedMedia("video", origin="k/v")}) == key({"x": Media("video", origin="k/v")})


def test_canonical_text_has_one_form() -> None:
    assert canonical({"b": "é", "a": [1, 2.5]}) == '{"a":[1,2.5],"b":"é"}'


def test_the_idempotency_key_is_deterministic_and_fits_a_header() -> None:
    first = idempotency_key("acct", "acme/dub", key(), 1)
    assert first == idempotency_key("acct", "acme/dub", key(), 1)
    assert re.fullmatch(r"cs1-[0-9a-f]{40}-1", first)
    others = {
        idempotency_key("other", "acme/dub", key(), 1),
        idempotency_key("acct", "acme/other", key(), 1),
        idempotency_key("acct", "acme/dub", key({}), 1),
        idempotency_key("acct", "acme/dub", key(), 2),
    }
    assert first not in others
    assert len(others) == 4


def test_the_tag_is_short() -> None:
    assert re.fullmatch("cs:[0-9a-f]{16}", tag("cs1-x-1"))
    assert tag("cs1-x-1") != tag("cs1-x-2")
