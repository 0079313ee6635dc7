"""`callsheet operations`: what can be used, and what each takes, gives and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...core.operation import Operation
from ...errors import PluginError
from ..common import print_json, set_up_logging

if TYPE_CHECKING:
    from ...core.operation import BaseOperation
    from ...registry import Registry


@click.command()
@click.argument("name", required=False)
@click.option("--provider", default="heygen", show_default=True, help="Who implements a neutral operation.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(ctx: click.Context, name: str | None, provider: str, as_json: bool) -> None:
    """List all operations, those of a plugin (NAME is its prefix), or describe one."""
    from ...registry import Registry
    from ..text import table

    set_up_logging(ctx.obj["verbose"])
    registry = Registry()
    if name is not None and name not in registry.prefixes():
        _, operation = registry.resolve(name, provider)
        if as_json:
            print_json(shape(operation))
        else:
            click.echo("\n".join(describe(operation)))
        return
    found = list(_all(registry, name))
    if as_json:
        print_json({"version": 1, "operations": [shape(operation) for operation in found]})
    else:
        rows = [(o.name, "free" if isinstance(o, Operation) else "paid", _repeat(o), _summary(o)) for o in found]
        click.echo("\n".join(table(rows, ("operation", "price", "repeat", "summary"))))


def _all(registry: Registry, prefix: str | None) -> list[BaseOperation]:
    operations: list[BaseOperation] = []
    for name in [prefix] if prefix else registry.prefixes():
        try:
            operations += registry.plugin(name).operations.values()
        except PluginError:
            if prefix:
                raise
    return sorted(operations, key=lambda operation: operation.name)


def price(operation: BaseOperation) -> str:
    """Its rates, where they are known; `plan` reckons with them for given inputs."""
    return "free" if isinstance(operation, Operation) else operation.price or "paid, price unknown"


def _repeat(operation: BaseOperation) -> str:
    hours = operation.repeat.window / 3600
    return f"{operation.repeat.kind} {hours:.0f} h" if operation.repeat.window else operation.repeat.kind


def _summary(operation: BaseOperation) -> str:
    return f"old name of {operation.deprecated}" if operation.deprecated else operation.summary


def shape(operation: BaseOperation) -> dict[str, Any]:
    """The published shape of an operation."""
    return {
        "name": operation.name,
        "version": operation.version,
        "summary": operation.summary,
        "deprecated": operation.deprecated or None,
        "price": price(operation),
        "repeat": {"kind": operation.repeat.kind, "window": operation.repeat.window or None},
        "timeout": operation.timeout,
        "pool": operation.pool,
        "inputs": operation.inputs,
        "outputs": operation.outputs,
    }


def describe(operation: BaseOperation) -> list[str]:
    """An operation for people."""
    from ..text import table

    lines = [f"{operation.name}: {_summary(operation)}", ""]
    lines += ["takes:", *table(_properties(operation.inputs))]
    lines += ["", "gives:", *table(_properties(operation.outputs))]
    lines += [
        "",
        f"price: {price(operation)}; repeat: {_repeat(operation)}; waits up to {operation.timeout / 60:.0f} min",
    ]
    return lines


def _properties(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    required = schema.get("required", ())
    return [
        (f"  {name}{'' if name in required else '?'}", _type(part), str(part.get("description", "")))
        for name, part in schema.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix("callsheet:")
    kind = schema.get("type", "any")
    return " | ".join(kind) if isinstance(kind, list) else str(kind)
