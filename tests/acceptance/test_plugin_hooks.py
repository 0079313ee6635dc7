"""Hooks besides operations: a plugin's own command, and an observer of what happens in a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.specs import COPY

if TYPE_CHECKING:
    from support.command import Desk

PLUGIN = """
import json, pathlib
import click
from callsheet.api import PURE, Operation, hookimpl

class Nothing(Operation):
    name = "watch/nothing"
    inputs = outputs = {"type": "object", "properties": {}, "additionalProperties": False}
    repeat = PURE
    async def run(self, inputs, ctx):
        return {}

@hookimpl
def callsheet_operations():
    return [Nothing()]

@hookimpl
def callsheet_event(event, job):
    with open("events.jsonl", "a") as file:
        file.write(json.dumps([job, event]) + "\\n")
    raise RuntimeError("an observer that breaks stops nothing")

@hookimpl
def callsheet_commands(group):
    @group.command("greet")
    def greet():
        click.echo("hello from a plugin")
"""
JOB = COPY + "  - {id: idle, uses: watch/nothing}\n"


def test_a_command_and_an_observer(bare: Desk) -> None:
    bare.write("site/callsheet_watch.py", PLUGIN)
    bare.write(
        "site/callsheet_watch-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: callsheet-watch\nVersion: 1.0\n"
    )
    bare.write("site/callsheet_watch-1.0.dist-info/entry_points.txt", "[callsheet]\nwatch = callsheet_watch\n")
    bare.env["PYTHONPATH"] = str(bare.folder / "site")
    assert bare("greet").out == "hello from a plugin\n"
    assert bare("greet-nobody").code == 2
    bare.write("job.yaml", JOB)
    ran = bare("run", "job.yaml")
    assert ran.code == 0, ran
    told = [json.loads(line) for line in (bare.folder / "events.jsonl").read_text().splitlines()]
    assert {job for job, _ in told} == {"copying"}
    assert [event["type"] for _, event in told][-1] == "run-ended"
    assert ("idle", "succeeded") in {(event.get("task"), event.get("state")) for _, event in told}
