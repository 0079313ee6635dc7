"""One invocation of `run`: the plan is carried out, and the state knows about it from the first moment on."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.states import Decision, TaskState
from ..errors import AccessRefused, CredentialsError, OutOfCredit
from ..plan.inputs import TaskInputs
from ..plan.names import StepsView
from ..spec.problems import Problems
from ..spec.trees import render
from ..state.protocol import Run, TaskRow
from .alone import Alone
from .clock import Clock, RealClock, Timing
from .events import Event, Events
from .outcome import RunReport, TaskRun
from .scheduler import Scheduler
from .services import Policy, Services
from .sessions import USER_AGENT
from .stop import Stop
from .transfer import Downloader
from .work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..core.model import Located
    from ..expressions import ExpressionError, Expressions
    from ..plan.model import Plan, PlannedTask
    from ..plan.targets import Targets
    from ..registry import Registry
    from ..state.protocol import State, Worker
    from .sessions import Sessions


@dataclass(frozen=True, slots=True)
class Engine:
    """What it takes to carry out plans."""

    registry: Registry
    expressions: Expressions
    state: State
    sessions: Sessions
    targets: Targets
    worker: Worker
    keep: Path
    events: Events
    clock: Clock = field(default_factory=RealClock)
    timing: Timing = field(default_factory=Timing)

    async def execute(
        self,
        plan: Plan,
        policy: Policy,
        *,
        chosen: frozenset[int] | None = None,
        on_start: Callable[[Stop, list[TaskRun]], None] | None = None,
    ) -> RunReport:
        """Carry out a plan. ``on_start`` is given the means to stop it, and its tasks, before anything is done."""
        stop = Stop()
        self.sessions.stop_with(stop)
        services = self._services(plan, policy, stop)
        lanes = await self._lanes(plan)
        scheduler = Scheduler(plan, services, lanes)
        if on_start is not None:
            on_start(stop, scheduler.runs)
        await self.state.put_worker(self.worker)
        await self.state.begin_run(_run_row(plan, services.run_id, self.clock.now()), _task_rows(plan, services.run_id))
        self.events.listen(_Recorder(services, scheduler.runs))
        self.events.tell(Event("run-started", data={"run": services.run_id, "tasks": len(plan.tasks)}))
        beating = asyncio.create_task(self._beat(services))
        try:
            await scheduler.run(Work(services, scheduler, plan.bound.names, scheduler.of), chosen)
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
            services.downloader.close()
            services.alone.close()
        report = _report(plan, services, scheduler)
        await self.state.end_run(services.run_id, report.status, report.totals())
        await self.state.remove_worker(self.worker.worker_id)
        self.events.tell(Event("run-ended", data={"status": report.status}))
        if scheduler.bugs:
            raise scheduler.bugs[0]
        return report

    def _services(self, plan: Plan, policy: Policy, stop: Stop) -> Services:
        bound = plan.bound
        return Services(
            folder=bound.job.folder,
            job=bound.job.name,
            run_id=uuid.uuid4().hex[:12],
            registry=self.registry,
            expressions=self.expressions,
            inputs=TaskInputs(self.registry, bound, Problems()),
            state=self.state,
            sessions=self.sessions,
            downloader=Downloader(user_agent=USER_AGENT),
            targets=self.targets,
            keep=self.keep,
            worker=self.worker,
            clock=self.clock,
            timing=self.timing,
            policy=policy,
            events=self.events,
            stop=stop,
            alone=Alone(self.keep.with_name("locks")),
        )

    async def _lanes(self, plan: Plan) -> dict[str, dict[str, int]]:
        """The slots of every provider that has something to do."""
        busy = {task.prefix for task in plan.to_do() if self.registry.plugin(task.prefix).provider is not None}
        return {prefix: dict((await self.sessions.session(prefix)).limits.jobs) for prefix in sorted(busy)}

    async def _beat(self, services: Services) -> None:
        while True:
            await services.clock.sleep(services.timing.beat)
            self.state.beat(self.worker.worker_id)


class _Recorder:
    """Writes the states of tasks into the state as they change. These writes ride along with durable ones."""

    def __init__(self, services: Services, runs: Iterable[TaskRun]) -> None:
        self._s = services
        self._runs = {run.address: run for run in runs}

    def __call__(self, event: Event) -> None:
        if event.kind != "task" or event.state is None:
            return
        run = self._runs[event.task]
        self._s.state.set_task(
            self._s.run_id, event.task, event.state, key=run.key, error_kind=run.error_kind, error=run.error
        )


def _run_row(plan: Plan, run_id: str, now: float) -> Run:
    return Run(run_id, plan.job.name, str(Path(plan.job.file).resolve()), "active", now)


def _task_rows(plan: Plan, run_id: str) -> Iterable[TaskRow]:
    states = {
        Decision.REUSE: TaskState.SUCCEEDED,
        Decision.SKIP: TaskState.SKIPPED,
        Decision.BLOCKED: TaskState.UNKNOWN,
    }
    for task in plan.tasks:
        state = states.get(task.decision, TaskState.PENDING)
        if task.decision is Decision.REUSE and task.recorded is None:
            state = TaskState.PENDING
        yield TaskRow(
            run_id, task.index, task.address, task.step.id, task.step.uses, task.axes, state, task.decision.value,
            task.reason, task.account, task.key,
        )  # fmt: skip


def _report(plan: Plan, services: Services, scheduler: Scheduler) -> RunReport:
    refused = services.stop.refused.values()
    return RunReport(
        plan.job.name,
        services.run_id,
        scheduler.runs,
        _outputs(plan, scheduler),
        signal=services.stop.signal,
        access_refused=any(isinstance(p, CredentialsError | AccessRefused) for p in refused),
        stopped_before_spending=any(isinstance(p, OutOfCredit) for p in refused),
    )


def _outputs(plan: Plan, scheduler: Scheduler) -> dict[str, Any]:
    """The job's outputs; null where something that they read did not succeed."""
    names = {**plan.bound.names, "steps": StepsView(scheduler, {})}

    def failed(_: Located, __: ExpressionError) -> Any:
        return None

    found: dict[str, Any] = {}
    for name, tree in plan.job.outputs.items():
        try:
            found[name] = render(tree, names, failed)
        except Exception:  # a step that did not succeed has no outputs to read
            found[name] = None
    return found


def chosen_indexes(tasks: Iterable[PlannedTask], patterns: Iterable[str]) -> frozenset[int]:
    """The tasks whose address fits a pattern, with everything they need."""
    from .select import fits

    waiting = [task for task in tasks if any(fits(pattern, task) for pattern in patterns)]
    chosen: set[int] = set()
    while waiting:
        task = waiting.pop()
        if task.index not in chosen:
            chosen.add(task.index)
            waiting.extend(task.needs)
    return frozenset(chosen)
