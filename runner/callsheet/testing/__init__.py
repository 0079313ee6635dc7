"""For tests of plugins: the conformance suite of operations, and everything that stands in for a real run.

`check_operation` is all that most plugins need. `run_job` and `plan_job` run a whole job in this process with an
in-memory state; `FakeClock`, `FakeContext` and `ScriptedClient` are for tests that look closer. Nothing here opens a
connection, unless a test gives a base URL.
"""

from __future__ import annotations

from .client import Request, ScriptedClient, json_reply
from .clock import FakeClock
from .conformance import check_operation
from .context import FakeContext
from .jobs import plan_job, run_job

__all__ = [
    "FakeClock",
    "FakeContext",
    "Request",
    "ScriptedClient",
    "check_operation",
    "json_reply",
    "plan_job",
    "run_job",
]
