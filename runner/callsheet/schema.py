"""Validation by JSON Schema with messages for people, tolerant of values that only a run can give.

Schemas name media kinds and other types of ours by reference: ``{"$ref": "callsheet:video"}``. jsonschema does the
work; ours are the words, the tolerance, and the rule that no schema is ever fetched from the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry

from .core.durations import parse_duration
from .core.money import Money
from .core.values import MEDIA_KINDS, Deferred, Media, MediaKind
from .languages import canonical_tag
from .schema_quick import compile_quick
from .schema_words import PREFIX, Fault, article, faults, kind_of, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: What the types of ours look like to anything that reads plain JSON Schema; the editor's schema is made from these.
PLAIN_TYPES: dict[str, dict[str, Any]] = {
    **{
        kind: {
            "description": f"A local path, an https URL, another step's output, or a map: path, url or asset ({kind}).",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {name: {"type": "string", "minLength": 1} for name in ("path", "url", "asset")},
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                },
            ],
        }
        for kind in MEDIA_KINDS
    },
    "language": {
        "description": "A BCP 47 language tag such as es-ES.",
        "type": "string",
        "pattern": "^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$",
    },
    "duration": {"description": "A length of time such as 90s, 30m or 2h.", "type": ["string", "number"]},
    "money": {"description": "An amount such as 60 USD.", "type": "string", "pattern": "^\\d+(\\.\\d+)? ?[A-Z]{3}$"},
}


__all__ = ["PLAIN_TYPES", "PREFIX", "Checker", "Fault", "kind_of", "media_kind_of", "plain", "words"]


class Checker:
    """A schema, compiled. Raises ValueError for one that is not a valid JSON Schema.

    ``known_good``: it was checked before, or is part of one that was; the check costs a thousand validations.
    """

    def __init__(self, schema: Mapping[str, Any], *, known_good: bool = False) -> None:
        if not known_good:
            try:
                Draft202012Validator.check_schema(schema)
            except SchemaError as problem:
                raise ValueError(f"not a valid JSON Schema: {problem.message} at {problem.json_path}") from None
        self.schema = schema
        self._validator = _Validator(schema, registry=Registry())
        self._quick = compile_quick(schema, _own_type)

    def faults(self, instance: Any) -> list[Fault]:
        """Everything that is wrong, in no particular order. Parts that wait for a run are not judged."""
        if self._quick is not None and self._quick(instance):
            return []
        return [fault for error in self._validator.iter_errors(instance) for fault in faults(error)]

    def property(self, name: str) -> Checker | None:
        """The schema of one property of an object, when it stands alone."""
        part = self.schema.get("properties", {}).get(name)
        return Checker(part) if isinstance(part, dict) else None


_MEDIA: dict[str, MediaKind] = {PREFIX + kind: kind for kind in MEDIA_KINDS}


def media_kind_of(schema: Any) -> MediaKind | None:
    """The media kind that a schema names, or None."""
    return _MEDIA.get(schema.get("$ref", "")) if isinstance(schema, dict) else None


def plain(schema: Any) -> Any:
    """The schema with our types written out, for readers that do not know them."""
    if isinstance(schema, dict):
        kind = kind_of(schema)
        if kind is not None:
            return {**PLAIN_TYPES[kind], **{k: plain(v) for k, v in schema.items() if k != "$ref"}}
        return {key: plain(value) for key, value in schema.items()}
    return [plain(item) for item in schema] if isinstance(schema, list) else schema


# -- the validator


def _tolerant(keyword: Callable[..., Any]) -> Callable[..., Iterator[ValidationError]]:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not isinstance(instance, Deferred):
            yield from keyword(validator, value, instance, schema) or ()

    return check


def _reference(validator: Any, reference: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not reference.startswith(PREFIX):
        yield from Draft202012Validator.VALIDATORS["$ref"](validator, reference, instance, schema)
    elif not isinstance(instance, Deferred):
        message = _own_type(reference.removeprefix(PREFIX), instance)
        if message:
            yield ValidationError(message)


def _one_of(validator: Any, options: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """With a part yet unknown several alternatives may fit; one is enough then."""
    keyword = "anyOf" if _waits(instance) else "oneOf"
    yield from Draft202012Validator.VALIDATORS[keyword](validator, options, instance, schema)


def _whole(name: str) -> Callable[..., Iterator[ValidationError]]:
    """Keywords that compare whole values: nothing can be said while a part is unknown."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not _waits(instance):
            yield from Draft202012Validator.VALIDATORS[name](validator, value, instance, schema) or ()

    return check


def _not(validator: Any, refused: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not _waits(instance):
        yield from Draft202012Validator.VALIDATORS["not"](validator, refused, instance, schema)


def _if(validator: Any, condition: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not _waits(instance):
        yield from Draft202012Validator.VALIDATORS["if"](validator, condition, instance, schema)


def _waits(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_waits(item) for item in value.values())
    return any(_waits(item) for item in value) if isinstance(value, list) else isinstance(value, Deferred)


_Validator: Any = extend(  # type: ignore[no-untyped-call] # the library types its classes only
    Draft202012Validator,
    {
        **{name: _tolerant(keyword) for name, keyword in Draft202012Validator.VALIDATORS.items()},
        "$ref": _reference,
        **{name: _whole(name) for name in ("uniqueItems", "enum", "const")},
        "oneOf": _one_of,
        "not": _not,
        "if": _if,
    },
)


def _own_type(kind: str, instance: Any) -> str | None:
    """What keeps the instance from being of our type; None when it fits."""
    if kind in MEDIA_KINDS:
        fits = isinstance(instance, Media) and (kind == "file" or instance.kind in (kind, "file"))
        return None if fits else f"is {words(instance)}, not {article(kind)}"
    if kind == "language":
        if isinstance(instance, str) and canonical_tag(instance):
            return None
        return (
            f'"{instance}" is not a language tag'
            if isinstance(instance, str)
            else f"is {words(instance)}, not a language tag"
        )
    parser = {"duration": parse_duration, "money": Money.parse}.get(kind)
    if parser is None:
        return f'has the unknown type "{PREFIX}{kind}"'
    try:
        parser(instance)
    except ValueError as problem:
        return str(problem)
    return None
