"""Requests against the schemas in ``schemas/``: required, unknown, wrongly typed and forbidden-null fields are 400."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from .errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonschema.exceptions import ValidationError
    from starlette.requests import Request

MAX_JSON_BYTES = 48 * 1024 * 1024  # room for a 32 MB image in base64


async def read_json(request: Request) -> dict[str, Any]:
    """The body as a JSON object; 400 for anything else."""
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    raw = await request.body()
    if len(raw) > MAX_JSON_BYTES:
        raise ApiError(413, "request_too_large", f"the request body exceeds {MAX_JSON_BYTES} bytes.")
    if content_type != "application/json":
        raise invalid(f"Content-Type must be 'application/json', not '{content_type}'.")
    try:
        body = json.loads(raw)
    except ValueError:
        raise invalid("the request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise invalid("the request body must be a JSON object.")
    return body


def check(body: dict[str, Any], schema: str) -> None:
    """Raise a 400 that names the first wrong field of ``body``."""
    problems = sorted(_validator(schema).iter_errors(body), key=lambda error: [str(part) for part in error.path])
    if problems:
        raise _explain(problems[0])


def check_query(request: Request, allowed: Iterable[str]) -> None:
    """Raise a 400 for a query parameter that the endpoint does not know."""
    for name in request.query_params:
        if name not in allowed:
            raise invalid(f"unknown query parameter '{name}'.", name)


def page_limit(request: Request, default: int) -> int:
    """The ``limit`` of a list request: 1 to 100."""
    written = request.query_params.get("limit", str(default))
    if not written.isascii() or not written.isdigit() or not 1 <= int(written) <= 100:
        raise invalid("'limit' must be an integer from 1 to 100.", "limit")
    return int(written)


def _explain(error: ValidationError) -> ApiError:
    path = ".".join(str(part) for part in error.path)
    prefix = f"{path}." if path else ""
    rule: Any = error.validator_value
    schema: Any = error.schema
    given: Any = error.instance
    if error.validator == "required":
        name = next(field for field in rule if field not in given)
        return invalid(f"'{prefix}{name}' is required.", f"{prefix}{name}")
    if error.validator == "additionalProperties":
        name = min(field for field in given if field not in schema["properties"])
        return invalid(f"unknown field '{prefix}{name}'.", f"{prefix}{name}")
    return invalid(f"'{path}': {error.message[:300]}.", path)


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{schema}.json"}, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    folder = resources.files(__package__).joinpath("schemas")
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    return Registry().with_resources(
        [(entry.name, Resource.from_contents(json.loads(entry.read_text("utf-8")))) for entry in files]
    )
