"""`callsheet status`: how the last run of a job stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import UsageError
from ..common import open_state_of, print_json, redactor, set_up_logging, state_option

if TYPE_CHECKING:
    from ...state.protocol import Run, State


@click.command()
@click.argument("job", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@state_option
@click.pass_context
def command(ctx: click.Context, job: str | None, as_json: bool, state: str | None) -> None:
    """Show the last runs, or the tasks of the last run of JOB (a name or a job file)."""
    from ...project import find
    from ..text import table

    set_up_logging(ctx.obj["verbose"])
    start = Path(job).resolve().parent if job and Path(job).is_file() else Path.cwd()
    opened = open_state_of(find(start), state)
    try:
        if job is None:
            runs = opened.runs()
            if as_json:
                print_json({"version": 1, "runs": [_run_json(run) for run in runs]})
            else:
                listed = [(run.job, run.run_id, run.state, _spent(run)) for run in runs]
                click.echo("\n".join(table(listed, ("job", "run", "state", "spent"))))
            return
        run = last_run(opened, job)
        tasks = opened.tasks(run.run_id)
        if as_json:
            shape = [
                {"address": t.address, "step": t.step, "uses": t.uses, "axes": t.axes, "decision": t.decision,
                 "status": t.state.value, "error": t.error or None}
                for t in tasks
            ]  # fmt: skip
            print_json({"version": 1, "run": _run_json(run), "tasks": shape})
            return
        click.echo(f"{run.job}: run {run.run_id} {run.state}")
        rows = [(t.address, t.state.value.replace("_", " "), redactor(t.error or t.reason)) for t in tasks]
        click.echo("\n".join(table(rows, ("task", "state", "reason"))))
    finally:
        opened.close()


def last_run(state: State, job: str) -> Run:
    """The newest run of a job, named by itself or by its file."""
    name = job_name(job)
    runs = state.runs(name, 1)
    if not runs:
        known = ", ".join(dict.fromkeys(run.job for run in state.runs(None, 100))) or "none"
        raise UsageError(f'the state knows no run of "{name}"', hint=f"jobs with runs: {known}")
    return runs[0]


def job_name(job: str) -> str:
    """The name of a job given by name or by file."""
    if not Path(job).is_file():
        return job
    from ...spec.source import load

    data = load(job).data
    return str(data.get("name", job)) if isinstance(data, dict) else job


def _spent(run: Run) -> str:
    return f"{run.details['spent']} USD" if "spent" in run.details else ""


def _run_json(run: Run) -> dict[str, object]:
    return {"run": run.run_id, "job": run.job, "file": run.file, "status": run.state, "totals": run.details or None}
