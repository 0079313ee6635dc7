"""The schemas of callsheet's file formats, as data."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


def read(name: str) -> dict[str, Any]:
    """One schema file of this package by its name, such as ``rest-operation.schema.json``."""
    document: dict[str, Any] = json.loads(files(__name__).joinpath(name).read_text("utf-8"))
    return document


@cache
def neutral() -> dict[str, dict[str, Any]]:
    """The neutral operations by name: ``{"name", "summary", "inputs": JSON Schema, "outputs": JSON Schema}``.

    The result is shared: copy it before changing it.
    """
    folder = files(__name__).joinpath("neutral")
    documents = (json.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".json"))
    return {document["name"]: document for document in sorted(documents, key=lambda document: str(document["name"]))}
