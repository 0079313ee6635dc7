"""The operations of this package, read from its data files."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from callsheet.rest import Dialect, load

from .languages import LANGUAGES
from .prices import card
from .upload import Upload

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from callsheet.api import BaseOperation

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader is ten times as fast, where there is one


def read(file: Traversable) -> Any:
    """A data file of this package."""
    return yaml.load(file.read_text("utf-8"), Loader=_Loader)


def dialect() -> Dialect:
    """How HeyGen speaks: its errors, prices and languages."""
    errors = read(files(__package__) / "errors.yaml")
    return Dialect.parse(errors, file="errors.yaml", card=card(), lookups={"languages": LANGUAGES})


def entries() -> dict[str, Any]:
    """The entries by file name."""
    folder = files(__package__) / "operations"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return {file.name: read(file) for file in found}


def operations() -> list[BaseOperation]:
    """All operations of HeyGen."""
    speech = dialect()
    return [Upload(speech), *load(entries(), speech, known_good=True)]  # the tests load them with every check
