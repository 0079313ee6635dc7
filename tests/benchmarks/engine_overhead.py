"""The engine's own cost for tasks that do nothing: a fan-out of 2,000, the journal on disk included.

The floor is a hand-written durable loop: asyncio tasks, each noting its start and its result in SQLite with
`synchronous=FULL`, a hundred per commit. Goal: at most 0.5 ms of CPU per task, planning included.

    python tests/benchmarks/engine_overhead.py [tasks]
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from callsheet.api import PURE, Context, Operation, hookimpl
from callsheet.cli.common import Workspace
from callsheet.engine.events import Events
from callsheet.engine.run import Engine
from callsheet.engine.services import Policy
from callsheet.expressions import Expressions
from callsheet.project import Project
from callsheet.registry import Registry
from callsheet.spec.load import given_inputs
from callsheet.state import open_state, this_worker

JOB = """\
version: 1
name: fan-out
foreach:
  n: ${{ range(%d) | list }}
steps:
  - id: nothing
    uses: acme/nothing
    with: {number: "${{ n }}"}
"""


class Nothing(Operation):
    """Does nothing, and is done at once."""

    name = "acme/nothing"
    inputs = {
        "type": "object",
        "required": ["number"],
        "properties": {"number": {"type": "integer"}},
        "additionalProperties": False,
    }
    outputs = {"type": "object", "properties": {"number": {"type": "integer"}}}
    repeat = PURE

    async def run(self, inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
        """Give back what came in."""
        return {"number": inputs["number"]}


class Acme:
    """A plugin with one operation."""

    @hookimpl
    def callsheet_operations(self) -> list[Operation]:
        """See `callsheet.hooks`."""
        return [Nothing()]


def ours(folder: Path, tasks: int) -> float:
    """CPU seconds to plan and run the job on a fresh state."""
    job = folder / "job.yaml"
    job.write_text(JOB % tasks)
    registry = Registry({"acme": Acme()})
    begun = time.process_time()
    space = Workspace(Project(folder), registry, Expressions(), given_inputs((), None), ())
    space.state = open_state(str(folder / "state.db"), folder / "state.db")
    problems = space.problems()
    sessions = space.sessions()
    planned = space.plan(str(job), sessions, problems)
    problems.stop_if_failed()
    assert planned is not None
    engine = Engine(
        registry, space.expressions, space.state, sessions, planned[1], this_worker(), folder / "media", Events()
    )
    report = asyncio.run(engine.execute(planned[0], Policy()))
    space.state.close()
    assert report.exit_code == 0
    assert len(report.tasks) == tasks
    return time.process_time() - begun


def floor(folder: Path, tasks: int) -> float:
    """CPU seconds of the hand-written loop."""
    begun = time.process_time()
    with sqlite3.connect(folder / "floor.db", isolation_level=None) as db:
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.execute("create table task (id integer primary key, state text, result text)")

        async def one(number: int) -> None:
            db.execute("insert into task values (?, 'running', null)", (number,))
            db.execute("update task set state = 'done', result = ? where id = ?", (str(number), number))

        async def everything() -> None:
            for first in range(0, tasks, 100):
                db.execute("begin immediate")
                await asyncio.gather(*(one(number) for number in range(first, min(first + 100, tasks))))
                db.execute("commit")

        asyncio.run(everything())
    db.close()
    return time.process_time() - begun


def main() -> None:
    """Measure both and print the figures."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    mine, bare = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            mine.append(ours(Path(folder), tasks))
            bare.append(floor(Path(folder), tasks))
    each, least = sorted(mine)[1] / tasks * 1000, sorted(bare)[1] / tasks * 1000
    verdict = "ok" if each <= 0.5 else "MISSED"
    print(f"engine: {each:.3f} ms CPU per task against {least:.3f} ms = {each / least:.1f} × (goal 0.5 ms) {verdict}")


if __name__ == "__main__":
    main()
