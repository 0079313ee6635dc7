"""Plans, runs and tables as text for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from ..core.states import Decision, TaskState
from .common import redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..engine.outcome import RunReport, TaskRun
    from ..plan.model import Plan, PlannedTask

_LISTED = 60  # tasks that a plan lists before it only counts
_FAILURES = 10  # failures on the last screen of a run


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> list[str]:
    """Lines with aligned columns; the last column is as long as it likes."""
    everything = [list(header), *rows] if header else [list(row) for row in rows]
    if not everything:
        return []
    widths = [max(len(row[column]) for row in everything) for column in range(len(everything[0]) - 1)]
    return [
        "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in everything
    ]


def show_plan(plan: Plan, *, everything: bool = False, err: bool = False) -> None:
    """The plan: its tasks, how many of each step, and the totals."""
    lines = [f"{plan.job.name}: {_steps(plan)}", ""]
    tasks = plan.tasks if everything or len(plan.tasks) <= _LISTED else plan.tasks[:_LISTED]
    lines += table([_row(task) for task in tasks], ("task", "decision", "price", "reason"))
    if len(tasks) < len(plan.tasks):
        lines.append(f"… and {len(plan.tasks) - len(tasks)} more tasks (--all lists them)")
    counts = ", ".join(f"{count} {name}" for name, count in plan.counts().items()) or "no tasks"
    lines += ["", f"{counts}; price {plan.total}"]
    lines += _bases(plan)
    click.echo(redactor("\n".join(lines)), err=err)


def _steps(plan: Plan) -> str:
    counts = Counter(task.step.id for task in plan.tasks)
    return ", ".join(f"{step} ×{count}" for step, count in counts.items())


def _row(task: PlannedTask) -> tuple[str, str, str, str]:
    idle = task.decision in (Decision.REUSE, Decision.SKIP, Decision.BLOCKED, Decision.ATTACH)
    price = "" if idle else "unknown" if task.cost is None else str(task.cost)
    return task.address, task.decision.value, price, task.reason


def _bases(plan: Plan) -> list[str]:
    """How the prices were reckoned: one line per distinct source."""
    bases = [task.cost.basis for task in plan.to_do() if task.cost is not None and task.cost.basis]
    sources = dict.fromkeys(base.partition("(")[2].rstrip(")") for base in bases if "(" in base)
    return [f"prices: {source}" for source in sources if source]


def show_report(report: RunReport, again: str) -> None:
    """The end of a run on stderr: counts, what was spent, the first failures, and how to go on."""
    totals = report.totals()
    states = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in totals["states"].items())
    reused = f" ({totals['reused']} reused)" if totals["reused"] else ""
    lines = [f"{report.job}: {states or 'nothing to do'}{reused}; spent {totals['spent']} USD"]
    lines += list(_failures(report.tasks))
    going = [task for task in report.tasks if task.state is TaskState.DETACHED]
    if going:
        lines.append(
            f"{len(going)} remote job{'' if len(going) == 1 else 's'} may go on at the provider; nothing is lost"
        )
    if int(report.exit_code) not in (0, 3):
        more = " --max-cost AMOUNT" if any(t.state is TaskState.OVER_BUDGET for t in report.tasks) else ""
        lines.append(f"to go on: {again}{more}")
    for line in lines:
        click.echo(redactor(line), err=True)


def _failures(tasks: Iterable[TaskRun]) -> Iterable[str]:
    bad = [t for t in tasks if t.state in (TaskState.FAILED, TaskState.UNKNOWN, TaskState.OVER_BUDGET)]
    causes = [t for t in bad if t.error_kind != "upstream"]
    for task in causes[:_FAILURES]:
        yield f"  {task.address}: {task.state.value.replace('_', ' ')}: {task.error}"
    if len(causes) > _FAILURES:
        yield f"  … and {len(causes) - _FAILURES} more"
    followers = len(bad) - len(causes)
    if followers:
        yield f"  {followers} more because of these"


def show_outputs(report: RunReport) -> None:
    """What was written, one path a line, on stdout."""
    from ..core.values import Media

    for task in report.tasks:
        if task.state is TaskState.SUCCEEDED and task.planned.operation.writes:
            for value in task.outputs.values():
                if isinstance(value, Media) and value.path:
                    click.echo(value.path)
