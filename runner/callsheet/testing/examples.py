"""Examples of an operation's inputs, as a plugin's author writes them down for the conformance suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..media import Prober
from ..schema import media_kind_of
from ..spec.files import MediaFiles, MediaProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .client import Scripted

_KEYS = frozenset({"with", "invalid", "raises", "replies", "outputs"})


@dataclass(frozen=True, slots=True)
class Example:
    """One example.

    ``inputs`` are the values of ``with``, its media found. ``invalid``: schema or rules must refuse it. ``raises``: the
    class of error that doing it must end with. ``replies`` is a script for `ScriptedClient`. ``outputs`` are some of
    the outputs that must come out; None when the author does not say.
    """

    label: str
    inputs: dict[str, Any]
    invalid: bool = False
    raises: type[Exception] | None = None
    replies: Sequence[Scripted] = ()
    outputs: Mapping[str, Any] | None = field(default=None)


def read_examples(documents: Sequence[Mapping[str, Any]], schema: Any, folder: Path) -> tuple[list[Example], list[str]]:
    """The examples, and what is wrong with the way they are written. Paths of media are relative to the folder."""
    files = MediaFiles(str(folder), Prober(), roots=(Path(folder.resolve().anchor),))
    found: list[Example] = []
    problems: list[str] = []
    for number, document in enumerate(documents, 1):
        label = f"example {number}"
        strangers = sorted(set(document) - _KEYS)
        if strangers or not isinstance(document.get("with"), dict):
            problems.append(f"{label} has the unknown keys {strangers}" if strangers else f'{label} has no map "with"')
            continue
        try:
            inputs = _with_media(document["with"], schema, files)
        except MediaProblem as problem:
            if not document.get("invalid"):
                problems.append(f"{label} names media that cannot be used: {problem.message}")
            continue
        found.append(
            Example(
                label,
                inputs,
                bool(document.get("invalid")),
                document.get("raises"),
                tuple(document.get("replies", ())),
                document.get("outputs"),
            )
        )
    return found, problems


def _with_media(value: Any, schema: Any, files: MediaFiles) -> Any:
    """The value with what stands where the schema wants media turned into media, as in a job."""
    kind = media_kind_of(schema)
    if kind is not None:
        return files.media(value, kind)
    if isinstance(value, dict) and isinstance(schema, dict):
        parts = schema.get("properties", {})
        return {name: _with_media(item, parts.get(name), files) for name, item in value.items()}
    if isinstance(value, list) and isinstance(schema, dict):
        return [_with_media(item, schema.get("items"), files) for item in value]
    return value
