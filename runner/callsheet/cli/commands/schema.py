"""`callsheet schema`: the JSON Schema of job files, made from the installed operations."""

from __future__ import annotations

import click

from ..common import print_json, set_up_logging


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Print the JSON Schema (2020-12) of job files, with the inputs of every installed operation."""
    from ...job_schema import job_schema
    from ...registry import Registry

    set_up_logging(ctx.obj["verbose"])
    print_json(job_schema(Registry()))
