"""The quick check never says "valid" where jsonschema finds a fault."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet.core.values import Deferred, Media
from callsheet.schema import Checker
from callsheet.schema_quick import compile_quick

names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["", "a", "b", "es-ES", "xx", "90s", "5 USD"])
numbers = st.integers(-2, 3) | st.sampled_from([0.0, 1.0, 0.5])
leaves = (
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.builds(Deferred, st.just("later"))
    | st.sampled_from([Media("video", path="/v"), Media("audio", path="/a"), Media("file", path="/f")])
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
types = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"])
simple: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda t: {"type": t}, types | st.lists(types, min_size=1, max_size=3, unique=True)),
    st.builds(lambda e: {"enum": e}, st.lists(texts | numbers | st.booleans(), min_size=1, max_size=3)),
    st.builds(lambda c: {"const": c}, texts | st.booleans() | numbers),
    st.builds(lambda n: {"minLength": n, "maxLength": n + 1}, st.integers(0, 3)),
    st.builds(lambda n: {"minimum": n, "exclusiveMaximum": n + 2}, st.integers(-1, 1)),
    st.builds(lambda n: {"minItems": n}, st.integers(0, 2)),
    st.builds(lambda n: {"maxProperties": n}, st.integers(0, 2)),
    st.builds(lambda p: {"pattern": p}, st.sampled_from(["^a", "b$", "-"])),
    st.builds(
        lambda k: {"$ref": f"callsheet:{k}"}, st.sampled_from(["video", "file", "language", "duration", "money"])
    ),
    st.just({"uniqueItems": True}),  # not known to the quick check
    st.just({"not": {"type": "string"}}),  # not known to the quick check
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas that hold schemas."""
    maps = st.dictionaries(names, inner, max_size=3)
    return st.one_of(
        st.builds(
            lambda p, a: {"type": "object", "properties": p, "additionalProperties": a}, maps, inner | st.booleans()
        ),
        st.builds(lambda p, r: {"properties": p, "required": r}, maps, st.lists(names, max_size=2, unique=True)),
        st.builds(lambda s: {"items": s}, inner),
        st.builds(lambda s: {"anyOf": s}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda s: {"allOf": s}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda s: {"oneOf": s}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda i, t, e: {"if": i, "then": t, "else": e}, inner, inner, inner),
    )


schemas = st.recursive(simple, nested, max_leaves=6)


@settings(max_examples=1500, deadline=None)
@given(schemas, values)
def test_a_quick_yes_is_right(schema: dict[str, Any], value: Any) -> None:
    slow = Checker(schema)
    quick = slow._quick
    assert quick is not None
    slow._quick = None
    if quick(value):
        assert slow.faults(value) == []


def test_a_broken_pattern_is_left_to_the_library() -> None:
    assert compile_quick({"pattern": "("}, lambda *_: None) is None
