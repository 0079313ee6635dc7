"""Which task runs when: each as soon as its own inputs are ready, within the limits of its lane."""

from __future__ import annotations

import asyncio
import heapq
import logging
from typing import TYPE_CHECKING

from ..core.states import Decision, TaskState
from ..errors import AccessRefused, CallsheetError, CredentialsError, OperationError
from .events import Event
from .outcome import TaskEnd, TaskRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..core.model import Job, Step
    from ..plan.model import Plan, PlannedTask
    from .services import Services
    from .work import Work

log = logging.getLogger("callsheet.engine")

_LOCAL_AT_ONCE = 32  # free tasks at once: transfers mostly, which share the disk and the line
_AHEAD = 2  # tasks of a lane that prepare while all slots are taken


class Scheduler:
    """Runs the tasks of a plan. Tasks that a plan reuses or skips cost nothing here."""

    def __init__(self, plan: Plan, services: Services, lanes: Mapping[str, Mapping[str, int]]) -> None:
        self._job: Job = plan.job
        self._s = services
        self._lane_sizes = lanes
        self.runs = [TaskRun(planned) for planned in plan.tasks]
        self._of: dict[int, TaskRun] = {id(run.planned): run for run in self.runs}
        self._by_key: dict[str, dict[tuple[str, ...], TaskRun]] = {name: {} for name in plan.job.steps}
        for run in self.runs:
            if run.planned.inputs is None:
                self._by_key[run.planned.step.id][run.planned.combination.keys] = run
        self._waiting: dict[int, int] = {}
        self._dependents: dict[int, list[TaskRun]] = {}
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._active: set[asyncio.Task[None]] = set()
        self.bugs: list[BaseException] = []
        self._open = 0
        self._idle = asyncio.Event()

    # -- what expressions see (plan.names.Steps)

    def step(self, name: str) -> Step:
        """See `plan.names.Steps`."""
        return self._job.steps[name]

    def task(self, step: str, keys: tuple[str, ...]) -> TaskRun:
        """See `plan.names.Steps`."""
        return self._by_key[step][keys]

    def tasks(self, step: str) -> Sequence[TaskRun]:
        """See `plan.names.Steps`."""
        return list(self._by_key[step].values())

    def of(self, planned: PlannedTask) -> TaskRun:
        """The task that carries out a planned one."""
        return self._of[id(planned)]

    # -- running

    async def run(self, work: Work, chosen: frozenset[int] | None) -> None:
        """Bring every task to an end. ``chosen`` are the indexes that `--select` leaves; None means all."""
        self._work = work
        todo = [run for run in self.runs if not self._settled(run, chosen)]
        self._open = len(todo)
        for run in todo:
            unmet = [need for need in run.planned.needs if not self._of[id(need)].state.ended]
            self._waiting[id(run)] = len(unmet)
            for need in unmet:
                self._dependents.setdefault(id(need), []).append(run)
        for run in todo:
            if self._waiting[id(run)] == 0:
                self._ready(run)
        if self._open:
            await self._idle.wait()

    def _settled(self, run: TaskRun, chosen: frozenset[int] | None) -> bool:
        """End at once what needs no work."""
        planned = run.planned
        match planned.decision:
            case Decision.REUSE if planned.recorded is not None and not planned.step.ensure:
                run.outputs = planned.recorded
                run.key = planned.key
                run.state = TaskState.SUCCEEDED
            case Decision.SKIP:
                run.state, run.error = TaskState.SKIPPED, ""
            case Decision.BLOCKED:
                run.state, run.error, run.error_kind = TaskState.UNKNOWN, planned.reason, "unknown"
            case _ if chosen is not None and planned.index not in chosen:
                run.state, run.error = TaskState.SKIPPED, "not selected"
            case _:
                return False
        return True

    def _ready(self, run: TaskRun) -> None:
        if self._upstream_failed(run):
            return
        lane = self._lane(run.planned)
        heapq.heappush(lane.queue, (run.planned.index, id(run), run))
        self._fill(lane)

    def _upstream_failed(self, run: TaskRun) -> bool:
        """A task whose upstream ended otherwise than well cannot run; a skipped one it only waits for is fine."""
        for need in run.planned.needs:
            upstream = self._of[id(need)]
            if upstream.state in (TaskState.SUCCEEDED, TaskState.SKIPPED):
                continue
            if need.step.id in run.planned.step.reads_all:
                continue  # `steps.x.all` is about how they ended
            state = {
                TaskState.FAILED: TaskState.FAILED,
                TaskState.UNKNOWN: TaskState.UNKNOWN,
                TaskState.DETACHED: TaskState.DETACHED,
                TaskState.OVER_BUDGET: TaskState.OVER_BUDGET,
            }.get(upstream.state, TaskState.CANCELED)
            run.excused = upstream.tolerated
            word = "failed" if state is TaskState.FAILED else f"is {upstream.state.value}"
            self._end(run, state, f"upstream {word}: {upstream.address}", "upstream")
            return True
        return False

    def _lane(self, planned: PlannedTask) -> _Lane:
        pool = planned.operation.pool
        name = ("attached", "") if planned.decision is Decision.ATTACH else (planned.prefix, pool) if pool else ("", "")
        if name not in self._lanes:
            size = _LOCAL_AT_ONCE
            if name[0] == "attached":
                size = 1_000_000  # these hold their slots already
            elif pool:
                size = self._lane_sizes.get(planned.prefix, {}).get(pool, _LOCAL_AT_ONCE) + _AHEAD
            self._lanes[name] = _Lane(size)
        return self._lanes[name]

    def _fill(self, lane: _Lane) -> None:
        most = self._job.concurrency
        while lane.queue and lane.running < lane.size and (most is None or len(self._active) < most):
            _, _, run = heapq.heappop(lane.queue)
            lane.running += 1
            active = asyncio.create_task(self._drive(run, lane))
            self._active.add(active)
            active.add_done_callback(self._left)

    async def _drive(self, run: TaskRun, lane: _Lane) -> None:
        try:
            await self._attempt(run)
        finally:
            lane.running -= 1
            self._fill(lane)

    def _left(self, active: asyncio.Task[None]) -> None:
        self._active.discard(active)
        if self._job.concurrency is not None:  # a place of the job, which any lane may take
            for lane in self._lanes.values():
                self._fill(lane)

    async def _attempt(self, run: TaskRun) -> None:
        stop = self._s.stop
        attaching = run.planned.decision is Decision.ATTACH
        if stop.now or (not stop.submitting and not attaching):
            self._end(run, TaskState.CANCELED, "the run was stopped before this began", "stopped")
            return
        run.started = self._s.clock.elapsed()
        uploads = {name: self._of[id(task)] for name, task in run.planned.uploads.items()}
        try:
            run.outputs = await self._work.do(run, uploads)
        except TaskEnd as end:
            self._end(run, end.state, end.message, end.kind)
        except (OperationError, CredentialsError) as problem:
            kind = getattr(problem, "kind", "access")
            if isinstance(problem, AccessRefused | CredentialsError):
                stop.refused.setdefault(run.planned.prefix, problem)
            self._end(run, TaskState.FAILED, _with_hint(problem), kind)
        except CallsheetError as problem:
            self._end(run, TaskState.FAILED, _with_hint(problem), "failed")
        except Exception as problem:
            self.bugs.append(problem)
            log.debug("%s broke", run.address, exc_info=True)  # the report file of the crash has it too
            self._end(run, TaskState.FAILED, f"a bug: {type(problem).__name__}: {problem}", "bug")
        else:
            self._end(run, TaskState.SUCCEEDED, "", "")

    def _end(self, run: TaskRun, state: TaskState, error: str, kind: str) -> None:
        """Note how the task ended, and let those go on that waited for it."""
        error = self._s.sessions.redactor(error) if error else ""
        run.state, run.error, run.error_kind = state, error, kind
        self._s.events.tell(Event("task", run.address, state, error))
        if state is TaskState.FAILED and self._s.policy.fail_fast and not run.tolerated:
            self._s.stop.no_more()
        self._open -= 1
        for dependent in self._dependents.pop(id(run.planned), ()):
            self._waiting[id(dependent)] -= 1
            if self._waiting[id(dependent)] == 0:
                self._ready(dependent)  # nested as deep as a chain of steps, not of tasks
        if self._open == 0:
            self._idle.set()


class _Lane:
    """Tasks that share a limit, the first in plan order first."""

    __slots__ = ("queue", "running", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.running = 0
        self.queue: list[tuple[int, int, TaskRun]] = []


def _with_hint(problem: CallsheetError) -> str:
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


def failures(runs: Sequence[TaskRun]) -> Iterator[TaskRun]:
    """The tasks that failed, those that only failed because of another one last."""
    bad = [run for run in runs if run.state is TaskState.FAILED]
    yield from (run for run in bad if run.error_kind != "upstream")
    yield from (run for run in bad if run.error_kind == "upstream")
