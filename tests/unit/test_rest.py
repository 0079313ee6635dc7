"""Operations made from data: requests, results at once, estimates and entries. Nothing here knows HeyGen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.acme import ENTRY, ERRORS, PRICES, UNSAFE, at_once, check, dialect, operation, sent, start
from support.task_context import TAG, OneReply, TaskContext, reply

from callsheet.api import Ambiguous, Done, InvalidInput, Media, ServerError
from callsheet.errors import PluginError
from callsheet.rest import Card, Dialect, load
from callsheet.rest.pointers import at, inside, put

# -- places


def test_pointers_read_maps_and_lists_and_never_fail():
    document = {"a": [{"b/c": 1}], "n": None}
    assert at(document, "/a/0/b~1c") == 1
    assert at(document, "") == document
    for pointer in ("/a/1", "/a/x", "/n/x", "/z", "/a/0/b~1c/d", "/a/-1"):
        assert at(document, pointer) is None
    assert at(None, "/a") is None


def test_dotted_paths_read_and_write():
    values: dict[str, Any] = {}
    put(values, "a.b.c", 1)
    put(values, "a.d", 2)
    assert values == {"a": {"b": {"c": 1}, "d": 2}}
    assert inside(values, "a.b.c") == 1
    assert inside(values, "a.d.e") is None


# -- requests


def test_a_request_holds_what_was_given_and_nothing_else():
    asked = sent({"subject": "a boat", "gallery": "new/old", "style": "soft", "page": 2, "language": "de"})
    assert asked["method"] == "POST"
    assert asked["path"] == "/galleries/new%2Fold/pictures"
    assert asked["params"] == {"p": "2"}
    assert asked["headers"] == {"X-Once": TaskContext(None).key}
    assert asked["json"] == {
        "kind": "oil",
        "what": {"text": "a boat"},
        "style": "s",
        "languages": ["German"],
        "meta": {"mark": TAG},
    }


def test_null_is_not_sent_and_a_word_can_mean_leaving_out():
    asked = sent({"subject": "a boat", "gallery": "g", "style": "hard", "language": None, "options": None})
    assert set(asked["json"]) == {"kind", "what", "meta"}


def test_media_go_as_asset_or_as_url():
    assert sent({"subject": "x", "gallery": "g", "model": Media("image", asset="a1")})["json"]["model"] == {
        "type": "asset_id",
        "asset_id": "a1",
    }
    fresh = Media("image", origin="k/picture", fresh="https://cdn.test/p.png?sig=1")
    assert sent({"subject": "x", "gallery": "g", "model": fresh})["json"]["model"] == {
        "type": "url",
        "url": "https://cdn.test/p.png?sig=1",
    }


def test_media_inside_options_go_the_same_way():
    asked = sent({"subject": "x", "gallery": "g", "options": {"stamp": {"image": Media("image", asset="a1")}}})
    assert asked["json"]["stamp"] == {"image": {"type": "asset_id", "asset_id": "a1"}}


def test_an_option_stands_in_for_an_input():
    asked = sent({"subject": "x", "gallery": "g", "language": "xx", "options": {"tongue": "Klingon"}})
    assert asked["json"]["languages"] == ["Klingon"]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"language": "xx"}, 'language: no tongue "xx"'),
        ({"subject": "x" * 21}, "what.text: 21 characters are too many"),
        ({"options": {"frame": "wide"}}, 'frame: "wide" is not allowed here'),
        ({"model": Media("image", path="/tmp/x.png")}, "is a local file"),
        ({"model": Media("image", asset="a1", account="somebody else")}, "belongs to another account"),
    ],
)
def test_what_does_not_fit_is_never_sent(inputs, told):
    client = OneReply(reply(200, {"data": {"id": "p1"}}))
    with pytest.raises(InvalidInput, match=told):
        asyncio.run(operation().start({"subject": "x", "gallery": "g", **inputs}, TaskContext(client)))
    assert client.asked == []


# -- without polling


def test_an_operation_without_polling_is_done_at_once():
    found = start(at_once(), reply(200, {"data": {"url": "https://cdn.test/p.png"}}))
    assert found == Done({"picture": Media("image", fresh="https://cdn.test/p.png"), "subject": "a boat"})


def test_a_result_that_is_missing_was_paid_for_unless_repeating_is_free():
    with pytest.raises(Ambiguous, match="picture unknown"):
        start(at_once(**UNSAFE), reply(200, {"data": {}}))
    with pytest.raises(ServerError, match="no picture in the answer"):
        start(at_once(repeat={"kind": "pure"}), reply(200, {"data": {}}))


def test_a_read_sends_no_body_and_no_key():
    read = {
        "method": "GET",
        "path": "/galleries/{gallery}",
        "fields": {"gallery": {"in": "path"}, "page": {"in": "query"}},
    }
    client = OneReply(reply(200, {"data": {"url": "https://cdn.test/p.png"}}))
    changes = {"request": read, "repeat": {"kind": "pure"}, "only_one": []}
    asyncio.run(at_once(**changes).start({"subject": "x", "gallery": "g", "page": 3}, TaskContext(client)))
    assert client.asked == [
        {"method": "GET", "path": "/galleries/g", "json": None, "params": {"page": "3"}, "headers": None}
    ]


def test_an_operation_without_polling_cannot_be_asked_after():
    with pytest.raises(InvalidInput):
        check(reply(200, {}), at_once())


# -- before the run


def test_problems_have_places_and_hints():
    inputs = {
        "subject": "x",
        "model": Media("image", path="/tmp/x.png"),
        "language": "xx",
        "options": {"stamp": {"image": Media("image", path="/tmp/s.png")}},
    }
    found = {problem.path: problem for problem in operation().problems(inputs)}
    assert len(found) == 2  # the runner uploads the file of `model` itself
    assert found["language",].message == 'no tongue "xx"'
    assert found["language",].hint == "there is: de"
    assert "is a local file" in found["options", "stamp", "image"].message


def test_inputs_that_exclude_each_other():
    inputs = {"subject": "x", "language": "de", "options": {"tongue": "Klingon"}}
    (problem,) = operation().problems(inputs)
    assert problem.path == ("options", "tongue")
    assert problem.message == '"language" and "options.tongue" exclude each other'


def test_good_inputs_have_no_problems():
    assert list(operation().problems({"subject": "x", "language": "de", "style": "hard"})) == []
    assert list(operation().problems({})) == []


def test_estimates_follow_the_first_line_that_fits():
    plain = operation().estimate({"subject": "x"})
    framed = operation().estimate({"subject": "x", "options": {"frame": "thin"}})
    assert plain is not None
    assert framed is not None
    assert (str(plain), plain.basis) == ("2.00 EUR", "2 EUR each (rates of 2026-01-02)")
    assert str(framed) == "3.50 EUR"


def test_an_entry_without_prices_has_an_unknown_price():
    entry = {key: value for key, value in ENTRY.items() if key != "price"}
    assert load({"x": entry}, dialect())[0].estimate({"subject": "x"}) is None


def test_predictions_name_the_certain_outputs():
    assert operation().predict({"subject": "x"}) == {"picture": Media("image"), "subject": "x"}


# -- the entry


def test_options_take_their_schema_from_the_body():
    options = operation().inputs["properties"]["options"]
    assert options["properties"]["frame"] == {"type": "string", "enum": ["thin", "thick"]}
    assert options["additionalProperties"] is False


def test_a_deprecated_name_is_the_same_operation():
    made = load({"x": {**ENTRY, "deprecated_names": ["daub"]}}, dialect())
    assert [(o.name, o.original, o.deprecated) for o in made] == [
        ("acme/paint", "acme/paint", ""),
        ("acme/daub", "acme/paint", "paint"),
    ]


def test_a_file_may_hold_several_entries():
    assert [o.name for o in load({"x": [ENTRY, {**ENTRY, "name": "acme/draw"}]}, dialect())] == [
        "acme/paint",
        "acme/draw",
    ]


def request(**changes: Any) -> dict[str, Any]:
    return {"request": {**ENTRY["request"], **changes}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Paint"}, "name"),
        ({"nmae": 1}, 'unknown key "nmae"'),
        ({"repeat": {"kind": "keyed"}}, "repeat"),
        ({"repeat": {"kind": "maybe"}}, "repeat.kind"),
        ({"neutral": "painting"}, 'there is no neutral operation "painting"'),
        ({"cosmetic": ["titel"]}, 'cosmetic: the operation has no input "titel"'),
        ({"uploads": ["x"]}, "uploads"),
        ({"price": {"unit": "call", "rates": [{"rate": "gold"}]}}, 'there is no rate "gold"'),
        ({"reply": {}}, "needs the place of its id"),
        ({"results": {**ENTRY["results"], "required": ["size"]}}, "outputs.size: is required"),
        ({"outputs": {**ENTRY["outputs"], "frame": {"from": "/x"}}}, "outputs.frame: the operation has no such output"),
        ({"outputs": {}}, "outputs.picture: is required"),
        ({"poll": {**ENTRY["poll"], "path": "/x"}}, "poll.path"),
        (request(fields={"subjct": {}}), 'request.fields.subjct: the operation has no input "subjct"'),
        (request(fields={}), "nothing fills"),
        (request(options={"glitter": {}}), "request.options.glitter: the body has no such field"),
        (request(options={"a": {"to": "glitter", "schema": {}}}), 'request.body: has no field "glitter"'),
        (request(tag="nark"), 'request.body: has no field "nark"'),
        (request(body={"type": "object", "properties": {}}), "options.frame"),
        (request(body={**ENTRY["request"]["body"], "additionalProperties": True}), "unknown fields never leave"),
        (request(body={**ENTRY["request"]["body"], "required": "what"}), "request.body: not a valid JSON Schema"),
        (request(fields={**ENTRY["request"]["fields"], "language": {"lookup": "x"}}), 'no lookup "x"'),
    ],
)
def test_a_wrong_entry_is_refused_with_its_file_and_key(changes, told):
    with pytest.raises(PluginError) as caught:
        operation(**changes)
    assert caught.value.message.startswith('"paint.yaml": ')
    assert told in caught.value.message


def test_an_entry_needs_inputs_or_a_neutral_operation():
    entry = {key: value for key, value in ENTRY.items() if key != "inputs"}
    with pytest.raises(PluginError, match='"inputs" is missing'):
        load({"paint.yaml": entry}, dialect())


def test_error_and_price_tables_are_checked():
    with pytest.raises(PluginError, match=r'"errors.yaml": rules.0.means: "sad" is not allowed here'):
        Dialect.parse({**ERRORS, "rules": [{"means": "sad"}]}, file="errors.yaml")
    with pytest.raises(PluginError, match=r'"prices.yaml": rates.plain: 2 is not text'):
        Card.parse({**PRICES, "rates": {"plain": 2}}, "prices.yaml")


def test_a_text_that_is_not_known_yet_has_no_length():
    way = {"when": {"style": "soft"}, "text": "subject", "characters_per_second": [1, 2]}
    assert (
        operation(lasts=[way], price={"unit": "second", "rates": [{"rate": "plain"}]}).estimate({"style": "soft"})
        is None
    )
