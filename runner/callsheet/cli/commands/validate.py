"""`callsheet validate`: everything that can be known to be wrong without a network."""

from __future__ import annotations

import click

from ...core.diagnostics import by_place
from ...errors import ExitCode, UsageError
from ..common import job_options as _job_options
from ..common import print_json, redactor, set_up_logging, workspace


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--output-format", type=click.Choice(["text", "github", "json"]), default="text", help="How problems are printed."
)
@click.option("--no-files", is_flag=True, help="Do not require that media files exist.")
@_job_options
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    as_json: bool,
    output_format: str,
    no_files: bool,
    pairs: tuple[str, ...],
    inputs_file: str | None,
    state: str | None,
    roots: tuple[str, ...],
) -> int:
    """Check job files: shape, expressions, references, types, data, media, prices of nothing. Sends nothing.

    All problems of all files are found in one pass.
    """
    from ..diagnostics import github, show_problems

    del state  # validation never looks at it; the option is there so that all commands take the same ones
    set_up_logging(ctx.obj["verbose"])
    found = []
    tasks = 0
    for file in files:
        with workspace(
            file, pairs=pairs, inputs_file=inputs_file, roots=roots, with_state=False, look=not no_files
        ) as space:
            problems = space.problems()
            try:
                planned = space.plan(file, None, problems)
            except UsageError as problem:
                raise UsageError(f"{problem.message}", hint=problem.hint) from None
            tasks += len(planned[0].tasks) if planned else 0
            found.extend(problems.diagnostics)
    diagnostics = by_place(found)
    valid = not any(d.severity == "error" for d in diagnostics)
    if as_json or output_format == "json":
        print_json({"valid": valid, "diagnostics": [d.as_json() for d in diagnostics]})
    elif output_format == "github":
        for diagnostic in diagnostics:
            click.echo(redactor(github(diagnostic)))
    else:
        show_problems(diagnostics)
        if valid and not ctx.obj["quiet"]:
            noun = "file is" if len(files) == 1 else "files are"
            click.echo(f"{len(files)} {noun} valid: {tasks} task{'' if tasks == 1 else 's'}")
    return ExitCode.DONE if valid else ExitCode.USAGE
