"""HeyGen's operations as data: every file fits, every example becomes exactly the body it names."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from support.task_context import KEY, OneReply, TaskContext, reply

from callsheet.api import Ambiguous, Done, InvalidInput, Media, NotReady, OutOfCredit, Rejected, ServerError
from callsheet.errors import PluginError
from callsheet.rest import RestOperation, load
from callsheet.schema import Checker, kind_of
from callsheet_heygen.catalog import dialect, entries, operations
from callsheet_specs import neutral, read

OPERATIONS = {operation.name: operation for operation in operations()}
REST = {name: operation for name, operation in OPERATIONS.items() if isinstance(operation, RestOperation)}
EXAMPLES = [
    pytest.param(name, example, id=f"{name}: {example['title']}")
    for name, operation in REST.items()
    if not operation.deprecated
    for example in operation.entry.data["examples"]
]


def with_media(value: Any, schema: Any) -> Any:
    """An example's inputs with ``{asset: …}`` and ``{url: …}`` made into media where the schema wants them."""
    if kind_of(schema) in {"video", "audio", "image", "subtitle", "file"}:
        return Media(kind_of(schema), **value)  # type: ignore[arg-type]
    if isinstance(value, dict):
        parts = schema.get("properties", {})
        return {key: with_media(item, parts.get(key, {})) for key, item in value.items()}
    return value


def run(operation: RestOperation, inputs: dict[str, Any], answer: Any) -> tuple[Any, OneReply]:
    client = OneReply(answer)
    return asyncio.run(operation.start(inputs, TaskContext(client))), client


IDS = {
    "heygen/lipsync": {"lipsync_id": "j1"},
    "heygen/translate": {"video_translation_ids": ["j1"]},
    "heygen/video": {"video_id": "j1", "status": "waiting"},
    "heygen/speech": {"audio_url": "https://cdn.test/a.mp3", "duration": 2.5},
}


def test_the_operations_are_these():
    assert set(OPERATIONS) == {
        "heygen/upload",
        "heygen/lipsync",
        "heygen/overdub",
        "heygen/translate",
        "heygen/speech",
        "heygen/video",
    }


@pytest.mark.parametrize("file", sorted(entries()))
def test_every_data_file_fits_the_published_schema(file):
    assert Checker(read("rest-operation.schema.json")).faults(entries()[file]) == []


@pytest.mark.parametrize("file", sorted(entries()))
def test_an_option_that_the_body_does_not_have_is_refused(file):
    entry = copy.deepcopy(entries()[file])
    entry["request"].setdefault("options", {})["glitter"] = {}
    with pytest.raises(PluginError, match=r"request\.options\.glitter"):
        load({file: entry}, dialect())


@pytest.mark.parametrize("name", sorted(REST))
def test_unknown_fields_are_refused_everywhere_in_a_body(name):
    def objects(schema: Any) -> Any:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield schema
            for part in schema.values():
                yield from objects(part)
        for part in schema if isinstance(schema, list) else ():
            yield from objects(part)

    body = REST[name].entry.body
    found = list(objects(body))
    assert found
    assert all(schema["additionalProperties"] is False for schema in found)
    assert "callback_url" not in body["properties"]


@pytest.mark.parametrize("name", sorted(REST))
def test_the_neutral_inputs_and_outputs_are_kept(name):
    operation = REST[name]
    own = neutral()[operation.entry.data["neutral"]]
    extended = {key: value for key, value in operation.inputs["properties"].items() if key != "options"}
    assert extended == own["inputs"]["properties"]
    assert operation.outputs == own["outputs"]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_each_example_becomes_its_body(name, example):
    operation = REST[name]
    inputs = with_media(example["with"], operation.inputs)
    assert Checker(operation.inputs).faults(inputs) == []
    assert list(operation.problems(inputs)) == []
    _, client = run(operation, inputs, reply(200, {"data": IDS[name]}))
    (asked,) = client.asked
    assert asked["json"] == example["body"]
    assert asked["path"] == operation.entry.data["request"]["path"]
    wanted = None if name == "heygen/speech" else {"Idempotency-Key": KEY}
    assert asked["headers"] == wanted


@pytest.mark.parametrize("name", ["heygen/lipsync", "heygen/translate", "heygen/video"])
def test_each_option_has_its_place_in_an_example_or_the_body(name):
    operation = REST[name]
    assert (
        operation.inputs["properties"]["options"]["properties"].keys()
        == operation.entry.data["request"]["options"].keys()
    )


