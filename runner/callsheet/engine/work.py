"""The life of one task: wait for nothing, render with real values, reuse or do the work, check what came out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.fingerprint import idempotency_key, purchase_key, tag
from ..core.operation import Operation, RemoteOperation
from ..core.states import Decision, TaskState
from ..core.values import Deferred, Media, from_state, is_known, known_part, to_state
from ..errors import InvalidInput, OperationError
from ..expressions import ExpressionError, UpstreamSkipped
from ..plan.inputs import InvalidTask, local_media
from ..plan.names import StepsView
from ..state.protocol import Artifact, Result, SubmissionState
from .context import TaskContext
from .order import Order
from .outcome import TaskEnd
from .purchase import Purchase
from .retrying import Patience, repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.operation import BaseOperation, Outputs
    from ..plan.model import PlannedTask
    from ..plan.names import Steps
    from .outcome import TaskRun
    from .services import Services

_ENDED_BADLY = frozenset({SubmissionState.FAILED, SubmissionState.REJECTED, SubmissionState.ABSENT})


class Work:
    """Does tasks. ``steps`` and ``found`` give other tasks of the run; ``names`` is what every expression sees."""

    def __init__(
        self, services: Services, steps: Steps, names: Mapping[str, Any], found: Callable[[PlannedTask], TaskRun]
    ) -> None:
        self._s = services
        self._steps = steps
        self._found = found
        self._names = names

    async def do(self, run: TaskRun, uploads: Mapping[str, TaskRun]) -> Outputs:
        """The task's outputs. Raises TaskEnd, or OperationError when it failed."""
        planned = run.planned
        if planned.decision is Decision.REUSE and planned.recorded is not None:
            self._ensure(run, self._rendered(run), planned.recorded)
            return planned.recorded
        inputs = self._file(run) if planned.inputs is not None else self._rendered(run)
        inputs = await self._uploaded(run, inputs, uploads)
        if not is_known(inputs):
            raise TaskEnd(
                TaskState.FAILED, "an input is still unknown although all it needs has ended", "invalid_input"
            )
        if planned.inputs is None:
            self._check(run, inputs)
        outputs = await self._outputs(run, planned.operation, inputs)
        self._ensure(run, inputs, outputs)
        return outputs

    # -- inputs

    def _task_names(self, run: TaskRun) -> dict[str, Any]:
        names = dict(self._names)
        combination = run.planned.combination
        for axis, item in combination.items.items():
            names[axis] = item.value
        names["steps"] = StepsView(self._steps, combination.items)
        return names

    def _file(self, run: TaskRun) -> dict[str, Any]:
        """The input of an upload that the runner added: a file of the job, or one that another task has made."""
        planned = run.planned
        if planned.source is None:
            return planned.inputs or {}
        task, output = planned.source
        return {"file": self._found(task).outputs[output]}

    def _rendered(self, run: TaskRun) -> dict[str, Any]:
        planned = run.planned
        try:
            rendered = self._s.inputs.render(planned.step, self._task_names(run), planned.combination)
        except InvalidTask as invalid:
            raise _as_error(invalid) from None
        if rendered.skipped:
            raise TaskEnd(TaskState.SKIPPED, f"upstream skipped: {rendered.skipped}")
        if rendered.condition is False:
            raise TaskEnd(TaskState.SKIPPED, "its `if` is false")
        return rendered.inputs

    def _check(self, run: TaskRun, inputs: dict[str, Any]) -> None:
        planned = run.planned
        try:
            self._s.inputs.check(planned.step, inputs, planned.combination)
            self._s.inputs.require(planned.step, self._task_names(run), inputs, planned.combination)
        except InvalidTask as invalid:
            raise _as_error(invalid) from None

    async def _uploaded(self, run: TaskRun, inputs: dict[str, Any], uploads: Mapping[str, TaskRun]) -> dict[str, Any]:
        """Local files replaced by assets where the provider takes nothing else."""
        changed = dict(inputs)
        for name, media in local_media(inputs, frozenset(run.planned.operation.uploads)).items():
            if name in uploads:
                asset = uploads[name].outputs.get("asset")
            else:
                asset = await self._upload(run, media)
            if isinstance(asset, Media):
                changed[name] = replace(asset, kind=media.kind)
        return changed

    async def _upload(self, run: TaskRun, media: Media) -> Any:
        """Upload a file that no planned task uploads: one that came up during the run."""
        operation = self._s.registry.plugin(run.planned.prefix).operations.get("upload")
        if operation is None:
            return None
        outputs = await self._local(run, operation, {"file": media})
        return outputs.get("asset")

    # -- the work

    async def _outputs(self, run: TaskRun, operation: BaseOperation, inputs: dict[str, Any]) -> Outputs:
        if isinstance(operation, Operation):
            return await self._local(run, operation, inputs)
        assert isinstance(operation, RemoteOperation)
        session = await self._s.sessions.session(run.planned.prefix)
        key = purchase_key(operation.identity, operation.version, session.account, inputs, operation.cosmetic)
        run.key = key
        estimate = operation.estimate(known_part(inputs))
        price = estimate.high if estimate is not None else None
        self._check_price(run, price)
        if run.planned.recorded is not None and not operation.lasting and run.planned.key == key:
            # Bought before, but the file it gave is gone and cannot be read again: the plan said so, with the price.
            await self._s.state.forget_result(session.account, key)
        generation = self._generation(session.account, key)
        currency = estimate.currency if estimate is not None else "USD"
        free = run.planned.prefix in self._s.policy.free
        order = Order(run, operation, session, inputs, key, generation, price, currency, free)
        return await Purchase(self._s, order).complete()

    def _check_price(self, run: TaskRun, price: Decimal | None) -> None:
        limit = self._s.policy.per_task
        if limit is not None and price is not None and price > limit and run.planned.prefix not in self._s.policy.free:
            raise TaskEnd(
                TaskState.OVER_BUDGET,
                f"it would cost up to {price}, more than budget.per_task ({limit})",
                "over_budget",
            )

    def _generation(self, account: str, key: str) -> int:
        """The attempt to buy it: one more after each that ended badly in an earlier run. Never twice in one run."""
        last = self._s.state.submissions([(account, key)]).get((account, key))
        if last is None:
            return 1
        if last.state is SubmissionState.DONE and not self._s.state.results([(account, key)]):
            return last.generation + 1
        if last.state not in _ENDED_BADLY:
            return last.generation
        if last.run_id == self._s.run_id:
            raise TaskEnd(
                TaskState.FAILED, last.error or "the same purchase failed before in this run", last.error_kind
            )
        return last.generation + 1

    async def _local(self, run: TaskRun, operation: BaseOperation, inputs: dict[str, Any]) -> Outputs:
        """Free work: reused when its result is recorded and its files are still there, else done."""
        assert isinstance(operation, Operation)
        prefix = operation.name.partition("/")[0]
        has_provider = self._s.registry.plugin(prefix).provider is not None
        session = await self._s.sessions.session(prefix) if has_provider else None
        account = session.account if session is not None else ""
        key = purchase_key(operation.identity, operation.version, account, inputs, operation.cosmetic)
        run.key = run.key or key
        async with self._s.locks[account, key], self._s.alone.hold(key, self._s.stop, self._s.clock):
            recorded = self._s.state.results([(account, key)]).get((account, key))
            if recorded is not None:
                outputs: Outputs = from_state(recorded.outputs)
                if self._s.targets.changed(outputs, state=self._s.state) is None:
                    return outputs
            return await self._run(
                run,
                operation,
                inputs,
                TaskContext(
                    self._s,
                    run.address,
                    session,
                    sent := idempotency_key(account, operation.identity, key, 1),
                    tag(sent),
                ),
                account,
                key,
            )

    async def _run(
        self, run: TaskRun, operation: Operation, inputs: dict[str, Any], context: TaskContext, account: str, key: str
    ) -> Outputs:
        step = run.planned.step
        timeout = step.timeout if step.timeout is not None else operation.timeout
        run.state = TaskState.RUNNING
        patience = Patience(self._s, run.address, step.retry, timeout)
        outputs = await self._s.stop.or_leave(repeat(lambda: operation.run(inputs, context), patience))
        if outputs is None:
            raise TaskEnd(TaskState.CANCELED, "the run was stopped", "stopped")
        result = Result(account, key, operation.identity, to_state(outputs), self._s.run_id, self._s.job, run.address)
        await self._s.state.put_result(result, _artifacts(outputs, key))
        run.cost = Decimal(0)
        return outputs

    # -- afterwards

    def _ensure(self, run: TaskRun, inputs: dict[str, Any], outputs: Outputs) -> None:
        if not run.planned.step.ensure:
            return
        names = {**self._task_names(run), "with": inputs, "outputs": outputs}
        for located in run.planned.step.ensure:
            try:
                holds = located.template.render(names)
            except (ExpressionError, UpstreamSkipped) as problem:
                run.outputs = outputs
                raise EnsureFailed(f"{located.place}: {problem}") from None
            if isinstance(holds, Deferred) or not holds:
                run.outputs = outputs
                raise EnsureFailed(f"{located.place}: `{located.template.text}` does not hold")


class EnsureFailed(OperationError):
    """The outputs are not as the step wants them; file and record are kept."""

    kind = "ensure"


def _as_error(invalid: InvalidTask) -> InvalidInput:
    """What the checks that `validate` shares found wrong with the real values."""
    first = invalid.diagnostics[0]
    return InvalidInput(f"{first.place}: {first.message}", hint=first.hint)


def _artifacts(outputs: Outputs, key: str) -> list[Artifact]:
    """The files that the outputs name, as they lie on disk now."""
    found = []
    for value in outputs.values():
        if isinstance(value, Media) and value.path is not None and value.sha256 is not None:
            status = Path(value.path).stat()
            found.append(Artifact(value.path, value.sha256, status.st_size, status.st_mtime_ns, key))
    return found
