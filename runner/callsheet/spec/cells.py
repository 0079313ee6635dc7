"""Cells are text; a row's schema types them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOOLEANS = {"true": True, "false": False}


def typed(row: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The row with numbers, booleans and nulls where its schema says so. What cannot be read stays text.

    An empty cell of a column that is not text is null, so the schema's ``required`` decides about it.
    """
    properties = schema.get("properties", {})
    return {name: _cell(value, properties.get(name)) for name, value in row.items()}


def _cell(value: Any, schema: Any) -> Any:
    if not isinstance(value, str) or not isinstance(schema, dict):
        return value
    kinds = schema.get("type", "string")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "string" in kinds or "$ref" in schema:
        return value
    if value == "":
        return None
    for kind in kinds:
        read = _read(value, kind)
        if read is not None:
            return read
    return value


def _read(text: str, kind: str) -> Any:
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return None
    return _BOOLEANS.get(text.lower()) if kind == "boolean" else None
