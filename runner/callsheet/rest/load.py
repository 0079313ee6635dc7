"""From entries to operations."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from ..errors import PluginError
from ..schema import Checker
from .entry import Entry, read
from .operation import RestOperation
from .rules import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .dialect import Dialect


def load(entries: Mapping[str, Any], dialect: Dialect, *, known_good: bool = False) -> list[RestOperation]:
    """The operations of entries, by the name of the file that each is from; a file may hold a list of entries.

    A deprecated name gives one more operation. Raises `PluginError` naming the file and the key that is wrong.
    ``known_good`` is for entries that a test has checked: checking takes longer than a plan.
    """
    operations: list[RestOperation] = []
    for file, content in entries.items():
        for data in content if isinstance(content, list) else [content]:
            if not known_good:
                check("operation", data, file)
            entry = read(data, file)
            if not known_good:
                _check_references(entry, dialect, file)
            operations.append(RestOperation(entry, dialect))
            prefix = entry.name.partition("/")[0]
            operations += [RestOperation(entry, dialect, name=f"{prefix}/{alias}") for alias in entry.aliases]
    return operations


def _check_references(entry: Entry, dialect: Dialect, file: str) -> None:
    """What an entry names must exist: inputs, rates, lookups, placeholders."""

    def refuse(key: str, problem: str) -> PluginError:
        return PluginError(f'"{file}": {key}: {problem}')

    properties = entry.inputs["properties"]
    for key in ("cosmetic", "uploads"):
        for name in entry.data.get(key, ()):
            if name not in properties:
                raise refuse(key, f'the operation has no input "{name}"')
    rates = dialect.card.rates if dialect.card else {}
    for line in entry.price.rates if entry.price else ():
        for name in line.names:
            if name not in rates:
                raise refuse("price", f'there is no rate "{name}"')
    rules = [r for g in (entry.template.fields, entry.template.options) for rs in g.values() for r in rs]
    for rule in rules:
        if rule.lookup and rule.lookup not in dialect.lookups:
            raise refuse("request", f'there is no lookup "{rule.lookup}"')
    filled = {rule.to for rule in rules if rule.place == "path"}
    for place in {name for _, name, _, _ in string.Formatter().parse(entry.template.path) if name} - filled:
        raise refuse("request.path", f'nothing fills "{{{place}}}"')
    _check_wire(entry, refuse)


def _check_wire(entry: Entry, refuse: Callable[[str, str], PluginError]) -> None:
    if entry.poll and not entry.id:
        raise refuse("reply", "an operation that is polled needs the place of its id")
    for name in entry.outputs:
        if name not in entry.outputs_schema["properties"]:
            raise refuse(f"outputs.{name}", "the operation has no such output")
    for name in entry.outputs_schema.get("required", ()):
        if name not in entry.outputs or not (entry.outputs[name].required or entry.outputs[name].copied):
            raise refuse(f"outputs.{name}", "is required, so the entry must say where it comes from")
    if entry.body is None:
        return
    try:
        Checker(entry.body)
    except ValueError as problem:
        raise refuse("request.body", str(problem)) from None
    if entry.body.get("additionalProperties") is not False:
        raise refuse("request.body", "needs additionalProperties: false, so that unknown fields never leave")
    for path in _written(entry):
        if path.partition(".")[0] not in entry.body.get("properties", {}):
            raise refuse("request.body", f'has no field "{path}", which the entry writes')


def _written(entry: Entry) -> Iterator[str]:
    """Every path of the body that the entry may write."""
    template = entry.template
    yield from template.set
    if template.tag:
        yield template.tag
    for rules in (*template.fields.values(), *template.options.values()):
        for rule in rules:
            yield from rule.set
            if rule.media:
                yield from (path for path in (rule.media.asset, rule.media.url, rule.media.kind) if path)
            elif rule.place == "body":
                yield rule.to
