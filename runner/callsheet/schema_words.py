"""What a validation error means, in words for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .core.diagnostics import did_you_mean
from .core.values import Media

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Path = tuple[str | int, ...]
    Faults = Iterator["Fault"]

PREFIX = "callsheet:"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an instance. ``path`` leads to the value; for an unknown key it ends with that key."""

    path: tuple[str | int, ...]
    code: str
    message: str
    hint: str = ""

    @property
    def at_key(self) -> bool:
        """Whether the key is wrong rather than its value."""
        return self.code == "unknown-key"


def kind_of(schema: Any) -> str | None:
    """The type of ours that a schema names: ``video``, ``language`` …; None for any other schema."""
    reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
    return reference.removeprefix(PREFIX) if reference.startswith(PREFIX) else None


def words(value: Any) -> str:
    """A value in a message: short, in quotes where it is text."""
    if isinstance(value, str):
        return f'"{value[:60]}{"…" if len(value) > 60 else ""}"'
    if isinstance(value, Media):
        return article(value.kind)
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def article(noun: str) -> str:
    if noun == "audio":
        return "audio"
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}


def faults(error: Any) -> Faults:
    """What one error of jsonschema means; one fault for most, several for a list of alternatives."""
    path = tuple(error.absolute_path)
    keyword = error.validator
    writer = _WRITERS.get(str(keyword))
    if keyword in ("oneOf", "anyOf"):
        yield from _alternatives(error, path)
    elif writer is not None:
        yield from writer(error, path)
    else:
        yield Fault(path, "invalid-value", error.message)


def _alternatives(error: Any, path: Path) -> Faults:
    """Explain the alternative that was meant: the one whose constant fits, else the one that got furthest."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context or []:
        branches.setdefault(int(inner.schema_path[0]), []).append(inner)
    if not branches:
        yield Fault(path, "invalid-value", f"{words(error.instance)} fits more than one alternative")
        return

    def misfit(errors: list[Any]) -> tuple[bool, bool, int]:
        wrong_type = any(e.validator == "type" and not e.relative_path for e in errors)
        wrong_constant = any(e.validator == "const" for e in errors)
        return (wrong_type, wrong_constant, len(errors))

    ranked = sorted(branches.values(), key=misfit)
    types = [
        str(e.validator_value) for errors in ranked for e in errors if e.validator == "type" and not e.relative_path
    ]
    if len(types) == len(ranked):
        wanted = " or ".join(dict.fromkeys(_TYPES.get(name, name) for name in types))
        yield Fault(path, "wrong-type", f"{words(error.instance)} is not {wanted}")
        return
    for inner in ranked[0]:
        yield from faults(inner)


def _required(error: Any, path: Path) -> Faults:
    missing = [name for name in error.validator_value if name not in error.instance]
    name = next((n for n in missing if error.message.startswith(repr(n))), missing[0] if missing else "")
    yield Fault(path, "missing-key", f'"{name}" is missing', f'add "{name}"{_about(error, name)}')


def _about(error: Any, name: str) -> str:
    described = error.schema.get("properties", {}).get(name, {}) if isinstance(error.schema, dict) else {}
    text = described.get("description", "") if isinstance(described, dict) else ""
    return f": {text}" if text else ""


def _additional(error: Any, path: Path) -> Faults:
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    known = schema.get("properties", {})
    patterns = [re.compile(pattern) for pattern in schema.get("patternProperties", {})]
    for name in error.instance:
        if name not in known and not any(p.search(name) for p in patterns):
            yield Fault((*path, name), "unknown-key", f'unknown key "{name}"', did_you_mean(name, known))


def _type(error: Any, path: Path) -> Faults:
    wanted: list[str] = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    named = " or ".join(_TYPES.get(name, name) for name in wanted)
    hint = ""
    if "string" in wanted and isinstance(error.instance, int | float):
        hint = f'put quotes round it: "{words(error.instance)}"'
    yield Fault(path, "wrong-type", f"{words(error.instance)} is not {named}", hint)


def _enum(error: Any, path: Path) -> Faults:
    allowed: list[str] = [str(value) for value in error.validator_value if value is not None]
    yield Fault(
        path, "not-allowed", f"{words(error.instance)} is not allowed here", did_you_mean(error.instance, allowed)
    )


def _const(error: Any, path: Path) -> Faults:
    yield Fault(
        path,
        "not-allowed",
        f"{words(error.instance)} is not allowed here",
        f"it must be {words(error.validator_value)}",
    )


def _pattern(error: Any, path: Path) -> Faults:
    yield Fault(path, "invalid-value", f"{words(error.instance)} does not have the form {error.validator_value}")


def _own(error: Any, path: Path) -> Faults:
    kind = kind_of(error.schema) or ""
    message = error.message if error.message.startswith('"') else f"this {error.message}"
    hint = {"language": "write a BCP 47 tag such as es-ES, pt-BR or de"}.get(kind, "")
    yield Fault(path, "wrong-type", message, hint)


def _bound(word: str) -> Callable[[Any, Path], Faults]:
    def write(error: Any, path: Path) -> Faults:
        size = len(error.instance) if isinstance(error.instance, str | list | dict) else words(error.instance)
        yield Fault(path, "out-of-range", f"{size} {word.format(error.validator_value)}")

    return write


_WRITERS: dict[str, Callable[[Any, Path], Faults]] = {
    "required": _required,
    "additionalProperties": _additional,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "$ref": _own,
    "minimum": _bound("is less than {}"),
    "maximum": _bound("is more than {}"),
    "exclusiveMinimum": _bound("must be more than {}"),
    "exclusiveMaximum": _bound("must be less than {}"),
    "minLength": _bound("characters are too few: at least {}"),
    "maxLength": _bound("characters are too many: at most {}"),
    "minItems": _bound("items are too few: at least {}"),
    "maxItems": _bound("items are too many: at most {}"),
    "minProperties": _bound("keys are too few: at least {}"),
    "maxProperties": _bound("keys are too many: at most {}"),
}
