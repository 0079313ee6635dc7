"""Language tags (BCP 47) and their English names, from a table made out of Unicode CLDR."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

_TAG = re.compile(
    r"(?P<language>[a-zA-Z]{2,3})(?:-(?P<script>[a-zA-Z]{4}))?(?:-(?P<territory>[a-zA-Z]{2}|\d{3}))?"
    r"(?P<variants>(?:-(?:[a-zA-Z]{5,8}|\d[a-zA-Z0-9]{3}|[a-zA-Z]{2}-[a-zA-Z0-9]+|x-[a-zA-Z0-9]+))*)"
)


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("callsheet_specs").joinpath("languages.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def canonical_tag(tag: str) -> str | None:
    """The tag in its usual spelling (``ES-es`` gives ``es-ES``), or None when no such language or territory exists."""
    found = _TAG.fullmatch(tag)
    if not found:
        return None
    language = found["language"].lower()
    script = (found["script"] or "").title()
    territory = (found["territory"] or "").upper()
    if language not in _table()["languages"] or (territory and territory not in _table()["territories"]):
        return None
    return "-".join(part for part in (language, script, territory) if part) + found["variants"]


def language_name(tag: object) -> str:
    """The English name of a tag: ``es-ES`` gives ``Spanish (Spain)``. A ValueError for anything that is no tag."""
    spelled = canonical_tag(str(tag))
    if spelled is None:
        raise ValueError(f'"{tag}" is not a language tag such as "es-ES"')
    language, *rest = spelled.split("-")
    table = _table()
    details = [table["scripts"].get(part) or table["territories"].get(part) or part for part in rest]
    name = table["languages"][language]
    return f"{name} ({', '.join(details)})" if details else name
