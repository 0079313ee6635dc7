"""`callsheet sandbox`: the HeyGen-compatible server in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from ...errors import UsageError
from ..common import set_up_logging


@click.command()
@click.option("--port", default=8787, show_default=True, help="The port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--data", default=".callsheet/sandbox", show_default=True, metavar="DIR", help="Where its files and jobs are."
)
@click.option("--job-seconds", default=2.0, show_default=True, help="How long a job takes.")
@click.option("--concurrency", default=10, show_default=True, help="Jobs at once; more are refused with 429.")
@click.pass_context
def command(ctx: click.Context, port: int, data: str, job_seconds: float, concurrency: int) -> None:
    """Serve a HeyGen-compatible API on this machine until Ctrl-C. It costs nothing and animates no lips.

    Point callsheet at it with HEYGEN_API_BASE=http://127.0.0.1:PORT and HEYGEN_API_KEY=sandbox, or leave all that to
    `callsheet run FILE --sandbox`.
    """
    set_up_logging(ctx.obj["verbose"])
    try:
        from callsheet_sandbox.server import Settings, serve
    except ImportError as problem:
        raise UsageError(
            f"the sandbox is not installed ({problem.name} is missing)", hint="pip install 'callsheet[sandbox]'"
        ) from None
    settings = Settings(data=Path(data), port=port, job_seconds=job_seconds, concurrency=concurrency)
    serve(settings, lambda text: click.echo(text, err=True))
