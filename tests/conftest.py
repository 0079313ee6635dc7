"""What holds for all tests: no key of a real account is in reach, and in CI nothing is skipped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_configure() -> None:
    """Forget the settings of whoever runs the tests. With them, a mistake in a test could cost money."""
    for name in list(os.environ):
        if name.startswith(("CALLSHEET_", "HEYGEN_")):
            del os.environ[name]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See `refuse_skip`."""
    return refuse_skip((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See `refuse_skip`."""
    return refuse_skip((yield))


def refuse_skip(report: Report) -> Report:
    """In CI a skipped test is a failed one, because CI's machine is meant to have everything; it keeps its reason.

    A test that is expected to fail counts as skipped too, and is left alone.
    """
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"not allowed in CI: {reason}"
    return report
