"""A provider without a network: its jobs end as a test says, and it remembers every purchase."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from callsheet.api import (
    PURE,
    UNSAFE,
    BaseOperation,
    Client,
    Connection,
    Context,
    Cost,
    Done,
    Handle,
    Inputs,
    Limits,
    Media,
    Operation,
    Outputs,
    Problem,
    Provider,
    RemoteOperation,
    Schema,
    Waiting,
    hookimpl,
    keyed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ENV = {"STUDIO_KEY": "k-1"}


class StudioProvider(Provider):
    name = "studio"
    settings: Schema = {"type": "object"}

    def limits(self, settings: Mapping[str, Any]) -> Limits:
        return Limits(jobs={"jobs": 4}, requests_per_second=1000.0)

    def connect(self, settings: Mapping[str, Any], env: Mapping[str, str]) -> Connection:
        key = env.get("STUDIO_KEY", "none")
        return Connection("http://127.0.0.1:9", {"x-key": key}, frozenset({key}), f"digest-of-{key}")

    async def identify(self, client: Client) -> str:
        return "me@studio"


def schema(required: str, **properties: Any) -> Schema:
    """An object; the names of what is required, separated by spaces."""
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


TEXT: Schema = {"type": "string"}


@dataclass
class Studio:
    """The plugin. ``bought`` lists what was started; ``fail`` may raise for inputs; ``asked`` counts local work."""

    bought: list[tuple[str, Inputs]] = field(default_factory=list)
    done: list[tuple[str, Inputs]] = field(default_factory=list)
    fail: Callable[[str, Inputs], None] = lambda name, inputs: None

    @hookimpl
    def callsheet_operations(self) -> Iterable[BaseOperation]:
        return [Upload(self), Dub(self), Speech(self), Look(self)]

    @hookimpl
    def callsheet_provider(self) -> Provider:
        return StudioProvider()

    @hookimpl
    def callsheet_filters(self) -> Mapping[str, Callable[..., Any]]:
        return {"shout": lambda text: f"{text}!"}


class Of:
    """An operation of the studio."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio


class Upload(Of, Operation):
    name = "studio/upload"
    repeat = PURE
    inputs = schema("file", file={"$ref": "callsheet:file"}, title=TEXT)
    outputs = schema("asset", asset={"$ref": "callsheet:file"})
    cosmetic = frozenset({"title"})

    def predict(self, inputs: Inputs) -> Outputs:
        return {"asset": replace(inputs["file"], path=None)} if "file" in inputs else {}

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        self.studio.done.append((self.name, inputs))
        file: Media = inputs["file"]
        return {"asset": Media(file.kind, asset=f"asset-{file.sha256}", account=ctx.client.account, sha256=file.sha256)}


class Look(Of, Operation):
    """Free local work whose outcome only a run can tell."""

    name = "studio/look"
    repeat = PURE
    inputs = schema(
        "text", text=TEXT, number={"type": "number"}, list={"type": "array", "items": TEXT}, map={"type": "object"}
    )
    outputs = schema("text", text=TEXT, good={"type": "boolean"}, words={"type": "array", "items": TEXT})

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        self.studio.done.append((self.name, inputs))
        self.studio.fail(self.name, inputs)
        return {"text": inputs["text"], "good": "good" in inputs["text"], "words": inputs["text"].split()}


class Dub(Of, RemoteOperation):
    name = "studio/dub"
    repeat = keyed(86_400)
    pool = "jobs"
    uploads = frozenset({"video"})
    cosmetic = frozenset({"title"})
    inputs = schema(
        "video language",
        video={"$ref": "callsheet:video"},
        language={"$ref": "callsheet:language"},
        speakers={"type": "integer", "minimum": 1},
        title=TEXT,
    )
    outputs = schema("video", video={"$ref": "callsheet:video"}, captions={"$ref": "callsheet:subtitle"}, language=TEXT)

    def estimate(self, inputs: Inputs) -> Cost | None:
        return Cost.exact("2") if inputs.get("language") != "fr-FR" else None

    def predict(self, inputs: Inputs) -> Outputs:
        return {"language": inputs["language"]} if "language" in inputs else {}

    def problems(self, inputs: Inputs) -> Iterable[Problem]:
        if inputs.get("language") == "eo":
            yield Problem(("language",), "no dub into Esperanto", "take another language")

    async def start(self, inputs: Inputs, ctx: Context) -> Waiting | Done:
        self.studio.bought.append((self.name, inputs))
        self.studio.fail(self.name, inputs)
        return Waiting({"id": f"job-{len(self.studio.bought)}", "language": inputs["language"]})

    async def check(self, handle: Handle, ctx: Context) -> Waiting | Done:
        video = Media("video", fresh=f"https://results.invalid/{handle['id']}", duration=2.0)
        return Done({"video": video, "language": handle["language"]})


class Speech(Of, RemoteOperation):
    name = "studio/speech"
    repeat = UNSAFE
    inputs = schema("text", text=TEXT)
    outputs = schema("audio", audio={"$ref": "callsheet:audio"}, seconds={"type": "number"})

    def estimate(self, inputs: Inputs) -> Cost | None:
        return Cost.exact("1", "EUR") if "text" in inputs else None

    async def start(self, inputs: Inputs, ctx: Context) -> Waiting | Done:
        self.studio.bought.append((self.name, inputs))
        return Waiting({"id": "s"})

    async def check(self, handle: Handle, ctx: Context) -> Waiting | Done:
        return Done({"audio": Media("audio", fresh="https://results.invalid/s"), "seconds": 1.0})
