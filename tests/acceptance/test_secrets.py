"""Secrets are in no output: canaries are planted wherever one could be, and everything that is written is searched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from acceptance.conftest import PROJECT, serving
from support.command import until
from support.specs import LIPSYNC, SPEECH, TRANSLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acceptance.conftest import Sandbox
    from support.command import Desk, Ran
    from support.proxy import Proxy

KEY = "sk-canary-5e6f70a1b2c3"
#: What gives access to a result: the signature of a presigned URL, by the names that the sandbox and S3 use.
SIGNATURES = re.compile(r"(?i)(X-Amz-Signature|signature|sig|token|expires)=")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose key is a canary."""
    with serving(tmp_path / "server", api_key=KEY) as served:
        served.env["HEYGEN_API_KEY"] = KEY
        yield served


def search(desk: Desk, said: list[Ran], canaries: set[str]) -> None:
    """That no canary is in what was said, or in any file of the folder but those that held it from the start."""
    places = {f"output {number}": ran.text.encode() for number, ran in enumerate(said)}
    places |= {name: (desk.folder / name).read_bytes() for name in desk.files("**/*") | desk.files("**/.*")}
    assert ".callsheet/state.db" in places
    for canary in canaries:
        found = [name for name, content in places.items() if canary.encode() in content]
        assert found == [], f"{canary} is in {found}"


def presigned(proxy: Proxy) -> set[str]:
    """The values in the queries of all URLs that were fetched."""
    queries = [seen.path.partition("?")[2] for seen in proxy.seen if "?" in seen.path]
    return {part.partition("=")[2] for query in queries for part in query.split("&") if len(part) > 16}


@pytest.mark.parametrize("job", [LIPSYNC, SPEECH, TRANSLATE], ids=["lipsync", "speech", "translate"])
def test_a_run(behind: Desk, sandbox: Sandbox, proxy: Proxy, job: str) -> None:
    """Everything that is said and kept while it runs (the log of the state too), after it, and by other commands."""
    behind.write("job.yaml", job)
    name = job.partition("name: ")[2].split()[0]
    said = [behind("-vv", "plan", "job.yaml"), behind("plan", "job.yaml", "--json")]
    proxy.slow.append(("GET", "/media/results/"))
    with behind.background("-vv", "run", "job.yaml", "--json") as process:
        until(lambda: proxy.spoilt)
        search(behind, [], {KEY})
        assert ".callsheet/state.db-wal" in behind.files("**/*")
        proxy.go_on.set()
        said.append(process.end())
    assert said[-1].code == 0, said[-1]
    assert "DEBUG" in said[-1].err, "it said all it can say"
    said += [behind("-vv", "run", "job.yaml"), behind("show", name), behind("show", name, "--json")]
    said += [behind("status", name), behind("status", name, "--json"), behind("status"), behind("doctor")]
    said += [behind("plan", "job.yaml", "--json"), behind("plugins")]
    assert [ran.code for ran in said] == [0] * len(said), [ran for ran in said if ran.code]
    secrets = presigned(proxy)
    assert secrets, "a presigned URL was fetched"
    search(behind, said, {KEY} | secrets)


def test_failures(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    """Lost answers, refused downloads and refused keys are told without what was asked with."""
    behind.write("job.yaml", LIPSYNC)
    proxy.lose += [("GET", "/v3/lipsyncs/"), ("GET", "/media/results/")]
    said = [behind("-vv", "run", "job.yaml")]
    assert said[0].code == 0, said[0]
    assert "next attempt" in said[0].err
    (behind.folder / "out/final.mp4").unlink()
    proxy.refuse += [("GET", "/media/results/")] * 9
    behind.write("job.yaml", LIPSYNC.replace("final.mp4}", "final.mp4}\n    retry: {attempts: 1}"))
    said += [behind("-vv", "run", "job.yaml", "--json"), behind("status", "dubbing"), behind("show", "dubbing")]
    assert said[1].code == 1, said[1]
    said += [behind("-vv", "run", "job.yaml", env={"HEYGEN_API_KEY": KEY + "x"})]
    assert said[-1].code == 3
    search(behind, said, {KEY} | presigned(proxy))


def test_a_url_of_the_job_with_a_signature(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    """A signed URL that a job names is sent to the provider, but is not shown."""
    address = "https://media.example/clip.mp4?X-Amz-Signature=canary0123456789&X-Amz-Credential=canary9876543210"
    job = "version: 1\nname: signed\ninputs:\n  film: {type: video, required: true}\nsteps:\n"
    job += '  - {id: dub, uses: translate, with: {video: "${{ inputs.film }}", language: es-ES}}\n'
    behind.write("job.yaml", job)
    wish = ("-i", f"film={address}")
    said = [behind("-vv", "plan", "job.yaml", *wish), behind("plan", "job.yaml", "--json", *wish)]
    said += [behind("-vv", "run", "job.yaml", "--yes", *wish), behind("status", "signed"), behind("show", "signed")]
    assert [ran.code for ran in said[:2]] == [0, 0], said
    sent = proxy.of("POST", "/v3/video-translations")
    assert address.encode() in sent[0].body
    for ran in said:
        assert "canary" not in ran.text, ran


def test_a_crash_report(behind: Desk, sandbox: Sandbox, proxy: Proxy, tmp_path: Path) -> None:
    """A plugin that breaks with the key in hand: the report names the bug, not the key."""
    behind.write("broken/broken.py", BROKEN)
    behind.write("broken/broken-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    behind.write("broken/broken-1.dist-info/entry_points.txt", "[callsheet]\nbroken = broken\n")
    behind.write("callsheet.toml", PROJECT)
    step = '  - {id: crash, uses: broken/crash, with: {secret: "${{ steps.dub.outputs.duration }}"}}\n'
    behind.write("job.yaml", LIPSYNC + step)
    reports = tmp_path / "reports"
    reports.mkdir()
    env = {"PYTHONPATH": str(behind.folder / "broken"), "TMPDIR": str(reports)}
    ran = behind("run", "job.yaml", env=dict(env))
    assert ran.code == 70, ran
    (report,) = reports.glob("callsheet-crash-*.txt")
    assert str(report) in ran.err
    assert "error: a bug in callsheet or a plugin: RuntimeError: cannot use " in ran.err
    text = report.read_text()
    assert "Traceback" in text
    assert "in run" in text
    assert "canary" not in text

    search(behind, [ran], {KEY})
    assert (behind.folder / "out/final.mp4").is_file(), "the rest was done"
    again = behind("run", "job.yaml", env=dict(env))
    assert again.code == 70
    assert sandbox.bought == {"lipsyncs": 1}


BROKEN = """\
import os
from callsheet.api import PURE, Operation, hookimpl


class Crash(Operation):
    name = "broken/crash"
    summary = "Breaks."
    repeat = PURE
    inputs = {"type": "object", "properties": {"secret": {}}, "additionalProperties": False}
    outputs = {"type": "object", "properties": {}}

    async def run(self, inputs, ctx):
        key = os.environ["HEYGEN_API_KEY"]
        token = "https://media.example/x?X-Amz-Signature=canary"
        raise RuntimeError(f"cannot use {key} at {token}")


@hookimpl
def callsheet_operations():
    return [Crash()]
"""
