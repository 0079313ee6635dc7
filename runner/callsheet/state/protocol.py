"""What the engine asks of a state, and the values it keeps: the journal of everything that costs.

Two rules carry the promise "never pay twice". A purchase's *intent* is durable before its request leaves, and at most
one live submission per account and purchase key can exist, whatever job, run or process it comes from. Methods marked
*durable* return when the fact has survived a power cut; the others ride along with the next durable one, or go within
a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..core.states import HOLDS_SLOT, LIVE, SubmissionState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from ..core.states import TaskState


#: Re-exported: the ledger's states are pure values, and planning needs them without the rest.
__all__ = [
    "HOLDS_SLOT",
    "LIVE",
    "Account",
    "Artifact",
    "BeginAnswer",
    "Begun",
    "Existing",
    "FileFacts",
    "Finished",
    "Intent",
    "NoSlot",
    "OverBudget",
    "Result",
    "Run",
    "State",
    "Submission",
    "SubmissionState",
    "TaskRow",
    "Worker",
]


@dataclass(frozen=True, slots=True)
class Account:
    """A provider's account. ``fingerprint`` is a hash of the provider's lasting account name, never of a key."""

    fingerprint: str
    provider: str
    name: str


@dataclass(frozen=True, slots=True)
class Worker:
    """This process, as others on the same state see it. ``started`` tells a reused process id apart."""

    worker_id: str
    host: str
    pid: int
    started: float


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be bought. ``pool`` names the account's concurrency pool, empty for none.

    ``inputs`` (as `core.values.to_state` writes them) are what is sent: a replay sends exactly these, whatever the job
    file says by then. ``reserved`` is the upper estimate of the price; None when it is unknown.
    """

    account: str
    key: str
    operation: str
    generation: int
    idempotency_key: str
    tag: str
    body_sha256: str
    inputs: dict[str, Any]
    pool: str
    reserved: Decimal | None
    currency: str
    run_id: str
    job: str
    task: str
    worker_id: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One row of the ledger. Times are seconds since the epoch."""

    account: str
    key: str
    operation: str
    generation: int
    idempotency_key: str
    tag: str
    body_sha256: str
    inputs: dict[str, Any]
    pool: str
    state: SubmissionState
    reserved: Decimal | None
    currency: str
    cost: Decimal | None
    run_id: str
    job: str
    task: str
    worker_id: str
    intent_at: float
    sent_at: float
    sends: int
    handle: dict[str, Any] | None
    submitted_at: float | None
    remote_status: str
    ended_at: float | None
    error_kind: str
    error: str


@dataclass(frozen=True, slots=True)
class Result:
    """What finished work gave. ``outputs`` is JSON as `core.values.to_state` writes it."""

    account: str
    key: str
    operation: str
    outputs: dict[str, Any]
    run_id: str = ""
    job: str = ""
    task: str = ""
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a task wrote, under its final name. ``path`` is absolute."""

    path: str
    sha256: str
    size: int
    mtime_ns: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file on disk was when it was last looked at; ``facts`` holds sha256, mime and the probe's findings."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation of `callsheet run`."""

    run_id: str
    job: str
    file: str
    state: str  # "active" | "succeeded" | "failed" | "partial" | "canceled" | "interrupted"
    started_at: float
    ended_at: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of one run, as `status` and `show` print it."""

    run_id: str
    position: int
    address: str
    step: str
    uses: str
    axes: dict[str, Any]
    state: TaskState
    decision: str
    reason: str = ""
    account: str = ""
    key: str = ""
    error_kind: str = ""
    error: str = ""
    updated_at: float = 0.0


# The answers to `State.begin`, a closed union.


@dataclass(frozen=True, slots=True)
class Begun:
    """The intent is durable and the slot is taken: send the request."""

    submission: Submission


@dataclass(frozen=True, slots=True)
class Finished:
    """Somebody finished the same purchase meanwhile."""

    result: Result


@dataclass(frozen=True, slots=True)
class Existing:
    """The same purchase is live. ``owner_alive``: the process that sent it still works on it."""

    submission: Submission
    owner_alive: bool


@dataclass(frozen=True, slots=True)
class NoSlot:
    """The account's pool is full, or on hold until ``until`` (seconds since the epoch)."""

    until: float | None = None


@dataclass(frozen=True, slots=True)
class OverBudget:
    """The reservation does not fit: ``committed`` is already spent or reserved under this cap."""

    committed: Decimal
    cap: Decimal


BeginAnswer = Begun | Finished | Existing | NoSlot | OverBudget


