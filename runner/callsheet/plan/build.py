"""Building a plan: each task is rendered, checked, looked up in the state, decided and priced. Nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..core.fingerprint import purchase_key
from ..core.model import Step, Tree
from ..core.money import Cost
from ..core.states import LIVE, Decision, SubmissionState
from ..core.values import Deferred, Media, from_state, is_known, known_part
from ..spec.axes import Combination
from .inputs import InvalidTask, TaskInputs, local_media
from .model import AUTO_UPLOAD, Plan, PlannedTask
from .names import StepsView, address
from .price import estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..core.operation import BaseOperation
    from ..registry import Registry
    from ..spec.load import BoundJob
    from ..spec.problems import Problems
    from ..state.protocol import Result, State, Submission
    from .names import Upstream
    from .targets import Targets

_CHUNK = 1000  # tasks that are looked up in the state together


@dataclass(frozen=True, slots=True)
class Facts:
    """What planning may ask about the world. ``accounts`` maps a provider to the account it would use, when known."""

    state: State | None
    accounts: Mapping[str, str]
    targets: Targets
    priced: bool = True  # `validate` does not ask for prices


@dataclass(slots=True)
class _Draft:
    """A task before its decision."""

    task: PlannedTask
    inputs: dict[str, Any] = field(default_factory=dict)
    settled: bool = False


class Planner:
    """Plans one bound job."""

    def __init__(self, bound: BoundJob, registry: Registry, facts: Facts, problems: Problems) -> None:
        self._bound = bound
        self._registry = registry
        self._facts = facts
        self._problems = problems
        self._inputs = TaskInputs(registry, bound, problems)
        self._tasks: list[PlannedTask] = []
        self._by_key: dict[str, dict[tuple[str, ...], PlannedTask]] = {}
        self._uploads: dict[tuple[str, str], PlannedTask] = {}
        self._buying: dict[tuple[str, str], PlannedTask] = {}
        self._shared: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], list[PlannedTask]]] = {}

    def build(self) -> Plan:
        """The plan. Problems are collected; with an error among them it is no plan to run."""
        for step in self._bound.job.steps.values():
            self._by_key[step.id] = {}
            if step.operation is not None:
                for chunk in _chunks(self._bound.axes.combinations(step.axes), _CHUNK):
                    self._plan(step, step.operation, chunk)
        return Plan(self._bound, self._tasks)

    # -- what expressions see

    def step(self, name: str) -> Step:
        """See `plan.names.Steps`."""
        return self._bound.job.steps[name]

    def task(self, step: str, keys: tuple[str, ...]) -> Upstream:
        """See `plan.names.Steps`."""
        found = self._by_key.get(step, {}).get(keys)
        if found is None:
            raise _LeftOut
        return _Seen(found)

    def tasks(self, step: str) -> Sequence[Upstream]:
        """See `plan.names.Steps`."""
        return [_Seen(task) for task in self._by_key.get(step, {}).values()]

    # -- one step

    def _plan(self, step: Step, operation: BaseOperation, combinations: Iterable[Combination]) -> None:
        drafts = []
        for combination in combinations:
            try:
                drafts.append(self._draft(step, operation, combination))
            except _LeftOut:
                continue
        self._decide(drafts)
        for draft in drafts:
            self._by_key[step.id][draft.task.combination.keys] = draft.task

    def _draft(self, step: Step, operation: BaseOperation, combination: Combination) -> _Draft:
        axes = {axis: item.key for axis, item in combination.items.items()}
        task = PlannedTask(
            len(self._tasks),
            address(step.id, axes),
            step,
            operation,
            step.provider or "",
            combination,
            Decision.EXECUTE,
            "not done yet",
        )
        task.needs = tuple(self._needed(step, combination))
        try:
            return self._checked(task, step, combination)
        except InvalidTask:
            # It was reported. The task stays, unidentified, so that those that read it are checked in the same pass.
            return _Draft(task, settled=True)

    def _checked(self, task: PlannedTask, step: Step, combination: Combination) -> _Draft:
        names = self._names(combination)
        rendered = self._inputs.render(step, names, combination)
        if rendered.condition is False or rendered.skipped:
            task.decision = Decision.SKIP
            task.reason = f"upstream skipped: {rendered.skipped}" if rendered.skipped else "its `if` is false"
            task.cost = Cost.free()
            return _Draft(task, settled=True)
        self._inputs.check(step, rendered.inputs, combination)
        self._inputs.require(step, names, rendered.inputs, combination)
        self._check_targets(task, rendered.inputs)
        self._add_uploads(task, rendered.inputs)
        self._identify(task, rendered.inputs)
        if rendered.condition is None:
            task.decision, task.reason = Decision.DEFERRED, "its `if` waits for a value of the run"
        blocked = next((t for t in task.needs if t.decision is Decision.BLOCKED), None)
        if blocked is not None:
            task.decision, task.reason, task.cost = Decision.BLOCKED, f"waits for {blocked.address}", Cost.free()
        return _Draft(task, rendered.inputs, settled=blocked is not None)

    def _names(self, combination: Combination) -> dict[str, Any]:
        names = dict(self._bound.names)
        for axis, item in combination.items.items():
            names[axis] = item.value
        names["steps"] = StepsView(self, combination.items)
        return names

    def _needed(self, step: Step, combination: Combination) -> Iterator[PlannedTask]:
        """The tasks that must end before this one: those it reads, and those it only waits for."""
        for name in step.reads:
            upstream = self._bound.job.steps[name]
            keys = tuple(combination.items[axis].key for axis in upstream.axes)
            if keys not in self._by_key[name]:
                raise _LeftOut
            yield self._by_key[name][keys]
        for name in step.reads_all:
            yield from self._by_key[name].values()
        for name in step.needs:
            shared = tuple(axis for axis in self._bound.job.steps[name].axes if axis in combination.items)
            keys = tuple(combination.items[axis].key for axis in shared)
            yield from self._matching(name, shared).get(keys, ())

    def _matching(self, step: str, axes: tuple[str, ...]) -> Mapping[tuple[str, ...], list[PlannedTask]]:
        """The tasks of a step by their keys on some of its axes; the step is planned already."""
        if (step, axes) not in self._shared:
            index = self._shared[step, axes] = {}
            for task in self._by_key[step].values():
                index.setdefault(tuple(task.combination.items[axis].key for axis in axes), []).append(task)
        return self._shared[step, axes]

    # -- parts of a draft

    def _check_targets(self, task: PlannedTask, inputs: Mapping[str, Any]) -> None:
        for name in sorted(task.operation.writes):
            target = inputs.get(name)
            if isinstance(target, str):
                problem = self._facts.targets.claim(target, task.address)
                if problem is not None:
                    place = task.step.inputs.at((name,)).place
                    self._inputs.report(place, *problem, task.combination)
                    raise InvalidTask
                self._warn_of_stranger(task, name, target, inputs)

    def _warn_of_stranger(self, task: PlannedTask, name: str, target: str, inputs: Mapping[str, Any]) -> None:
        """A file of somebody else's at a target: better known before its content is paid for than after."""
        state = self._facts.state
        path = self._facts.targets.path(target)
        if state is None or path is None or inputs.get("overwrite") is True or not path.exists():
            return
        if state.artifact(str(path)) is None:
            message = f'"{target}" is there already and was not written by callsheet: {task.address} will be refused'
            hint = 'move it away, or set "overwrite: true"'
            self._problems.warning(task.step.inputs.at((name,)).place, "target-exists", message, hint)

    def _add_uploads(self, task: PlannedTask, inputs: dict[str, Any]) -> None:
        """Local files that the provider takes only as assets get a task of their own, once per content."""
        for name, media in local_media(inputs, frozenset(task.operation.uploads)).items():
            upload = self._upload(task, media)
            if upload is not None:
                task.uploads[name] = upload
                task.needs = (*task.needs, upload)

    def _upload(self, task: PlannedTask, media: Media) -> PlannedTask | None:
        content = media.sha256 or media.path or ""
        known = self._uploads.get((task.prefix, content))
        if known is not None:
            return known
        operation = self._registry.plugin(task.prefix).operations.get("upload")
        if operation is None:
            return None
        step = _upload_step(task.prefix, operation, task.step)
        maker = _maker(task, media)
        shown = f"{maker[0].address}.{maker[1]}" if maker else self._facts.targets.shown(media.path or "")
        upload = PlannedTask(
            len(self._tasks), f"{AUTO_UPLOAD}[{shown}]", step, operation, task.prefix, Combination({}),
            Decision.EXECUTE, f"{task.address} needs it at the provider", inputs={"file": media},
        )  # fmt: skip
        if is_known(media):
            self._check_upload(upload, task, media)
        else:
            upload.source = maker
            upload.needs = (maker[0],) if maker else task.needs
        self._identify(upload, upload.inputs or {})
        self._uploads[task.prefix, content] = upload
        self._decide([_Draft(upload, upload.inputs or {})])
        return upload

    def _check_upload(self, upload: PlannedTask, task: PlannedTask, media: Media) -> None:
        for problem in upload.operation.problems({"file": media}):
            self._inputs.report(task.step.place, problem.code, problem.message, problem.hint, task.combination)
            raise InvalidTask

    def _identify(self, task: PlannedTask, inputs: dict[str, Any]) -> None:
        operation = task.operation
        task.predicted = operation.predict(known_part(inputs))
        if self._facts.state is None:
            return  # `validate` looks nothing up
        task.account = self._facts.accounts.get(task.prefix, "")
        try:
            task.key = purchase_key(operation.identity, operation.version, task.account, inputs, operation.cosmetic)
        except (ValueError, TypeError):
            task.key = ""  # something in it is known only when the run gets there

    # -- decisions

    def _decide(self, drafts: Sequence[_Draft]) -> None:
        pairs = [(d.task.account, d.task.key) for d in drafts if d.task.key and not d.settled]
        state = self._facts.state
        results = state.results(pairs) if state is not None and pairs else {}
        submissions = state.submissions(pairs) if state is not None and pairs else {}
        for draft in drafts:
            pair = (draft.task.account, draft.task.key)
            if not draft.settled:
                self._decide_one(draft, results.get(pair), submissions.get(pair))
            draft.task.index = len(self._tasks)
            self._tasks.append(draft.task)

    def _decide_one(self, draft: _Draft, result: Result | None, submission: Submission | None) -> None:
        task = draft.task
        pair = (task.account, task.key)
        if result is not None:
            task.recorded = from_state(result.outputs)
            changed = self._facts.targets.changed(task.recorded, state=self._facts.state)
            if changed is None:
                task.decision, task.reason, task.cost = Decision.REUSE, "done before", Cost.free()
                return
            task.reason = changed
        elif submission is not None and submission.state in LIVE:
            self._decide_live(task, submission)
            return
        elif task.key and task.is_remote and pair in self._buying:
            first = self._buying[pair]
            task.decision, task.reason, task.cost = Decision.REUSE, f"same purchase as {first.address}", Cost.free()
            task.needs = (*task.needs, first)
            return
        elif submission is not None:
            task.generation = submission.generation + 1
            task.reason = f"failed before: {submission.error}" if submission.error else "failed before"
        if task.decision is Decision.EXECUTE and task.key:
            self._buying.setdefault(pair, task)
        task.cost = estimate(task.operation, draft.inputs) if self._facts.priced else None

    def _decide_live(self, task: PlannedTask, submission: Submission) -> None:
        task.generation = submission.generation
        task.cost = Cost.free()
        if submission.state is SubmissionState.UNKNOWN:
            task.decision = Decision.BLOCKED
            task.reason = "a paid request may have been accepted, and its answer was lost: a person must decide"
        elif submission.state is SubmissionState.SUBMITTED:
            task.decision, task.reason = Decision.ATTACH, "in flight at the provider"
        else:
            task.decision, task.reason = (
                Decision.ATTACH,
                "its request left and the answer is not known: it is asked again",
            )


