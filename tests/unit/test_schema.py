"""Validation: our types, words for people, and patience with values that only a run can give."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.core.values import Deferred, Media, PlannedMedia
from callsheet.schema import Checker, media_kind_of, plain

WAITS = Deferred("steps.a.outputs.b")


def faults(schema: dict[str, Any], value: Any) -> list[tuple[tuple[str | int, ...], str, str, str]]:
    return sorted((f.path, f.code, f.message, f.hint) for f in Checker(schema).faults(value))


def messages(schema: dict[str, Any], value: Any) -> list[str]:
    return [fault[2] for fault in faults(schema, value)]


def own(kind: str) -> dict[str, Any]:
    return {"$ref": f"callsheet:{kind}"}


class TestOwnTypes:
    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("video", Media("video", path="/a")),
            ("video", Media("file", asset="a")),
            ("file", Media("video", path="/a")),
            ("audio", PlannedMedia("audio")),
            ("language", "es-ES"),
            ("language", "zh-Hant-TW"),
            ("language", "no"),
            ("duration", "90s"),
            ("duration", 5),
            ("money", "60 USD"),
        ],
    )
    def test_accepted(self, kind: str, value: Any) -> None:
        assert faults(own(kind), value) == []

    @pytest.mark.parametrize(
        ("kind", "value", "message"),
        [
            ("video", Media("audio", path="/a"), "this is audio, not a video"),
            ("audio", Media("video", path="/a"), "this is a video, not audio"),
            ("image", "text", 'this is "text", not an image'),
            ("video", 7, "this is 7, not a video"),
            ("video", None, "this is null, not a video"),
            ("video", {"path": "a"}, "this is a map, not a video"),
            ("language", "spanish", '"spanish" is not a language tag'),
            ("language", "es-XX", '"es-XX" is not a language tag'),
            ("language", False, "this is false, not a language tag"),
            ("duration", "soon", '"soon" is not a length of time; write it like 90s, 30m or 2h'),
            ("money", "60", '"60" is not an amount of money; write it like "60 USD"'),
            ("colour", "red", 'this has the unknown type "callsheet:colour"'),
        ],
    )
    def test_refused(self, kind: str, value: Any, message: str) -> None:
        (found,) = faults({"type": "object", "properties": {"x": own(kind)}}, {"x": value})
        assert found[:3] == (("x",), "wrong-type", message)

    def test_a_language_says_how_to_write_it(self) -> None:
        assert faults(own("language"), "spanish")[0][3] == "write a BCP 47 tag such as es-ES, pt-BR or de"

    def test_kinds(self) -> None:
        assert media_kind_of(own("video")) == "video"
        assert media_kind_of(own("language")) is None
        assert media_kind_of({"type": "string"}) is None
        assert media_kind_of(True) is None

    def test_for_other_readers_they_are_written_out(self) -> None:
        found = plain({"properties": {"v": {**own("language"), "description": "which"}, "l": {"items": own("video")}}})
        assert found["properties"]["v"]["type"] == "string"
        assert found["properties"]["v"]["description"] == "which"
        assert "anyOf" in found["properties"]["l"]["items"]
        assert "callsheet:" not in str(found)


OBJECT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["video"],
    "properties": {
        "video": {"type": "string", "description": "Which video"},
        "quality": {"type": "string", "enum": ["standard", "high"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "title": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[a-z]+$"},
        "tags": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
        "fixed": {"const": 1},
        "flag": {"type": "boolean"},
        "part": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "either": {"type": ["string", "null"]},
    },
}


class TestWords:
    @pytest.mark.parametrize(
        ("value", "path", "code", "message", "hint"),
        [
            ({}, (), "missing-key", '"video" is missing', 'add "video": Which video'),
            ({"qualty": 1}, ("qualty",), "unknown-key", 'unknown key "qualty"', 'did you mean "quality"?'),
            ({"quality": "hgh"}, ("quality",), "not-allowed", '"hgh" is not allowed here', 'did you mean "high"?'),
            ({"count": "3"}, ("count",), "wrong-type", '"3" is not a whole number', ""),
            ({"count": 1.5}, ("count",), "wrong-type", "1.5 is not a whole number", ""),
            ({"count": True}, ("count",), "wrong-type", "true is not a whole number", ""),
            ({"count": 0}, ("count",), "out-of-range", "0 is less than 1", ""),
            ({"count": 10}, ("count",), "out-of-range", "10 is more than 9", ""),
            ({"part": 0}, ("part",), "out-of-range", "0 must be more than 0", ""),
            ({"part": 1}, ("part",), "out-of-range", "1 must be less than 1", ""),
            ({"title": 5}, ("title",), "wrong-type", "5 is not text", 'put quotes round it: "5"'),
            ({"title": ""}, ("title",), "out-of-range", "0 characters are too few: at least 1", ""),
            ({"title": "abcd"}, ("title",), "out-of-range", "4 characters are too many: at most 3", ""),
            ({"title": "A"}, ("title",), "invalid-value", '"A" does not have the form ^[a-z]+$', ""),
            ({"tags": []}, ("tags",), "out-of-range", "0 items are too few: at least 1", ""),
            ({"tags": "a"}, ("tags",), "wrong-type", '"a" is not a list', ""),
            ({"tags": ["a", 1]}, ("tags", 1), "wrong-type", "1 is not text", ""),
            ({"fixed": 2}, ("fixed",), "not-allowed", "2 is not allowed here", "it must be 1"),
            ({"flag": "no"}, ("flag",), "wrong-type", '"no" is not true or false', ""),
            ({"either": 1}, ("either",), "wrong-type", "1 is not text or null", ""),
            ({"flag": None}, ("flag",), "wrong-type", "null is not true or false", ""),
        ],
    )
    def test_one_fault(self, value: dict[str, Any], path: tuple[str, ...], code: str, message: str, hint: str) -> None:
        given = value if not value else {"video": "v", **value}
        found = [fault for fault in faults(OBJECT, given) if fault[0] == path and fault[1] == code]
        assert [fault[2] for fault in found] == [message]
        assert hint in found[0][3]

    def test_all_faults_at_once(self) -> None:
        assert len(faults(OBJECT, {"count": 0, "flag": 1, "x": 1, "y": 2})) == 5

    def test_two_missing_keys_are_two_faults(self) -> None:
        schema = {"type": "object", "required": ["a", "b"]}
        assert messages(schema, {}) == ['"a" is missing', '"b" is missing']

    def test_alternatives_by_type(self) -> None:
        schema = {"oneOf": [{"type": "string"}, {"type": "array"}]}
        assert messages(schema, 5) == ["5 is not text or a list"]

    def test_the_alternative_that_was_meant_is_explained(self) -> None:
        schema = {
            "oneOf": [
                {"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["x"]},
                {"type": "object", "properties": {"kind": {"const": "b"}, "y": {"type": "integer"}}, "required": ["y"]},
            ]
        }
        assert messages(schema, {"kind": "b", "y": "1"}) == ['"1" is not a whole number']

    def test_a_schema_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="not a valid JSON Schema"):
            Checker({"type": "objekt"})

    def test_no_schema_is_fetched(self) -> None:
        with pytest.raises(Exception, match=r"[Uu]nresolvable|Unretrievable|example\.com"):
            Checker({"$ref": "https://example.com/schema.json"}).faults({})


class TestPatience:
    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "string"},
            {"enum": ["a"]},
            {"const": 1},
            {"pattern": "^a$"},
            {"minLength": 5},
            {"minimum": 5},
            {"multipleOf": 5},
            {"not": {"type": "string"}},
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            {"allOf": [{"type": "string"}, {"minLength": 2}]},
            {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 1}},
            {
                "type": "array",
                "items": {"type": "string"},
                "uniqueItems": True,
                "minItems": 1,
                "contains": {"const": 1},
            },
            {"type": "object", "required": ["a"], "additionalProperties": False},
            own("video"),
            own("language"),
            own("money"),
        ],
    )
    def test_a_value_that_waits_is_not_judged(self, schema: dict[str, Any]) -> None:
        assert faults(schema, WAITS) == []
        assert faults({"type": "object", "properties": {"x": schema}}, {"x": WAITS}) == []
        assert faults({"type": "array", "items": schema}, [WAITS]) == []

    @pytest.mark.parametrize(
        ("schema", "value"),
        [
            ({"uniqueItems": True}, [WAITS, WAITS]),
            ({"uniqueItems": True}, ["a", WAITS]),
            ({"enum": [["a"], ["b"]]}, [WAITS]),
            ({"enum": [{"a": 1}]}, {"a": WAITS}),
            ({"const": {"a": 1}}, {"a": WAITS}),
            ({"contains": {"const": "a"}}, [WAITS]),
            ({"not": {"properties": {"a": {"const": 1}}}}, {"a": WAITS}),
            ({"oneOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"a": {"const": 2}}}]}, {"a": WAITS}),
            ({"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}, {"a": WAITS}),
            ({"dependentRequired": {"a": ["b"]}}, {"a": WAITS, "b": 1}),
        ],
    )
    def test_inside_lists_and_maps(self, schema: dict[str, Any], value: Any) -> None:
        assert faults(schema, value) == []

    def test_what_is_known_beside_it_is_judged(self) -> None:
        found = messages(OBJECT, {"video": WAITS, "count": 0, "tags": [WAITS, 1], "x": WAITS})
        assert found == ["0 is less than 1", "1 is not text", 'unknown key "x"']

    def test_a_missing_key_is_missing(self) -> None:
        assert messages(OBJECT, {"quality": WAITS}) == ['"video" is missing']


def test_one_property_alone() -> None:
    checker = Checker(OBJECT).property("count")
    assert checker is not None
    assert [fault.message for fault in checker.faults(0)] == ["0 is less than 1"]
    assert Checker(OBJECT).property("nothing") is None
