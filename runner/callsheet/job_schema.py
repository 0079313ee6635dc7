"""The JSON Schema of job files, composed from the core schema and the inputs of every operation.

Validation itself does not use it: it looks up the operation and checks against that one's schema, which is quicker and
says exactly what is wrong. This schema is for editors and for programs that write job files.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from .errors import PluginError
from .registry import STANDARD
from .schema import plain

if TYPE_CHECKING:
    from .core.operation import BaseOperation
    from .registry import Registry

_EXPRESSION = {"type": "string", "pattern": "\\$\\{\\{|\\{%"}


def job_schema(registry: Registry, provider: str = "heygen") -> dict[str, Any]:
    """The schema. ``provider`` is whose inputs the neutral names have."""
    text = files("callsheet_specs").joinpath("job-core.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = plain(json.loads(text))
    schema["title"] = "callsheet job, version 1"
    named = _named(registry, provider)
    step = schema["$defs"]["step"]
    step["properties"]["uses"]["enum"] = sorted(named)
    step["allOf"] = [
        {
            "if": {"properties": {"uses": {"const": name}}, "required": ["uses"]},
            "then": {"properties": {"with": {"$ref": f"#/$defs/with-{_identifier(operation)}"}}},
        }
        for name, operation in sorted(named.items())
    ]
    for operation in named.values():
        schema["$defs"][f"with-{_identifier(operation)}"] = _inputs(operation)
    return schema


def _named(registry: Registry, provider: str) -> dict[str, BaseOperation]:
    """Every name that `uses` takes."""
    named: dict[str, BaseOperation] = {}
    for prefix in registry.prefixes():
        try:
            operations = registry.plugin(prefix).operations
        except PluginError:
            continue  # `callsheet plugins` tells about it
        for name, operation in operations.items():
            named[operation.name] = operation
            if prefix in (STANDARD, provider):
                named[name] = operation
    return named


def _identifier(operation: BaseOperation) -> str:
    return operation.name.replace("/", "-")


def _inputs(operation: BaseOperation) -> dict[str, Any]:
    """The operation's inputs; any value that is not text may also be an expression, and none is required here.

    What is required may come from `defaults`, which a schema of one step cannot see.
    """
    schema = plain(operation.inputs)
    properties = {name: _templated(part) for name, part in schema.get("properties", {}).items()}
    return {
        "title": operation.name,
        "description": operation.summary,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _templated(schema: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {key: schema[key] for key in ("description", "title", "default") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in described}
    return {**described, "anyOf": [inner, _EXPRESSION]}
