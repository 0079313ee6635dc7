"""Whole jobs in this process: planned and run with an in-memory state and plugins that need no installation."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.clock import Timing
from ..engine.events import Events
from ..engine.run import Engine, chosen_indexes
from ..engine.services import Policy
from ..engine.sessions import Sessions
from ..expressions import Expressions
from ..media import Prober
from ..plan.build import Facts, Planner
from ..plan.targets import Targets
from ..registry import Registry
from ..spec.bind import Given
from ..spec.load import Loading, load
from ..spec.problems import Problems
from ..state import memory_state, this_worker
from .clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..engine.clock import Clock
    from ..engine.events import Event
    from ..engine.outcome import RunReport
    from ..plan.model import Plan
    from ..state.protocol import State

#: The heartbeat is for other processes; there are none, and on a fake clock it would only make time pass.
_TIMING = Timing(beat=1e9)


@dataclass(slots=True)
class _World:
    """Everything for the jobs of one call."""

    registry: Registry
    state: State
    clock: Clock
    given: Given
    provider: str | None
    env: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]]
    expressions: Expressions = field(init=False)

    def __post_init__(self) -> None:
        self.expressions = Expressions(more_filters=self.registry.filters)

    def sessions(self) -> Sessions:
        return Sessions(self.registry, self.state, self.env, self.settings, self.clock)

    def plan(self, file: Path, sessions: Sessions) -> tuple[Plan, Targets]:
        """The plan of a job file. Raises SpecError with every problem."""
        problems = Problems()
        prober = Prober(self.state.file_facts)
        bound = load(
            str(file),
            Loading(self.registry, self.expressions, prober, self.env, self.given, self.provider),
            problems,
        )
        problems.stop_if_failed()
        assert bound is not None
        targets = Targets(bound.job.folder)
        used = dict.fromkeys(step.provider for step in bound.job.steps.values() if step.provider)
        facts = Facts(self.state, sessions.known_accounts(used), targets)
        plan = Planner(bound, self.registry, facts, problems).build()
        problems.stop_if_failed()
        return plan, targets


def plan_job(
    job: Path | str,
    plugins: Mapping[str, object] | None = None,
    *,
    inputs: Mapping[str, str] | None = None,
    folder: Path | None = None,
    state: State | None = None,
    env: Mapping[str, str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    provider: str | None = None,
) -> Plan:
    """The plan of a job: a file, or the text of one. Nothing is sent.

    ``plugins`` maps prefixes to modules (or anything with hooks), besides those installed. ``inputs`` are as with
    ``-i``. A text is written to ``folder``/job.yaml; without a folder, to one that is removed afterwards. ``state`` is
    empty and in memory by default. ``settings`` are the providers' tables of a project file; no project file is
    read. Raises SpecError with every problem of the job.
    """
    with _opened(job, plugins, inputs, folder, state, env, settings, provider, FakeClock()) as (world, file):
        sessions = world.sessions()
        try:
            return world.plan(file, sessions)[0]
        finally:
            sessions.close()


def run_job(
    job: Path | str,
    plugins: Mapping[str, object] | None = None,
    *,
    inputs: Mapping[str, str] | None = None,
    folder: Path | None = None,
    state: State | None = None,
    env: Mapping[str, str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    provider: str | None = None,
    clock: Clock | None = None,
    max_cost: str | None = None,
    free: Sequence[str] = (),
    fail_fast: bool = False,
    select: Sequence[str] = (),
    listener: Callable[[Event], None] | None = None,
) -> RunReport:
    """Plan and run a job, and give the report. Arguments are those of `plan_job`, and further:

    ``clock`` is a `FakeClock` by default, so that no wait is real. Nobody is asked for consent; ``max_cost`` (an
    amount such as "20") stops purchases beyond it. ``free`` are providers that charge nothing. ``select`` holds
    patterns as with ``--select``. ``listener`` is told every event. Give the same ``state`` and ``folder`` again to see
    what a second run does. Raises SpecError, and whatever a broken plugin raised.
    """
    clock = clock or FakeClock()
    policy = Policy(Decimal(max_cost) if max_cost else None, free=frozenset(free), fail_fast=fail_fast)
    with _opened(job, plugins, inputs, folder, state, env, settings, provider, clock) as (world, file):
        return asyncio.run(_run(world, file, policy, select, listener))


async def _run(
    world: _World, file: Path, policy: Policy, select: Sequence[str], listener: Callable[[Event], None] | None
) -> RunReport:
    sessions = world.sessions()
    try:
        plan, targets = world.plan(file, sessions)
        busy = {task.prefix for task in plan.to_do() if world.registry.plugin(task.prefix).provider is not None}
        for prefix in sorted(busy):
            await sessions.identify(prefix)
        if busy:  # keys hold the account, which may be known only now
            plan, targets = world.plan(file, sessions)
        events = Events()
        if listener is not None:
            events.listen(listener)
        engine = Engine(
            world.registry, world.expressions, world.state, sessions, targets, this_worker(),
            file.parent / ".callsheet" / "media", events, world.clock, _TIMING,
        )  # fmt: skip
        chosen = chosen_indexes(plan.tasks, select) if select else None
        return await engine.execute(plan, policy, chosen=chosen)
    finally:
        sessions.close()


@contextmanager
def _opened(
    job: Path | str,
    plugins: Mapping[str, object] | None,
    inputs: Mapping[str, str] | None,
    folder: Path | None,
    state: State | None,
    env: Mapping[str, str] | None,
    settings: Mapping[str, Mapping[str, Any]] | None,
    provider: str | None,
    clock: Clock,
) -> Iterator[tuple[_World, Path]]:
    used = state if state is not None else memory_state(clock=clock.now)
    try:
        with _file(job, folder) as file:
            world = _World(Registry(plugins), used, clock, Given(inputs), provider, env or {}, settings or {})
            yield world, file
    finally:
        if state is None:
            used.close()


@contextmanager
def _file(job: Path | str, folder: Path | None) -> Iterator[Path]:
    """The job file; a text with several lines is written into one."""
    if isinstance(job, Path) or "\n" not in job:
        yield Path(job)
    elif folder is not None:
        file = folder / "job.yaml"
        file.write_text(job, encoding="utf-8")
        yield file
    else:
        with tempfile.TemporaryDirectory(prefix="callsheet-") as made:
            file = Path(made).resolve() / "job.yaml"
            file.write_text(job, encoding="utf-8")
            yield file
