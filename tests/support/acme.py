"""A provider that does not exist, and an operation of it as data: for tests of what knows no provider."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from support.task_context import OneReply, TaskContext, reply

from callsheet.rest import Card, Dialect, RestOperation, load

ERRORS: dict[str, Any] = {
    "provider": "Acme",
    "error": "/error",
    "code": "/error/code",
    "message": "/error/message",
    "param": "/error/param",
    "request_id": "X-Request-Id",
    "rules": [
        {"status": [401], "means": "access", "hint": "set ACME_KEY"},
        {"status": [402], "means": "credit"},
        {"status": [429], "codes": ["quota"], "means": "credit"},
        {"status": [429], "means": "rate_limited"},
        {"status": [409], "codes": ["in_progress"], "means": "not_ready"},
        {"status": [409], "means": "rejected"},
        {"status": [400, 404, 413, 422], "means": "invalid_input"},
    ],
}

ENTRY: dict[str, Any] = {
    "name": "acme/paint",
    "summary": "Paint a picture.",
    "inputs": {
        "type": "object",
        "properties": {
            "subject": {"type": "string"},
            "model": {"$ref": "callsheet:image"},
            "style": {"type": "string", "enum": ["soft", "hard"]},
            "gallery": {"type": "string"},
            "page": {"type": "integer"},
            "language": {"type": "string"},
        },
        "required": ["subject"],
        "additionalProperties": False,
    },
    "results": {
        "type": "object",
        "properties": {"picture": {"$ref": "callsheet:image"}, "size": {"type": "integer"}, "subject": {}},
        "required": ["picture"],
    },
    "request": {
        "method": "POST",
        "path": "/galleries/{gallery}/pictures",
        "tag": "meta.mark",
        "set": {"kind": "oil"},
        "fields": {
            "subject": {"to": "what.text"},
            "model": {"media": True},
            "style": {"values": {"soft": "s", "hard": None}},
            "gallery": {"in": "path"},
            "page": {"in": "query", "to": "p"},
            "language": {"to": "languages", "list": True, "lookup": "tongues", "unless": "options.tongue"},
        },
        "options": {
            "frame": {},
            "tongue": {"to": "languages", "list": True, "schema": {"type": "string"}},
            "stamp": {"schema": {"type": "object", "properties": {"image": {"$ref": "callsheet:image"}}}},
        },
        "body": {
            "type": "object",
            "properties": {
                "kind": {"const": "oil"},
                "what": {"type": "object", "properties": {"text": {"type": "string", "maxLength": 20}}},
                "model": {"type": "object"},
                "style": {"type": "string"},
                "languages": {"type": "array", "items": {"type": "string"}},
                "frame": {"type": "string", "enum": ["thin", "thick"]},
                "stamp": {"type": "object"},
                "meta": {"type": "object"},
            },
            "required": ["what"],
            "additionalProperties": False,
        },
    },
    "reply": {"id": "/data/id"},
    "poll": {
        "path": "/pictures/{id}",
        "status": "/data/status",
        "done": ["ready", "complete"],
        "failed": ["broken"],
        "code": "/data/why/code",
        "message": "/data/why/text",
    },
    "outputs": {
        "picture": {"from": ["/data/best", "/data/url"], "media": "image", "required": True},
        "size": {"from": "/data/size"},
        "subject": {"input": "subject"},
    },
    "repeat": {"kind": "keyed", "header": "X-Once", "window": 60},
    "uploads": ["model"],
    "only_one": [["language", "options.tongue"]],
    "price": {"unit": "call", "rates": [{"when": {"options.frame": "given"}, "rate": "framed"}, {"rate": "plain"}]},
}


class Tongues:
    def find(self, word: str) -> str | None:
        return {"de": "German"}.get(word)

    def explain(self, word: str) -> tuple[str, str]:
        return f'no tongue "{word}"', "there is: de"


PRICES = {
    "currency": "EUR",
    "as_of": "2026-01-02",
    "source": "a leaflet",
    "rates": {"plain": "2", "framed": "3.50"},
}


def dialect() -> Dialect:
    return Dialect.parse(ERRORS, card=Card.parse(PRICES), lookups={"tongues": Tongues()})


def operation(**changes: Any) -> RestOperation:
    return load({"paint.yaml": {**copy.deepcopy(ENTRY), **changes}}, dialect())[0]


def start(made: RestOperation, answer: Any, inputs: dict[str, Any] | None = None) -> Any:
    given = {"subject": "a boat", "gallery": "g"} if inputs is None else inputs
    return asyncio.run(made.start(given, TaskContext(OneReply(answer))))


def sent(inputs: dict[str, Any]) -> dict[str, Any]:
    client = OneReply(reply(200, {"data": {"id": "p1"}}))
    asyncio.run(operation().start(inputs, TaskContext(client)))
    return client.asked[0]


UNSAFE = {"repeat": {"kind": "unsafe"}}


def at_once(**changes: Any) -> RestOperation:
    entry = {key: value for key, value in copy.deepcopy(ENTRY).items() if key not in {"poll", "reply"}}
    return load({"paint.yaml": {**entry, **changes}}, dialect())[0]


def check(answer: Any, made: RestOperation | None = None) -> Any:
    handle = {"id": "p/1", "inputs": {"subject": "a boat"}}
    return asyncio.run((made or operation()).check(handle, TaskContext(OneReply(answer))))