@pytest.mark.parametrize("name", ["heygen/lipsync", "heygen/translate", "heygen/video"])
def test_the_id_is_the_handle(name):
    example = REST[name].entry.data["examples"][0]
    waiting, _ = run(REST[name], with_media(example["with"], REST[name].inputs), reply(200, {"data": IDS[name]}))
    assert waiting.handle["id"] == "j1"


def test_overdub_is_lipsync_under_its_old_name():
    overdub, lipsync = REST["heygen/overdub"], REST["heygen/lipsync"]
    assert overdub.deprecated == "lipsync"
    assert overdub.original == "heygen/lipsync"
    assert overdub.inputs == lipsync.inputs
    assert lipsync.deprecated == ""


def test_speech_is_done_at_once():
    words = [{"word": "Hello", "start": 0.0, "end": 0.4}]
    answer = reply(200, {"data": {**IDS["heygen/speech"], "word_timestamps": words, "request_id": None}})
    done, _ = run(REST["heygen/speech"], {"text": "Hello", "voice": "v"}, answer)
    audio = Media("audio", fresh="https://cdn.test/a.mp3", duration=2.5)
    assert done == Done({"audio": audio, "duration": 2.5, "words": words})


def test_only_speech_cannot_be_read_again():
    assert {name for name, operation in REST.items() if not operation.lasting} == {"heygen/speech"}


def test_nobody_asks_too_often():
    assert all(
        operation.pace.first >= 10 and operation.pace.longest <= 60 for operation in REST.values() if operation.lasting
    )


def test_speech_has_no_key_so_trouble_is_ambiguous():
    for answer in (reply(500, {}), reply(502, raw=b"<html>"), reply(200, {"data": {}}), reply(200, raw=b"x")):
        with pytest.raises(Ambiguous):
            run(REST["heygen/speech"], {"text": "Hello", "voice": "v"}, answer)


def test_speech_that_is_too_long_never_leaves():
    client = OneReply(reply(200))
    inputs = {"text": "x" * 5001, "voice": "v"}
    (problem,) = REST["heygen/speech"].problems(inputs)
    assert problem.path == ("text",)
    assert problem.message == "HeyGen: 5001 characters are too many: at most 5000"
    with pytest.raises(InvalidInput, match="5001 characters"):
        asyncio.run(REST["heygen/speech"].start(inputs, TaskContext(client)))
    assert client.asked == []


def check(name: str, data: dict[str, Any], **handle: Any) -> Any:
    answer = reply(200, {"data": data})
    return asyncio.run(REST[name].check({"id": "j1", **handle}, TaskContext(OneReply(answer))))


def test_outputs_of_translate():
    data = {
        "id": "j1",
        "status": "completed",
        "video_url": "https://cdn.test/v.mp4",
        "audio_url": "https://cdn.test/a.mp3",
        "srt_caption_url": None,
        "vtt_caption_url": "https://cdn.test/c.vtt",
        "duration": 12.5,
        "output_language": "es",
    }
    assert check("heygen/translate", data, inputs={"language": "es-ES"}).outputs == {
        "video": Media("video", fresh="https://cdn.test/v.mp4", duration=12.5),
        "audio": Media("audio", fresh="https://cdn.test/a.mp3", duration=12.5),
        "captions": Media("subtitle", fresh="https://cdn.test/c.vtt"),
        "language": "es-ES",
        "duration": 12.5,
    }


def test_outputs_of_lipsync_and_video():
    data = {"status": "completed", "video_url": "https://cdn.test/v.mp4", "caption_url": "https://cdn.test/c.srt"}
    assert check("heygen/lipsync", data).outputs == {
        "video": Media("video", fresh="https://cdn.test/v.mp4"),
        "captions": Media("subtitle", fresh="https://cdn.test/c.srt"),
    }
    data = {"status": "completed", "video_url": "https://cdn.test/v.mp4", "thumbnail_url": "https://cdn.test/t.jpg"}
    assert set(check("heygen/video", data).outputs) == {"video", "thumbnail"}


