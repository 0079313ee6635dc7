"""`callsheet plan`: what a run would do, why, and what it costs. Sends nothing."""

from __future__ import annotations

import click

from ...errors import ExitCode
from ..common import job_options, print_json, set_up_logging, workspace


@click.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--exit-code", "exit_code", is_flag=True, help="Exit with 20 when something would run.")
@click.option("--all", "everything", is_flag=True, help="List every task, however many there are.")
@job_options
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    as_json: bool,
    exit_code: bool,
    everything: bool,
    pairs: tuple[str, ...],
    inputs_file: str | None,
    state: str | None,
    roots: tuple[str, ...],
) -> int:
    """Show every task with its decision, the reason and the price, and the totals. Sends nothing."""
    from ..diagnostics import show_problems
    from ..text import show_plan

    set_up_logging(ctx.obj["verbose"])
    with workspace(file, pairs=pairs, inputs_file=inputs_file, state=state, roots=roots, create=False) as space:
        problems = space.problems()
        planned = space.plan(file, space.sessions(), problems)
        problems.stop_if_failed()
        assert planned is not None
        plan = planned[0]
        show_problems(problems.diagnostics)
        if as_json:
            print_json(plan.as_json())
        else:
            show_plan(plan, everything=everything)
        changes = any(True for _ in plan.to_do())
    return ExitCode.CHANGES if exit_code and changes else ExitCode.DONE
