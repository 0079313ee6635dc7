"""`callsheet plugins`: what is installed. It works always, and names what is broken and why."""

from __future__ import annotations

import click

from ..common import print_json, redactor, set_up_logging


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List plugins with their operations; a broken one with the reason."""
    from ...registry import Registry
    from ..text import table

    set_up_logging(ctx.obj["verbose"])
    found = Registry().survey()
    if as_json:
        print_json(
            {
                "version": 1,
                "plugins": [
                    {"prefix": p.prefix, "package": p.distribution, "version": p.version, "target": p.target,
                     "problem": p.problem or None, "operations": p.operations}
                    for p in found
                ],
            }
        )  # fmt: skip
        return
    rows = [
        (
            p.prefix,
            f"{p.distribution} {p.version}".strip(),
            redactor(f"broken: {p.problem}") if p.problem else ", ".join(p.operations),
        )
        for p in found
    ]
    click.echo("\n".join(table(rows, ("prefix", "package", "operations"))))
