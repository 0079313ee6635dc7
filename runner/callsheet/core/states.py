"""The states of a task, what a plan decides about it, and what they mean for the exit code."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """Where a task stands (design: the job spec, "Task states and decisions")."""

    PENDING = "pending"  # not begun: waits for its inputs or its turn
    SUBMITTING = "submitting"  # the paid request may be on its way
    RUNNING = "running"  # at work, here or at the provider
    SUCCEEDED = "succeeded"  # done in this run or before it
    FAILED = "failed"  # final; run again tries again
    SKIPPED = "skipped"  # its `if` was false, or what it needs was skipped
    DETACHED = "detached"  # goes on at the provider; run again attaches
    WAITING = "waiting"  # for a person's approval
    UNKNOWN = "unknown"  # a paid request whose fate nobody knows; a person decides
    OVER_BUDGET = "over_budget"  # not bought: it would exceed the budget
    CANCELED = "canceled"  # not begun because the run was stopped

    @property
    def ended(self) -> bool:
        """Whether this run does nothing more about the task."""
        return self not in _OPEN


_OPEN = frozenset({TaskState.PENDING, TaskState.SUBMITTING, TaskState.RUNNING})


class Decision(StrEnum):
    """What a plan decides about a task."""

    EXECUTE = "execute"  # will be done
    REUSE = "reuse"  # was done before with the same key
    ATTACH = "attach"  # is in flight at the provider
    WAITING = "waiting"  # waits for a person
    DEFERRED = "deferred"  # depends on a value that only a run can give
    SKIP = "skip"  # its `if` is false, or what it needs is skipped
    BLOCKED = "blocked"  # cannot go on before a person decides


class SubmissionState(StrEnum):
    """Where one attempt to buy something stands. The rows are never deleted."""

    INTENT = "intent"  # the request may have left; no id yet
    SUBMITTED = "submitted"  # the provider's id is known
    DONE = "done"  # the remote job ended well; the result is recorded
    FAILED = "failed"  # the remote job ended badly
    REJECTED = "rejected"  # the provider refused the request; nothing was bought
    ABSENT = "absent"  # looked for at the provider and decidedly not there
    UNKNOWN = "unknown"  # nobody can tell; a person decides


#: States in which the purchase may exist at the provider and must not be sent again as a new one.
LIVE = (SubmissionState.INTENT, SubmissionState.SUBMITTED, SubmissionState.UNKNOWN)
#: States that hold a concurrency slot of the account.
HOLDS_SLOT = (SubmissionState.INTENT, SubmissionState.SUBMITTED)