@pytest.mark.parametrize("name", ["heygen/lipsync", "heygen/translate", "heygen/video"])
def test_running_and_failing(name):
    for status in ("pending", "running", "processing", "waiting", "queued", "rendering", "succeeded"):
        assert check(name, {"status": status}).status == status
    assert check(name, {"status": "completed", "video_url": None}).status == "completed, video not there yet"
    with pytest.raises(Rejected, match="HeyGen could not do it: source audio missing"):
        check(name, {"status": "failed", "failure_message": "source audio missing"})
    with pytest.raises(Rejected, match="it gives no reason"):
        check(name, {"status": "failed", "failure_code": None, "failure_message": None})


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "invalid_parameter", InvalidInput),
        (401, "unauthorized", "AccessRefused"),
        (401, "authentication_failed", "AccessRefused"),
        (402, "insufficient_credit", OutOfCredit),
        (402, "plan_upgrade_required", Rejected),
        (403, "voice_not_usable", Rejected),
        (403, "forbidden", "AccessRefused"),
        (404, "AVATAR_NOT_FOUND", InvalidInput),
        (404, "asset_not_found", InvalidInput),
        (408, "", ServerError),
        (409, "request_in_progress", NotReady),
        (409, "resource_not_ready", NotReady),
        (409, "conflict", Rejected),
        (413, "", InvalidInput),
        (422, "", InvalidInput),
        (429, "rate_limit_exceeded", "RateLimited"),
        (429, "quota_exceeded", OutOfCredit),
        (500, "internal_error", ServerError),
        (504, "gateway_timeout", ServerError),
    ],
)
def test_heygens_errors(status, code, error):
    answer = reply(status, {"error": {"code": code, "message": "no", "param": None, "doc_url": None}})
    example = REST["heygen/lipsync"].entry.data["examples"][0]
    inputs = with_media(example["with"], REST["heygen/lipsync"].inputs)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the class is what is compared
        run(REST["heygen/lipsync"], inputs, answer)
    wanted = error if isinstance(error, str) else error.__name__
    assert type(caught.value).__name__ == wanted
    assert caught.value.message.startswith("HeyGen: no (HTTP ")


def problems(name: str, **inputs: Any) -> dict[Any, str]:
    return {problem.path: problem.message for problem in REST[name].problems(inputs)}


def test_problems_of_video():
    image = Media("image", asset="i")
    audio = Media("audio", asset="a")
    assert problems("heygen/video", avatar="a", image=image) == {("image",): '"avatar" and "image" exclude each other'}
    assert problems("heygen/video", avatar="a", script="x", audio=audio) == {
        ("audio",): '"script" and "audio" exclude each other'
    }
    assert problems("heygen/video", avatar="a", script="x", aspect_ratio="3:2") == {
        ("aspect_ratio",): 'HeyGen: "3:2" is not allowed here'
    }
    colour = {"background": {"type": "color", "value": "#ffffff"}}
    assert ("options", "background") in problems("heygen/video", avatar="a", background=image, options=colour)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"script": "x"}, '"avatar" is missing'),
        ({"avatar": "a"}, '"script" is missing'),
        ({"image": Media("image", asset="i"), "script": "x"}, '"voice" is missing'),
        ({"avatar": "a", "script": "x", "options": {"engine": {"type": "avatar_vi"}}}, "is not allowed here"),
        ({"avatar": "a", "script": "x", "options": {"callback_url": "https://x.test"}}, "unknown key"),
        ({"avatar": "a", "script": "x", "options": {"voice_settings": {"speed": 3}}}, "is more than 1.5"),
        ({"avatar": "a", "script": "x", "resolution": "8k"}, "is not allowed here"),
    ],
)
def test_the_schema_of_video_has_clear_words(inputs, told):
    faults = Checker(REST["heygen/video"].inputs).faults(inputs)
    assert any(told in fault.message for fault in faults)


def test_an_engine_is_only_for_avatars():
    inputs = {
        "image": Media("image", asset="i"),
        "script": "x",
        "voice": "v",
        "options": {"engine": {"type": "avatar_v"}},
    }
    with pytest.raises(InvalidInput, match="HeyGen would refuse the request"):
        run(REST["heygen/video"], inputs, reply(200))


def test_a_language_that_heygen_lacks_is_a_problem_unless_its_own_name_is_given():
    video = Media("video", asset="v")
    (problem,) = REST["heygen/translate"].problems({"video": video, "language": "de-LI"})
    assert problem.path == ("language",)
    assert problem.message == 'HeyGen has no language "de-LI"'
    assert problem.hint == "HeyGen offers: de, de-AT, de-CH, de-DE"
    raw = {"video": video, "language": "de-LI", "options": {"output_language": "German (Liechtenstein)"}}
    assert list(REST["heygen/translate"].problems(raw)) == []


def test_neutral_schemas_are_complete():
    for document in neutral().values():
        for part in ("inputs", "outputs"):
            schema = document[part]
            Checker(schema)
            assert schema["additionalProperties"] is False
            assert all("description" in prop for prop in schema["properties"].values())
            assert set(schema.get("required", ())) <= set(schema["properties"])
