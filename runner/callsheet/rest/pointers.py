"""Places inside JSON: reading by JSON Pointer, writing by dotted path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def at(document: Any, pointer: str) -> Any:
    """What stands at a JSON Pointer (RFC 6901) such as ``/data/id`` or ``/data/ids/0``; None when nothing does."""
    here = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict):
            here = here.get(name)
        elif isinstance(here, list) and name.isdecimal() and int(name) < len(here):
            here = here[int(name)]
        else:
            return None
    return here


def first(document: Any, pointers: tuple[str, ...]) -> Any:
    """The first of several places where something other than null stands; None when none has it."""
    return next((value for pointer in pointers if (value := at(document, pointer)) is not None), None)


def inside(values: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path such as ``options.engine.type``; None when nothing does."""
    here: Any = values
    for name in path.split("."):
        here = here.get(name) if isinstance(here, dict) else None
    return here


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set what stands at a dotted path, making the maps on the way."""
    *parents, last = path.split(".")
    here = values
    for name in parents:
        here = here.setdefault(name, {})
    here[last] = value
