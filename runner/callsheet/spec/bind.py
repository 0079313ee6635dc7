"""Values for a job: inputs from flags, files, the environment and defaults; then the variables."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.diagnostics import Place, did_you_mean
from ..core.values import Deferred
from ..schema import Checker, media_kind_of, words
from . import source as yaml_source
from .files import MediaFiles, MediaProblem
from .trees import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.model import InputSpec, Job, Located
    from ..expressions import ExpressionError
    from .problems import Problems

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)  # neither "1_000" nor "nan"
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class Given:
    """Input values as the user gave them: text from ``-i name=value``, data from ``--inputs FILE``."""

    def __init__(self, texts: Mapping[str, str] | None = None, file: str | None = None) -> None:
        self.texts = dict(texts or {})
        self.file = file
        self.source = yaml_source.load(file) if file else None
        data = self.source.data if self.source else {}
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}


def bind_inputs(
    job: Job, given: Given, env: Mapping[str, str], media: MediaFiles, problems: Problems
) -> dict[str, Any]:
    """The value of every input, media probed. What is wrong is added to the problems and stands as Deferred."""
    _refuse_strangers(job, given, problems)
    return {name: _bind(spec, given, env, media, problems) for name, spec in job.inputs.items()}


def bind_variables(job: Job, inputs: dict[str, Any], env: Mapping[str, str], problems: Problems) -> dict[str, Any]:
    """The value of every variable, in file order."""

    def failed(located: Located, problem: ExpressionError) -> Any:
        if located.template.text not in problems.broken:
            problems.expression(located, problem, located.place)
        return Deferred("a variable that could not be evaluated")

    names = base_names(job, inputs, env)
    variables: dict[str, Any] = {}
    names["vars"] = variables
    for name, tree in job.variables.items():
        variables[name] = render(tree, names, failed)
    return variables


def base_names(job: Job, inputs: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """The names that every expression of the job sees."""
    return {
        "inputs": inputs,
        "vars": {},
        "job": {"name": job.name, "file": job.file, "dir": job.folder},
        "env": {name: env[name] for name in sorted(job.env_names) if name in env},
    }


def _refuse_strangers(job: Job, given: Given, problems: Problems) -> None:
    for name in given.texts:
        if name not in job.inputs:
            problems.error(Place("-i"), "unknown-input", f'the job has no input "{name}"', _known(name, job))
    if given.source is not None:
        if not isinstance(given.source.data, dict | None):
            problems.error(given.source.place(), "wrong-type", "an inputs file is a map from names to values")
        for name in given.data:
            if name not in job.inputs:
                place = given.source.place((name,), key=True)
                problems.error(place, "unknown-input", f'the job has no input "{name}"', _known(name, job))


def _known(name: str, job: Job) -> str:
    return did_you_mean(name, job.inputs) or "the job declares no inputs"


def _bind(spec: InputSpec, given: Given, env: Mapping[str, str], media: MediaFiles, problems: Problems) -> Any:
    place = spec.place
    if spec.name in given.texts:
        place = Place("-i")
        value, readable = _from_text(given.texts[spec.name], spec.schema)
    elif spec.name in given.data and given.source is not None:
        place = given.source.place((spec.name,))
        value, readable = given.data[spec.name], True
    elif spec.env and spec.env in env:
        value, readable = _from_text(env[spec.env], spec.schema)
    elif spec.has_default:
        value, readable = spec.default, True
    else:
        if spec.required:
            hint = f"give it: -i {spec.name}=…" + (f", or set {spec.env}" if spec.env else "")
            problems.error(place, "missing-input", f'the input "{spec.name}" has no value', hint)
            return Deferred(f"inputs.{spec.name}")
        return None
    if not readable:
        wanted = spec.schema.get("type", "its type")
        problems.error(place, "wrong-type", f'the input "{spec.name}": {words(value)} cannot be read as {wanted}')
        return Deferred(f"inputs.{spec.name}")
    value = _with_media(value, spec.schema, media, place, problems)
    faults = Checker(spec.schema).faults(value)
    for fault in faults:
        where = "".join(f"[{part}]" for part in fault.path)
        problems.error(place, fault.code, f'the input "{spec.name}"{where}: {fault.message}', fault.hint)
    return Deferred(f"inputs.{spec.name}") if faults else value


def _from_text(text: str, schema: dict[str, Any]) -> tuple[Any, bool]:
    """A text read as the declared type, and whether that was possible."""
    kind = schema.get("type")
    try:
        if kind in ("integer", "number"):
            if not _NUMBER.fullmatch(text):
                return text, False
            return (int(text) if kind == "integer" else float(text)), True
        if kind in ("array", "object"):
            if kind == "array" and not text.lstrip().startswith("["):
                items = [part.strip() for part in text.split(",") if part.strip()]
                return [_from_text(item, schema.get("items", {}))[0] for item in items], True
            return json.loads(text), True
    except ValueError:
        return text, False
    if kind == "boolean":
        low = text.lower()
        return (low in _TRUE, True) if low in _TRUE | _FALSE else (text, False)
    return text, True


def _with_media(value: Any, schema: dict[str, Any], media: MediaFiles, place: Place, problems: Problems) -> Any:
    """The value with the media files it names looked at."""
    kind = media_kind_of(schema)
    if kind is not None:
        try:
            return media.media(value, kind)
        except MediaProblem as problem:
            problems.error(place, problem.code, problem.message, problem.hint)
            return Deferred("a media file")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_with_media(item, schema["items"], media, place, problems) for item in value]
    if isinstance(value, dict) and isinstance(schema.get("properties"), dict):
        parts = schema["properties"]
        return {k: _with_media(v, parts.get(k, {}), media, place, problems) for k, v in value.items()}
    return value


def absolute(folder: str, name: str) -> Path:
    """A file named in a job, relative to the job file."""
    return Path(folder) / name
