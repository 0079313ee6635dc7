"""The conformance suite: it passes what keeps the contract, and names everything that does not, all at once."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.scripted_api import Answer, ScriptedApi

from callsheet.api import (
    PURE,
    TAGGED,
    UNSAFE,
    Ambiguous,
    BaseOperation,
    Context,
    Cost,
    Done,
    Handle,
    Inputs,
    Media,
    NotSent,
    Operation,
    Outputs,
    Pace,
    Problem,
    Rejected,
    RemoteOperation,
    Reply,
    ServerError,
    Waiting,
    keyed,
)
from callsheet.testing import check_operation
from callsheet_std.download import Download
from callsheet_std.render import Render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

INPUTS: dict[str, Any] = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "description": "A text."},
        "title": {"type": "string", "description": "A title."},
        "to": {"type": "string", "description": "A file."},
    },
}
OUTPUTS: dict[str, Any] = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string", "description": "The text."},
        "file": {"$ref": "callsheet:file", "description": "The file."},
    },
}


class Echo(Operation):
    name = "acme/echo"
    summary = "Give the text back."
    repeat = PURE
    inputs = INPUTS
    outputs = OUTPUTS

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        return {"text": inputs["text"]}


def read(reply: Reply, key: str) -> dict[str, Any]:
    if reply.status >= 429:
        raise ServerError(f"status {reply.status}")
    try:
        document = reply.json()
    except ValueError:
        document = None
    if not isinstance(document, dict) or key not in document:
        raise Ambiguous("not readable")
    return document


class Voice(RemoteOperation):
    name = "acme/voice"
    summary = "Speak a text."
    repeat = keyed(60)
    inputs = INPUTS
    outputs = OUTPUTS

    def estimate(self, inputs: Inputs) -> Cost | None:
        return Cost.exact("0.1")

    async def start(self, inputs: Inputs, ctx: Context) -> Waiting | Done:
        reply = await ctx.client.request("POST", "/v", json=inputs, headers={"Key": ctx.key})
        return Waiting({"id": read(reply, "id")["id"]})

    async def check(self, handle: Handle, ctx: Context) -> Waiting | Done:
        job = read(await ctx.client.request("GET", f"/v/{handle['id']}"), "status")
        if job["status"] == "failed":
            raise Rejected("failed")
        return Done({"text": job["text"]}) if job["status"] == "done" else Waiting(handle)


GOOD = [{"with": {"text": "a", "title": "b"}}]
SPOKEN = [
    {
        "with": {"text": "a"},
        "outputs": {"text": "A"},
        "replies": [
            ("POST", "/v", {"id": 1}),
            ("GET", "/v/1", {"status": "running"}),
            ("GET", "/v/1", {"status": "done", "text": "A"}),
        ],
    }
]


def changed(base: type[BaseOperation], **attributes: Any) -> BaseOperation:
    made: BaseOperation = type("Changed", (base,), attributes)()
    return made


def violations(operation: object, examples: list[dict[str, Any]], **options: Any) -> list[str]:
    with pytest.raises(AssertionError) as caught:
        check_operation(operation, examples, **options)
    return str(caught.value).split("\n  - ")[1:]


def test_good_operations_pass(tmp_path: Path) -> None:
    check_operation(Echo(), GOOD)
    check_operation(Voice(), SPOKEN)
    check_operation(Voice(), [{**SPOKEN[0], "raises": Rejected, "outputs": None, "replies": [
        ("POST", "/v", {"id": 1}), ("GET", "/v/1", {"status": "failed"}),
    ]}])  # fmt: skip


def test_the_operations_without_a_provider_pass(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Hello ${{ name }}", encoding="utf-8")
    download = [
        {"with": {"from": "t.txt", "to": "out/a.txt"}},
        {"with": {"from": {"url": "https://x.test/a.mp4"}, "to": "a.mp4", "overwrite": True}},
        {"with": {"from": "t.txt"}, "invalid": True},
    ]
    check_operation(Download(), download, folder=tmp_path)
    render = [
        {"with": {"template": "t.txt", "data": {"name": "Ada"}}, "outputs": {"text": "Hello Ada"}},
        {"with": {"template": "t.txt", "data": {"name": "Ada"}, "to": "out/a.txt"}},
        {"with": {"template": {"url": "https://x.test/t.txt"}}, "invalid": True},
    ]
    check_operation(Render(), render, "std", folder=tmp_path)


def test_a_server_of_the_test_s_own() -> None:
    api = ScriptedApi()
    api.answer("POST", "/v", Answer(document={"id": 1}))
    api.answer("GET", "/v/1", Answer(document={"status": "running"}), Answer(document={"status": "done", "text": "A"}))
    with api.running():
        check_operation(Voice(), [{"with": {"text": "a"}}], base_url=api.base_url)
    assert api.paths("POST") == ["/v"]


def method(value: Any) -> Callable[..., Any]:
    return lambda self, inputs: value(inputs)


async def _sleeps(self: Any, inputs: Inputs, ctx: Context) -> Outputs:
    await asyncio.sleep(1.1)
    return {"text": "a"}


async def _breaks(self: Any, inputs: Inputs, ctx: Context) -> Outputs:
    raise KeyError("x")


async def _mutates(self: Any, inputs: Inputs, ctx: Context) -> Outputs:
    return {"text": inputs.pop("text")}


async def _writes(self: Any, inputs: Inputs, ctx: Context) -> Outputs:
    return {"text": "a", "file": Media("file", path=str(ctx.job_dir / "nothing"))}


def gives(outputs: Any) -> Callable[..., Any]:
    async def run(self: Any, inputs: Inputs, ctx: Context) -> Any:
        return outputs() if callable(outputs) else outputs

    return run


count = itertools.count()


@pytest.mark.parametrize(
    ("attributes", "violation"),
    [
        ({"summary": ""}, "`summary` must be one sentence"),
        ({"summary": "No full stop"}, "`summary` must be one sentence"),
        ({"timeout": 0}, "`timeout` is 0 seconds"),
        ({"pace": Pace(first=0)}, "`pace` makes no sense"),
        ({"inputs": {**INPUTS, "properties": {"text": {}, "title": {"type": "string"}}}}, 'does not describe "title"'),
        ({"inputs": {**INPUTS, "additionalProperties": True}}, "`inputs` accepts a misspelt name"),
        ({"uploads": {"text"}}, '`uploads` names "text", which is no media input'),
        ({"inputs": {**INPUTS, "properties": {**INPUTS["properties"], "to": {"type": "object", "description": "x"}}},
          "writes": {"to"}}, '`writes` names "to", which is not text'),
        ({"problems": method(lambda i: [Problem(("text",), "too short")])}, "example 1 is refused: text: too short"),
        ({"problems": method(lambda i: [Problem(("txt",), "x")])}, '`problems` points to "txt"'),
        ({"problems": method(lambda i: ["wrong"])}, "`problems` gives str, not Problem"),
        ({"estimate": method(lambda i: Cost.exact(len(i["text"])))}, "`estimate` raises KeyError: 'text'"),
        ({"estimate": method(lambda i: 5)}, "`estimate` gives int, not Cost or None"),
        ({"problems": method(lambda i: 5)}, "`problems` gives int, not a list of Problem"),
        ({"estimate": method(lambda i: Cost.exact("-1"))}, "`estimate` must be from 0 up"),
        ({"estimate": method(lambda i: Cost.exact(str(next(count))))}, "`estimate` answers differently"),
        ({"estimate": method(lambda i: Cost.exact("1" if "text" in i else "0"))}, "`estimate` says 0 when "),
        ({"estimate": method(lambda i: i.clear())}, "`estimate` changes the inputs"),
        ({"predict": method(lambda i: {"txt": 1})}, '`predict` tells of "txt", which is no output'),
        ({"predict": method(lambda i: {"text": 1})}, 'what `predict` tells of "text" does not fit'),
        ({"run": _sleeps}, "an operation never sleeps"),
        ({"run": _breaks}, "`run` raises KeyError: 'x'"),
        ({"run": _mutates}, "`run` changes the inputs"),
        ({"run": _writes}, "names a file that is not there"),
        ({"run": gives({"text": 1})}, "the outputs do not fit their schema: text: 1 is not text"),
        ({"run": gives({})}, '"text" is missing'),
        ({"run": gives([])}, "the outputs are list, not a dict"),
        ({"run": gives({"text": "a", "more": 1})}, 'the output "more" is not in the schema'),
        ({"run": gives({"text": "a", "more": object()})}, "neither JSON nor Media"),
        ({"run": gives(lambda: {"text": str(time.perf_counter_ns())})}, "is PURE, but gives other outputs"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_local_operation(attributes: dict[str, Any], violation: str) -> None:
    found = violations(changed(Echo, **attributes), [{"with": {"text": "a"}}])
    assert any(violation in one for one in found), found


def test_an_async_method_that_must_not_be(recwarn: pytest.WarningsRecorder) -> None:
    async def estimate(self: Any, inputs: Inputs) -> Cost:
        return Cost.free()

    assert any("is a coroutine" in one for one in violations(changed(Echo, estimate=estimate), GOOD))
    assert not recwarn.list


async def _no_key(self: Any, inputs: Inputs, ctx: Context) -> Waiting:
    return Waiting({"id": read(await ctx.client.request("POST", "/v", json=inputs), "id")["id"]})


async def _new_body(self: Any, inputs: Inputs, ctx: Context) -> Waiting:
    sent = {**inputs, "n": next(count), "key": ctx.key}
    return Waiting({"id": read(await ctx.client.request("POST", "/v", json=sent), "id")["id"]})


async def _careless(self: Any, inputs: Inputs, ctx: Context) -> Waiting:
    reply = await ctx.client.request("POST", "/v", json=inputs, headers={"Key": ctx.key})
    return Waiting({"id": reply.json()["id"]})


async def _hides(self: Any, inputs: Inputs, ctx: Context) -> Waiting:
    try:
        reply = await ctx.client.request("POST", "/v", json=inputs, headers={"Key": ctx.key})
    except Ambiguous as problem:
        raise NotSent("try again") from problem
    return Waiting({"id": read(reply, "id")["id"]})


async def _bad_handle(self: Any, inputs: Inputs, ctx: Context) -> Waiting:
    read(await ctx.client.request("POST", "/v", json=inputs, headers={"Key": ctx.key}), "id")
    return Waiting({"id": {1, 2}})


async def _never_done(self: Any, handle: Handle, ctx: Context) -> Waiting:
    read(await ctx.client.request("GET", f"/v/{handle['id']}"), "status")
    return Waiting(handle)


async def _careless_poll(self: Any, handle: Handle, ctx: Context) -> Waiting | Done:
    job = (await ctx.client.request("GET", f"/v/{handle['id']}")).json()
    return Done({"text": job["text"]}) if job["status"] == "done" else Waiting(handle)


async def _hasty_poll(self: Any, handle: Handle, ctx: Context) -> Waiting | Done:
    reply = await ctx.client.request("GET", f"/v/{handle['id']}")
    if not reply.ok:
        raise Rejected("no")
    job = read(reply, "status")
    return Done({"text": job["text"]}) if job["status"] == "done" else Waiting(handle)


@pytest.mark.parametrize(
    ("attributes", "violation"),
    [
        ({"start": _no_key}, "`repeat` says keyed, but `start` does not send ctx.key"),
        ({"start": _no_key, "repeat": TAGGED}, "`repeat` says tagged, but `start` does not send ctx.tag"),
        ({"start": _new_body}, "`start` sends another request when it is called again with the same key"),
        ({"start": _careless}, "on status 502 with a page `start` raises JSONDecodeError"),
        ({"start": _hides}, "`start` turns a lost answer (Ambiguous) into NotSent"),
        ({"start": _bad_handle}, "the handle of `start` is not a map of JSON values"),
        ({"start": gives({"id": 1})}, "`start` gives dict, not Waiting or Done"),
        ({"check": _never_done}, "it is not done after 100 polls"),
        ({"check": _careless_poll}, "on status 200 with an empty document `check` raises KeyError"),
        ({"check": _hasty_poll}, "on status 500 `check` raises Rejected, which fails a job that goes on"),
        ({"repeat": UNSAFE, "estimate": method(lambda i: Cost.free())}, "`estimate` says 0 for work"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_remote_operation(attributes: dict[str, Any], violation: str) -> None:
    found = violations(changed(Voice, **attributes), SPOKEN)
    assert any(violation in one for one in found), found


def test_free_work_of_a_provider_says_why() -> None:
    free = changed(Voice, repeat=UNSAFE, estimate=method(lambda i: Cost.free("included in every plan")))
    check_operation(free, SPOKEN)


def test_examples_are_examples() -> None:
    assert violations(Echo(), []) == ["there is no good example: give at least one, or nothing can be tried"]
    assert violations(Echo(), [*GOOD, {"with": {"text": 1}}])[0] == "example 2 is refused: text: 1 is not text"
    assert "example 2 is marked invalid" in violations(Echo(), [*GOOD, {**GOOD[0], "invalid": True}])[0]
    assert violations(Echo(), [*GOOD, {"inputs": {}}])[0] == "example 2 has the unknown keys ['inputs']"
    assert violations(Echo(), [*GOOD, {}])[0] == 'example 2 has no map "with"'
    assert "is 'a', not 'b'" in violations(Echo(), [{"with": {"text": "a"}, "outputs": {"text": "b"}}])[0]
    assert "raises nothing, not Rejected" in violations(Echo(), [{"with": {"text": "a"}, "raises": Rejected}])[0]


def test_what_the_registry_refuses_is_said_first() -> None:
    assert violations(Echo, GOOD) == ['the plugin "acme" offers "acme/echo", which is a class; give an instance of it']
    assert "must be named" in violations(Echo(), GOOD, prefix="other")[0]


def test_all_violations_at_once() -> None:
    broken = changed(Echo, summary="", run=_breaks, predict=method(lambda i: {"txt": 1}))
    assert len(violations(broken, GOOD)) == 3


def test_what_is_refused_is_iterable_once() -> None:
    def problems(self: Any, inputs: Inputs) -> Iterable[Problem]:
        if inputs.get("title") == "bad":
            yield Problem(("title",), "a bad title")

    operation = changed(Echo, problems=problems)
    check_operation(operation, [*GOOD, {"with": {"text": "a", "title": "bad"}, "invalid": True}])