class State(Protocol):
    """The journal. Reads, and writes that ride along, are plain calls; durable writes are awaited."""

    location: str  # what to show to people: a path or a URL without credentials

    def close(self) -> None:
        """Write what still rides along, then let go of the store."""
        ...

    # -- accounts and workers

    def account_of(self, credential: str) -> Account | None:
        """The account that this credential (a digest) was seen to belong to."""
        ...

    def accounts(self, provider: str) -> list[Account]:
        """All accounts of a provider seen so far."""
        ...

    async def put_account(self, account: Account, credential: str) -> None:
        """Remember that the credential belongs to the account. Durable."""
        ...

    async def put_worker(self, worker: Worker) -> None:
        """Announce this process. Durable."""
        ...

    def beat(self, worker_id: str) -> None:
        """Say that this process is alive; others take over what a silent one held."""
        ...

    async def remove_worker(self, worker_id: str) -> None:
        """This process ends: what it owned may be taken over at once."""
        ...

    # -- runs and tasks, for people

    async def begin_run(self, run: Run, tasks: Iterable[TaskRow]) -> None:
        """Record a run with all its tasks. Durable, in batches; the run's row is written last."""
        ...

    async def end_run(self, run_id: str, state: str, details: dict[str, Any]) -> None:
        """Close a run. Durable."""
        ...

    def set_task(
        self,
        run_id: str,
        address: str,
        state: TaskState,
        *,
        key: str = "",
        account: str = "",
        error_kind: str = "",
        error: str = "",
    ) -> None:
        """Note a task's state; rides along."""
        ...

    def add_event(self, run_id: str, kind: str, data: dict[str, Any]) -> None:
        """Note what happened, for audit; rides along."""
        ...

    def runs(self, job: str | None = None, limit: int = 20) -> list[Run]:
        """The newest runs first."""
        ...

    def tasks(self, run_id: str) -> list[TaskRow]:
        """The tasks of a run in plan order."""
        ...

    # -- results and files

    def results(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Result]:
        """The recorded results among (account, key) pairs; quick for tens of thousands."""
        ...

    async def put_result(self, result: Result, artifacts: Sequence[Artifact] = ()) -> None:
        """Record what free work gave, together with the files it wrote. Durable."""
        ...

    async def forget_result(self, account: str, key: str) -> None:
        """The result is of no use any more: its file is gone. The ledger keeps that it was bought. Durable."""
        ...

    async def claim_file(self, path: str) -> None:
        """Note that callsheet is about to write this file, unless it is known already.

        A process that is killed between renaming the file and recording it must find it to be its own.
        """
        ...

    def artifact(self, path: str) -> Artifact | None:
        """What was last recorded for the file of this name."""
        ...

    def file_facts(self, path: str, size: int, mtime_ns: int, inode: int) -> dict[str, Any] | None:
        """What is known of a file's content, if it has not changed since."""
        ...

    def put_file_facts(self, facts: FileFacts) -> None:
        """Remember what a file holds; rides along."""
        ...

    # -- the ledger of purchases

    def submissions(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Submission]:
        """The newest generation of each (account, key)."""
        ...

    def holding(self, account: str, pool: str) -> list[Submission]:
        """The submissions that hold slots of an account's pool, oldest first."""
        ...

    async def begin(self, intent: Intent, *, slots: int | None, cap: Decimal | None) -> BeginAnswer:
        """Take a slot, reserve the price and record the intent, in one transaction. Durable.

        Checked in this order: a result for the key; a live submission; ``slots`` (None: no limit) over all live
        submissions of the account's pool, and a hold on it; ``cap`` over everything this run has reserved or spent. An
        intent whose generation exists already in a dead state is a programming error: ValueError.
        """
        ...

    async def claim(self, idempotency_key: str, worker_id: str) -> Submission | None:
        """Take over a live submission whose owner is gone; None when somebody else has it. Durable."""
        ...

    async def sent(self, idempotency_key: str) -> None:
        """Count one more sending of the same request. Durable."""
        ...

    async def submitted(self, idempotency_key: str, handle: dict[str, Any]) -> None:
        """Record what finds the remote job again: at once after the answer, whoever owns the row now. Durable."""
        ...

    def progress(self, idempotency_key: str, handle: dict[str, Any], remote_status: str) -> None:
        """Note the provider's word on a running job; rides along."""
        ...

    async def finish(
        self,
        idempotency_key: str,
        state: SubmissionState,
        *,
        result: Result | None = None,
        cost: Decimal | None = None,
        error_kind: str = "",
        error: str = "",
    ) -> None:
        """Close a submission: the slot is free, the reservation becomes ``cost``, the result is recorded. Durable."""
        ...

    # -- pace

    async def reserve_request(self, account: str, per_second: float, turns: int = 1) -> float:
        """Take the account's next turns for requests, one every ``1 / per_second``; gives the seconds until the first.

        Holds over all processes on this state.
        """
        ...

    async def hold(self, account: str, pool: str, until: float) -> None:
        """Nobody takes a slot of the pool before ``until``; an empty pool means: no request at all. Durable."""
        ...
