"""`callsheet show`: what the state knows about the tasks of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ...core.money import show
from ...core.values import from_state, to_public
from ...errors import UsageError
from ..common import open_state_of, print_json, redactor, set_up_logging, state_option


@click.command()
@click.argument("job")
@click.argument("task", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@state_option
@click.pass_context
def command(ctx: click.Context, job: str, task: str | None, as_json: bool, state: str | None) -> None:
    """Show every task of the last run of JOB with its outputs and its remote job; or one TASK, by its address."""
    from ...core.diagnostics import did_you_mean
    from ...project import find
    from .status import last_run

    set_up_logging(ctx.obj["verbose"])
    start = Path(job).resolve().parent if Path(job).is_file() else Path.cwd()
    opened = open_state_of(find(start), state)
    try:
        run = last_run(opened, job)
        rows = opened.tasks(run.run_id)
        chosen = [row for row in rows if task in (None, row.address)]
        if not chosen and task is not None:
            hint = did_you_mean(task, [row.address for row in rows])
            raise UsageError(f'the last run of "{run.job}" has no task "{task}"', hint=hint)
        pairs = [(row.account, row.key) for row in chosen if row.key]
        results, submissions = opened.results(pairs), opened.submissions(pairs)
        shapes: list[dict[str, Any]] = []
        for row in chosen:
            result = results.get((row.account, row.key))
            submission = submissions.get((row.account, row.key))
            shapes.append(
                {
                    "address": row.address,
                    "uses": row.uses,
                    "status": row.state.value,
                    "decision": row.decision,
                    "reason": row.reason or None,
                    "error": row.error or None,
                    "outputs": to_public(from_state(result.outputs)) if result else None,
                    "remote": None
                    if submission is None
                    else {
                        "state": submission.state.value,
                        "handle": submission.handle,
                        "status": submission.remote_status or None,
                        "generation": submission.generation,
                        "sends": submission.sends,
                        "cost": show(submission.cost) if submission.cost is not None else None,
                    },
                }
            )
        if as_json:
            print_json({"version": 1, "job": run.job, "run": run.run_id, "tasks": shapes})
        else:
            click.echo(redactor("\n\n".join(_text(shape) for shape in shapes)))
    finally:
        opened.close()


def _text(shape: dict[str, Any]) -> str:
    lines = [f"{shape['address']} ({shape['uses']}): {shape['status']}"]
    for name in ("decision", "reason", "error"):
        if shape[name]:
            lines.append(f"  {name}: {shape[name]}")
    for name, value in (shape["outputs"] or {}).items():
        lines.append(f"  {name}: {_value(value)}")
    remote = shape["remote"]
    if remote is not None:
        id_ = (remote["handle"] or {}).get("id", "not known")
        lines.append(
            f"  remote job: {id_}, {remote['state']}, sent {remote['sends']}×, cost {remote['cost'] or 'unknown'}"
        )
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, dict) and "kind" in value:
        facts = [str(value.get("path") or value.get("url") or value.get("asset") or "at the provider")]
        facts += [f"{value['duration']:.1f} s"] if value.get("duration") else []
        return f"{value['kind']} ({', '.join(facts)})"
    text = str(value)
    return text if len(text) < 200 else text[:199] + "…"