class _LeftOut(Exception):
    """The task reads one that has problems."""


class _Seen:
    """A planned task as expressions see it."""

    __slots__ = ("_task",)

    def __init__(self, task: PlannedTask) -> None:
        self._task = task

    @property
    def address(self) -> str:
        return self._task.address

    @property
    def axes(self) -> Mapping[str, str]:
        return self._task.axes

    @property
    def status(self) -> str | None:
        known = {Decision.SKIP: "skipped", Decision.REUSE: "succeeded"}
        return known.get(self._task.decision) if self._task.decision is Decision.SKIP or self._task.recorded else None

    @property
    def error(self) -> str:
        return ""

    @property
    def outputs(self) -> Any:
        return self._task.recorded if self._task.recorded is not None else _Outputs(self._task)


class _Outputs(Deferred):
    """Outputs that do not exist yet, made up one by one as they are read; all together they have to wait."""

    callsheet_names = True
    __slots__ = ("_task",)

    def __init__(self, task: PlannedTask) -> None:
        super().__init__(f"the outputs of {task.address}")
        self._task = task

    def __getitem__(self, name: str) -> Any:  # type: ignore[override] # the base class refuses every use
        schema = self._task.operation.outputs.get("properties", {}).get(name)
        return Deferred(f"{self._task.address}.{name}") if schema is None else self._task.placeholder(name, schema)


def _maker(task: PlannedTask, media: Media) -> tuple[PlannedTask, str] | None:
    """The task that will make the media, and the name of that output."""
    made = ((need, name, value) for need in task.needs for name, value in need.outputs.items())
    return next(((need, name) for need, name, value in made if isinstance(value, Media) and value == media), None)


def _upload_step(prefix: str, operation: BaseOperation, user: Step) -> Step:
    """The step that uploads added by the runner belong to: it stands where the step that needs them stands."""
    return Step(
        id=AUTO_UPLOAD,
        uses=operation.name,
        place=user.place,
        uses_place=user.uses_place,
        operation=operation,
        provider=prefix,
        inputs=Tree((), user.place, {}),
        condition=None,
        needs=(),
        needs_places=(),
        per=None,
        per_place=user.place,
        require=(),
        ensure=(),
        retry=user.retry,
        timeout=None,
        continue_on=False,
    )


def _chunks(combinations: Iterator[Combination], size: int) -> Iterator[list[Combination]]:
    while chunk := list(islice(combinations, size)):
        yield chunk
