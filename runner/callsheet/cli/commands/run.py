"""`callsheet run`: do what is missing. Running it again is how to resume and how to retry."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from ...errors import SpendingError, UsageError
from ..common import Workspace, job_options, print_json, providers, redactor, set_up_logging, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from ...engine.events import Event
    from ...engine.outcome import RunReport
    from ...engine.sessions import Sessions
    from ...plan.model import Plan
    from ...plan.targets import Targets


@click.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document when the run ends.")
@click.option("--select", "patterns", multiple=True, metavar="PATTERN", help="Only these tasks and what they need.")
@click.option("-y", "--yes", is_flag=True, help="Agree to the price shown, whatever it is.")
@click.option("--max-cost", metavar="MONEY", help='Agree to spend up to this, such as "20 USD".')
@click.option("--fail-fast", is_flag=True, help="Submit nothing more after the first failure.")
@click.option("--sandbox", is_flag=True, help="Use the sandbox on this machine instead of the provider: free.")
@job_options
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    as_json: bool,
    patterns: tuple[str, ...],
    yes: bool,
    max_cost: str | None,
    fail_fast: bool,
    sandbox: bool,
    pairs: tuple[str, ...],
    inputs_file: str | None,
    state: str | None,
    roots: tuple[str, ...],
) -> int:
    """Do what is missing: what is done is reused, what is in flight is attached to, what failed is tried again."""
    from ..text import show_outputs, show_report

    set_up_logging(ctx.obj["verbose"])
    quiet = ctx.obj["quiet"]
    with (
        workspace(file, pairs=pairs, inputs_file=inputs_file, state=state, roots=roots) as space,
        _sandbox(space, quiet, wanted=sandbox) as free,
    ):
        wish = Wish(patterns, yes, _money(max_cost), fail_fast, free, quiet)
        report = asyncio.run(_run(space, file, wish))
    if not ctx.obj["quiet"]:
        show_report(report, f"callsheet run {file}{' --sandbox' if sandbox else ''}")
    if as_json:
        print_json(report.as_json())
    else:
        show_outputs(report)
    return report.exit_code


class Wish:
    """What the person asked for."""

    def __init__(
        self,
        patterns: tuple[str, ...],
        yes: bool,
        cap: Decimal | None,
        fail_fast: bool,
        free: frozenset[str],
        quiet: bool,
    ) -> None:
        self.patterns, self.yes, self.cap = patterns, yes, cap
        self.fail_fast, self.free, self.quiet = fail_fast, free, quiet


def _money(text: str | None) -> Decimal | None:
    from ...core.money import PRICED_IN, Money

    if text is None:
        return None
    try:
        money = Money.parse(text if text[-1:].isalpha() else f"{text} USD")
    except ValueError as problem:
        raise UsageError(f"--max-cost: {problem}") from None
    if money.currency != PRICED_IN:
        raise UsageError(f"--max-cost: prices are in {PRICED_IN}, not in {money.currency}")
    return money.amount


@contextlib.contextmanager
def _sandbox(space: Workspace, quiet: bool, *, wanted: bool) -> Iterator[frozenset[str]]:
    """Serve the sandbox for this run, if wanted, and point its provider there. Gives the providers that are free."""
    if not wanted:
        yield frozenset()
        return
    try:
        from callsheet_sandbox.embed import serving
    except ImportError as problem:
        raise UsageError(
            f"the sandbox is not installed ({problem.name} is missing)", hint="pip install 'callsheet[sandbox]'"
        ) from None
    with serving(space.project.folder / ".callsheet" / "sandbox") as served:
        space.env.update(served.env)
        space.settings.update(served.settings)
        if not quiet:
            click.echo(served.notice, err=True)
        yield frozenset({served.provider})


async def _run(space: Workspace, file: str, wish: Wish) -> RunReport:
    from ..diagnostics import show_problems

    sessions = space.sessions()
    try:
        problems = space.problems()
        planned = space.plan(file, sessions, problems)
        problems.stop_if_failed()
        assert planned is not None
        show_problems(problems.diagnostics)
        redactor.add(sessions.secrets(providers(planned[0].bound)))
        planned = await _with_accounts(space, file, sessions, planned)
        chosen = _chosen(planned[0], wish)
        _consent(planned[0], chosen, wish)
        return await _execute(space, sessions, *planned, chosen, wish)
    finally:
        sessions.close()


async def _with_accounts(
    space: Workspace, file: str, sessions: Sessions, planned: tuple[Plan, Targets]
) -> tuple[Plan, Targets]:
    """Ask each busy provider which account the key belongs to, and plan again if that was not known: keys hold it.

    A missing or refused key ends the run here, before anything is sent that could cost.
    """
    plan = planned[0]
    busy = sorted({t.prefix for t in plan.to_do() if space.registry.plugin(t.prefix).provider is not None})
    sessions.require_credentials(busy)
    known = sessions.known_accounts(busy)
    found = {prefix: await sessions.identify(prefix) for prefix in busy}
    if all(known.get(prefix) == account for prefix, account in found.items()):
        return planned
    again = space.plan(file, sessions, space.problems())
    assert again is not None
    return again


def _chosen(plan: Plan, wish: Wish) -> frozenset[int] | None:
    """The indexes of the tasks that `--select` means, with all they need; None for all tasks."""
    from ...engine.run import chosen_indexes

    if not wish.patterns:
        return None
    chosen = chosen_indexes(plan.tasks, wish.patterns)
    if not chosen:
        raise UsageError(f"no task fits {', '.join(wish.patterns)}", hint="`callsheet plan` lists the tasks")
    return chosen


def _consent(plan: Plan, chosen: frozenset[int] | None, wish: Wish) -> None:
    """Nothing is bought unless its price fits a budget, or a person agreed to it."""
    from ...core.money import total
    from ..text import show_plan

    meant = [t for t in plan.to_do() if chosen is None or t.index in chosen]
    paid = [t for t in meant if t.is_remote and t.prefix not in wish.free and not (t.cost and t.cost.is_free)]
    price = total(task.cost for task in paid)
    budget = plan.job.budget
    cap = wish.cap if wish.cap is not None else budget.maximum.amount if budget.maximum else None
    if not paid or (wish.yes and wish.cap is None):
        return
    fits = cap is not None and price.high <= cap
    unknown_allowed = price.unknown == 0 or budget.allow_unknown is True or wish.yes
    if fits and unknown_allowed:
        return
    over = cap is not None and price.high > cap
    if sys.stdin.isatty() and sys.stderr.isatty() and budget.allow_unknown is not False:
        show_plan(plan, err=True)
        limit = f", which is more than the {cap} allowed" if over else ""
        with _interruptible():
            wish.yes = click.confirm(f"Spend {price}{limit}?", err=True)
        if wish.yes:
            return
        raise SpendingError("nothing was bought: the price was not agreed to")
    if over:
        raise SpendingError(
            f"nothing was bought: it would cost {price}, and the budget is {cap} {price.currency}",
            hint="raise budget.max in the job, or pass --max-cost",
        )
    if not unknown_allowed:
        raise SpendingError(
            f"nothing was bought: {price.unknown} task{' has' if price.unknown == 1 else 's have'} no known price",
            hint='set "unknown: allow" under budget in the job, or pass --yes',
        )
    raise SpendingError(
        f"nothing was bought: it would cost {price}, and nobody agreed to that",
        hint="set budget.max in the job, pass --max-cost, or --yes",
    )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question. The event loop keeps the first one to itself, and the question would wait on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _telling(observer: Callable[..., Any], job: str) -> Callable[[Event], None]:
    """A listener that tells a plugin's observer, in the published shape."""

    def tell(event: Event) -> None:
        observer(event=event.as_json(), job=job)

    return tell


