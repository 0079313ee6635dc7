"""Task states: which of them are the end of a task in a run."""

from __future__ import annotations

from callsheet.core.states import Decision, TaskState


def test_open_states() -> None:
    assert {state.value for state in TaskState if not state.ended} == {"pending", "submitting", "running"}


def test_the_names_are_those_of_the_job_language() -> None:
    assert [state.value for state in TaskState] == [
        "pending", "submitting", "running", "succeeded", "failed", "skipped", "detached", "waiting", "unknown",
        "over_budget", "canceled",
    ]  # fmt: skip
    assert [decision.value for decision in Decision] == [
        "execute", "reuse", "attach", "waiting", "deferred", "skip", "blocked",
    ]  # fmt: skip
