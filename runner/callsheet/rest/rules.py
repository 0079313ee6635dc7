"""Checking the data files against the published schema, with the file and the key in every message."""

from __future__ import annotations

from functools import cache
from typing import Any

from callsheet_specs import read

from ..errors import PluginError
from ..schema import Checker

SCHEMA = "rest-operation.schema.json"


@cache
def _checker(part: str) -> Checker:
    document = read(SCHEMA)
    return Checker(document if part == "operation" else {"$defs": document["$defs"], **document["$defs"][part]})


def check(part: str, data: Any, file: str) -> None:
    """Raise `PluginError` for the first thing wrong with a data file.

    ``part`` is ``operation``, ``errors`` or ``prices``.
    """
    faults = _checker(part).faults(data)
    if faults:
        fault = min(faults, key=lambda fault: [str(part) for part in fault.path])
        key = ".".join(map(str, fault.path)) or "the file"
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise PluginError(f'"{file}": {key}: {fault.message}{more}', hint=fault.hint)
