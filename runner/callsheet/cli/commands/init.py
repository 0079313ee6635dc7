"""`callsheet init`: a first job that validates, plans and runs in the sandbox."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from ...errors import UsageError
from ..common import set_up_logging

_FILES = ("job.yaml", "callsheet.toml", ".gitignore")


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """Write a job, a project file and a .gitignore into FOLDER. Nothing that is there is overwritten."""
    set_up_logging(ctx.obj["verbose"])
    template = files("callsheet_specs") / "init"
    there = [name for name in _FILES if (folder / name).exists()]
    if "job.yaml" in there:
        raise UsageError(f"{folder / 'job.yaml'} is there already", hint="choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            if name not in there:
                text = (template / name.replace(".gitignore", "gitignore")).read_text(encoding="utf-8")
                (folder / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"{folder} cannot be written: {problem.strerror}") from None
    click.echo(f"wrote {', '.join(name for name in _FILES if name not in there)} to {folder}")
    click.echo(f"next: callsheet run {folder / 'job.yaml'} --sandbox")
