"""One operation's entry, read once: data in, typed rules out."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from callsheet_specs import neutral

from ..core.operation import PURE, TAGGED, UNSAFE, Pace, Repeat, Schema, keyed
from ..errors import PluginError
from .body import Template
from .fields import parse
from .outputs import Output
from .price import Length, Price

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Poll:
    """How to ask after a job: a path with ``{id}``, where its status stands, and which words are final."""

    path: str
    status: str
    done: frozenset[str]
    failed: frozenset[str]
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry, typed. ``body`` is the whole body's JSON Schema; ``only_one`` are inputs that exclude each other."""

    name: str
    summary: str
    version: int
    inputs: Schema
    outputs_schema: Schema
    template: Template
    body: Schema | None
    id: str | None
    poll: Poll | None
    outputs: Mapping[str, Output]
    repeat: Repeat
    header: str | None
    lasts: tuple[Length, ...]
    price: Price | None
    only_one: tuple[tuple[str, ...], ...]
    pace: Pace
    aliases: tuple[str, ...]
    data: Mapping[str, Any]  # the whole entry, for what needs no reading: pool, timeout, cosmetic, uploads, examples


def read(data: Mapping[str, Any], file: str) -> Entry:
    """Type an entry that fits the schema. Raises `PluginError` for what a schema cannot say."""
    request = data["request"]
    own = _schemas(data, file)
    options = request.get("options", {})
    repeat, header = _repeat(data["repeat"])
    poll = data.get("poll")
    return Entry(
        name=data["name"],
        summary=data.get("summary", own["summary"]),
        version=data.get("version", 1),
        inputs=_inputs(own["inputs"], data, file),
        outputs_schema=own["outputs"],
        template=Template(
            method=request["method"],
            path=request["path"],
            fields=parse(request.get("fields", {})),
            options=parse(options),
            set=request.get("set", {}),
            tag=request.get("tag"),
        ),
        body=request.get("body"),
        id=data.get("reply", {}).get("id"),
        poll=Poll(
            path=poll["path"],
            status=poll["status"],
            done=frozenset(poll["done"]),
            failed=frozenset(poll["failed"]),
            code=poll.get("code", ""),
            text=poll.get("message", ""),
        )
        if poll
        else None,
        outputs={name: Output.parse(rule) for name, rule in data["outputs"].items()},
        repeat=repeat,
        header=header,
        lasts=tuple(Length.parse(way) for way in data.get("lasts", ())),
        price=Price.parse(data["price"]) if "price" in data else None,
        only_one=tuple(tuple(names) for names in data.get("only_one", ())),
        pace=Pace(**data["pace"]) if "pace" in data else Pace(),
        aliases=tuple(data.get("deprecated_names", ())),
        data=data,
    )


def _repeat(data: Mapping[str, Any]) -> tuple[Repeat, str | None]:
    kinds = {"pure": PURE, "tagged": TAGGED, "unsafe": UNSAFE}
    kind = data["kind"]
    return (keyed(float(data["window"])), data["header"]) if kind == "keyed" else (kinds[kind], None)


def _schemas(data: Mapping[str, Any], file: str) -> Mapping[str, Any]:
    name = data.get("neutral")
    if name is None:
        return {"summary": "", "inputs": data["inputs"], "outputs": data["results"]}
    if name not in neutral():
        raise PluginError(f'"{file}": neutral: there is no neutral operation "{name}"')
    return neutral()[name]


def _inputs(own: Schema, data: Mapping[str, Any], file: str) -> Schema:
    """The operation's input schema with ``options``: each as the body has it, unless the entry says otherwise."""
    schema = copy.deepcopy(own)
    request = data["request"]
    _known(request.get("fields", {}), schema["properties"], f'"{file}": request.fields')
    wire = request.get("body", {}).get("properties", {})
    options: dict[str, Any] = {}
    for name, rule in request.get("options", {}).items():
        if "schema" in rule:
            options[name] = rule["schema"]
        elif name in wire:
            options[name] = wire[name]
        else:
            raise PluginError(f'"{file}": request.options.{name}: the body has no such field, and no schema is given')
    if options:
        schema["properties"]["options"] = {
            "type": "object",
            "description": "Fields of the provider beyond the neutral ones, as it names them.",
            "properties": options,
            "additionalProperties": False,
        }
    if "also" in data:
        schema["allOf"] = [*schema.get("allOf", []), *data["also"]]
    return schema


def _known(names: Mapping[str, Any], properties: Mapping[str, Any], where: str) -> None:
    for name in names:
        if name not in properties:
            raise PluginError(f'{where}.{name}: the operation has no input "{name}"')
