"""A quick "certainly valid" for the common part of JSON Schema, compiled to plain functions.

A campaign validates tens of thousands of small maps, nearly all of them good, and jsonschema takes twenty times as long
to say so. A quick check that says True is always right (a test compares both on random schemas and values); when it
says False, or cannot judge a schema at all, jsonschema decides and explains.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from typing import Any

from .core.values import Deferred
from .schema_words import PREFIX

Quick = Callable[[Any], bool]

_IGNORED = frozenset(
    {"$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "deprecated", "format"}
)
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "null": lambda v: v is None,
}


_Own = Callable[[str, Any], str | None]


class _TooHard(Exception):
    """The schema says something that only jsonschema judges."""


def compile_quick(schema: Any, own_type: _Own) -> Quick | None:
    """The quick check of a schema; None for a broken one. ``own_type`` judges types of ours."""
    try:
        return _check(schema, own_type)
    except (re.error, RecursionError):
        return None


def _check(schema: Any, own_type: _Own) -> Quick:
    if schema is True:
        return lambda _: True
    if not isinstance(schema, dict):
        return _unsure
    keywords = [name for name in schema if name not in _IGNORED and name not in ("then", "else")]
    return _all([_keyword(name, schema, own_type) for name in keywords])


def _keyword(name: str, schema: dict[str, Any], own_type: _Own) -> Quick:
    try:
        if name == "additionalProperties" and "patternProperties" not in schema:
            return _additional(schema[name], frozenset(schema.get("properties", ())), own_type)
        if name == "if":
            return _conditional(schema, own_type)
        if name in _SIMPLE:
            return _SIMPLE[name](schema[name])
        if name in _NESTED:
            return _NESTED[name](schema[name], own_type)
    except _TooHard:
        pass
    return _unsure


def _unsure(_: Any) -> bool:
    """What is not understood is never certainly valid."""
    return False


def _all(tests: list[Quick]) -> Quick:
    if len(tests) == 1:
        only = tests[0]
        return lambda v: isinstance(v, Deferred) or only(v)

    def check(value: Any) -> bool:
        if isinstance(value, Deferred):
            return True
        for test in tests:  # noqa: SIM110 - a loop is quicker here than all() with a generator
            if not test(value):
                return False
        return True

    return check


# -- keywords that look at the value alone


def _type(names: Any) -> Quick:
    tests = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    return tests[0] if len(tests) == 1 else lambda v: any(test(v) for test in tests)


def _enum(allowed: Any) -> Quick:
    if not all(isinstance(item, str) for item in allowed):
        raise _TooHard  # numbers and booleans compare in ways of their own
    return lambda v: isinstance(v, str) and v in allowed


def _pattern(pattern: str) -> Quick:
    search = re.compile(pattern).search
    return lambda v: not isinstance(v, str) or search(v) is not None


def _required(names: list[str]) -> Quick:
    return lambda v: not isinstance(v, dict) or all(name in v for name in names)


def _length(kinds: type[Sized], least: int | None = None, most: int | None = None) -> Quick:
    def check(value: Any) -> bool:
        if not isinstance(value, kinds):
            return True
        size = len(value)
        return (least is None or size >= least) and (most is None or size <= most)

    return check


def _number(test: Callable[[Any], bool]) -> Quick:
    return lambda v: not isinstance(v, int | float) or isinstance(v, bool) or test(v)


_SIMPLE: dict[str, Callable[[Any], Quick]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda wanted: _enum([wanted]),
    "pattern": _pattern,
    "required": _required,
    "minLength": lambda n: _length(str, least=n),
    "maxLength": lambda n: _length(str, most=n),
    "minItems": lambda n: _length(list, least=n),
    "maxItems": lambda n: _length(list, most=n),
    "minProperties": lambda n: _length(dict, least=n),
    "maxProperties": lambda n: _length(dict, most=n),
    "minimum": lambda n: _number(lambda v: v >= n),
    "maximum": lambda n: _number(lambda v: v <= n),
    "exclusiveMinimum": lambda n: _number(lambda v: v > n),
    "exclusiveMaximum": lambda n: _number(lambda v: v < n),
}

# -- keywords that hold schemas


def _properties(parts: dict[str, Any], own_type: _Own) -> Quick:
    checks = {name: _check(part, own_type) for name, part in parts.items()}

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for name, item in value.items():
            test = checks.get(name)
            if test is not None and not test(item):
                return False
        return True

    return check


def _additional(schema: Any, known: frozenset[str], own_type: _Own) -> Quick:
    if schema is False:
        return lambda v: not isinstance(v, dict) or v.keys() <= known
    inner = _check(schema, own_type)
    return lambda v: not isinstance(v, dict) or all(inner(item) for name, item in v.items() if name not in known)


def _items(schema: Any, own_type: _Own) -> Quick:
    inner = _check(schema, own_type)
    return lambda v: not isinstance(v, list) or all(inner(item) for item in v)


def _any_of(options: list[Any], own_type: _Own) -> Quick:
    checks = [_check(option, own_type) for option in options]
    return lambda v: any(check(v) for check in checks)


def _all_of(parts: list[Any], own_type: _Own) -> Quick:
    return _all([_check(part, own_type) for part in parts])


def _conditional(schema: dict[str, Any], own_type: _Own) -> Quick:
    """A quick "no" to the condition counts only where the condition is understood in full."""
    then = _check(schema.get("then", True), own_type)
    otherwise = _check(schema.get("else", True), own_type)
    if not _is_understood(schema["if"]):
        return lambda v: then(v) and otherwise(v)
    condition = _check(schema["if"], own_type)
    return lambda v: then(v) if condition(v) else otherwise(v)


def _is_understood(schema: Any) -> bool:
    """Whether a quick "no" of this schema is as certain as a quick "yes"."""
    if not isinstance(schema, dict):
        return schema is True
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("allOf", ())]
    parts += [schema["items"]] if "items" in schema else []
    plain = schema.keys() <= _IGNORED | _SIMPLE.keys() | {"properties", "anyOf", "allOf", "items"}
    strings = all(isinstance(item, str) for item in [*schema.get("enum", ()), schema.get("const", "")])
    return plain and strings and all(_is_understood(part) for part in parts)


def _reference(target: str, own_type: _Own) -> Quick:
    if not target.startswith(PREFIX):
        raise _TooHard
    kind = target.removeprefix(PREFIX)
    return lambda v: own_type(kind, v) is None


_NESTED: dict[str, Callable[[Any, _Own], Quick]] = {
    "properties": _properties,
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "$ref": _reference,
}