async def _execute(
    space: Workspace,
    sessions: Sessions,
    plan: Plan,
    targets: Targets,
    chosen: frozenset[int] | None,
    wish: Wish,
) -> RunReport:
    from ...engine.events import Events
    from ...engine.run import Engine
    from ...engine.services import Policy
    from ...state import this_worker
    from ..progress import Progress
    from ..signals import stopping

    assert space.state is not None
    budget = plan.job.budget
    cap = wish.cap if wish.cap is not None or wish.yes or budget.maximum is None else budget.maximum.amount
    policy = Policy(
        cap=cap,
        per_task=budget.per_task.amount if budget.per_task and not wish.yes else None,
        free=wish.free,
        resend_below=space.project.resend_below.amount,
        fail_fast=wish.fail_fast,
    )
    events = Events()
    for observer in space.registry.observers():
        events.listen(_telling(observer, plan.job.name))
    engine = Engine(
        space.registry, space.expressions, space.state, sessions, targets, this_worker(),
        space.project.folder / ".callsheet" / "media", events,
    )  # fmt: skip
    with Progress(plan, events, quiet=wish.quiet) as progress, stopping() as stop_by:
        beating = asyncio.create_task(progress.heartbeat(asyncio.sleep))

        def begin(stop: Any, runs: Any) -> None:
            progress.follow(runs)
            stop_by(stop, progress)

        try:
            return await engine.execute(plan, policy, chosen=chosen, on_start=begin)
        finally:
            beating.cancel()
