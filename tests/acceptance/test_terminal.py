"""What a person at a terminal sees, and what a program that reads the output gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import termios
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pexpect
import pytest
from acceptance.conftest import serving
from pexpect import fdpexpect
from support.command import COMMAND
from support.specs import LIPSYNC, TRANSLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acceptance.conftest import Sandbox
    from support.command import Desk

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: Makes the terminal the process's own, so that Ctrl-C is a signal to it.
OWN_TERMINAL = (
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])",
    *COMMAND,
)
CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-HJKlh]")


@dataclass
class Terminal:
    """A command that runs in a terminal. ``screen`` is the terminal's other end."""

    popen: subprocess.Popen[bytes]
    screen: fdpexpect.fdspawn

    def expect(self, pattern: str) -> str:
        """What was shown before something that must be shown."""
        self.screen.expect(pattern)
        return str(self.screen.before)

    def end(self) -> tuple[int, str]:
        """The exit code, and all that was shown since the last expectation."""
        self.screen.expect(pexpect.EOF)
        return self.popen.wait(10), str(self.screen.before)


@contextmanager
def terminal(desk: Desk, *arguments: str, **env: str) -> Iterator[Terminal]:
    """The command in a terminal of 100 columns."""
    whole = {**desk.environment(), "TERM": "xterm-256color", **env}
    whole.pop("COLUMNS")
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (40, 100))
    # Not pexpect's own way to start programs: it forks, which a process with threads should not do.
    with subprocess.Popen(
        [*OWN_TERMINAL, *arguments], cwd=desk.folder, env=whole, stdin=its, stdout=its, stderr=its,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(its)
        try:
            yield Terminal(process, fdpexpect.fdspawn(ours, encoding="utf-8", timeout=20))
        finally:
            process.kill()
            os.close(ours)


def test_a_bar(bare: Desk, tmp_path: Path) -> None:
    desk = bare
    desk.write("job.yaml", TRANSLATE)
    with serving(tmp_path / "slow", job_seconds=1) as sandbox:
        desk.env.update(sandbox.env)
        with terminal(desk, "run", "job.yaml") as child:
            code, shown = child.end()
    assert code == 0, shown
    assert CURSOR.search(shown), "the bar is drawn in place"
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(r"tasks .*━.* \d/9 ", plain)
    assert re.search(r"dub\[lang=es-ES\]  (submitting|running)", plain)
    assert "abroad: 9 succeeded; spent" in plain
    assert "dub[lang=es-ES] succeeded" not in plain, "the bar stands for these lines"
    assert str(desk.folder / "out/es-ES.mp4") in plain
    assert "\x1b[?25h" in shown, "the cursor is shown again"


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true"}], ids=["NO_COLOR", "dumb", "CI"])
def test_terminals_that_want_less(desk: Desk, sandbox: Sandbox, env: dict[str, str]) -> None:
    desk.write("job.yaml", LIPSYNC)
    with terminal(desk, "run", "job.yaml", **env) as child:
        code, shown = child.end()
    assert code == 0, shown
    assert not [code for code in COLOUR.findall(shown) if re.search(r"[349][0-7]|38", code)], "no colours"
    if "NO_COLOR" not in env:
        assert "\x1b" not in shown
        assert "dub succeeded" in shown


def test_a_yes(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC.replace("max: 10 USD", "per_task: 1 USD"))
    with terminal(desk, "run", "job.yaml") as child:
        shown = child.expect(r"Spend 0\.0083–0\.0666 USD\? \[y/N\]:")
        assert "dub " in shown, "the plan is shown first"
        assert sandbox.creates == {}
        child.screen.sendline("y")
        code, shown = child.end()
    assert code == 0, shown
    assert sandbox.bought == {"lipsyncs": 1}


@pytest.mark.parametrize(("answer", "code"), [("n\n", 5), ("\n", 5), ("\x03", 130)], ids=["no", "nothing", "Ctrl-C"])
def test_a_no(desk: Desk, sandbox: Sandbox, answer: str, code: int) -> None:
    desk.write("job.yaml", LIPSYNC.replace("max: 10 USD", "max: 0.01 USD"))
    with terminal(desk, "run", "job.yaml") as child:
        child.expect(r"Spend 0\.0083–0\.0666 USD, which is more than the 0\.01 allowed\? \[y/N\]:")
        child.screen.send(answer)
        given, shown = child.end()
    assert given == code, shown
    assert "Traceback" not in shown
    assert sandbox.creates == {}


def test_an_unknown_price(desk: Desk, sandbox: Sandbox) -> None:
    desk.write(
        "job.yaml",
        "version: 1\nname: unknown\nsteps:\n"
        "  - {id: dub, uses: translate, with: {video: {asset: asset_0123}, language: es-ES}}\n",
    )
    with terminal(desk, "run", "job.yaml") as child:
        child.expect(r"Spend 0\.00 USD \+ 1 of unknown price\? \[y/N\]:")
        child.screen.sendline("n")
        assert child.end()[0] == 5
    assert sandbox.creates == {}


def test_off_a_terminal_there_are_plain_lines(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    ran = desk("run", "job.yaml")
    assert "\x1b" not in ran.text
    lines = ran.err.splitlines()
    assert lines[-1] == "dubbing: 4 succeeded; spent 0.0333 USD"
    assert {"dub submitting", "dub succeeded", "save succeeded"} <= set(lines)
    assert ran.out == f"{desk.folder / 'out/final.mp4'}\n", "results on stdout, nothing else"
    quiet = desk("-q", "run", "job.yaml")
    assert (quiet.code, quiet.err) == (0, "")


def test_json(desk: Desk, sandbox: Sandbox) -> None:
    """One document on stdout, of the published shape; the rest on stderr."""
    desk.write("job.yaml", TRANSLATE + "outputs:\n  films: ${{ steps.save.all }}\n")
    ran = desk("run", "job.yaml", "--json")
    document = ran.json
    assert set(document) == {"version", "job", "run", "status", "exit_code", "tasks", "outputs", "totals"}
    assert (document["job"], document["status"], document["exit_code"]) == ("abroad", "succeeded", 0)
    keys = {"address", "step", "axes", "decision", "status", "outputs", "error", "cost"}
    assert all(set(task) == keys for task in document["tasks"])
    assert [film["key"] for film in document["outputs"]["films"]] == ["es-ES", "fr-FR", "de-DE", "it-IT"]
    assert all(film["status"] == "succeeded" for film in document["outputs"]["films"])
    saved = next(task for task in document["tasks"] if task["address"] == "save[lang=fr-FR]")
    assert saved["axes"] == {"lang": "fr-FR"}
    assert saved["outputs"]["file"]["path"] == str(desk.folder / "out/fr-FR.mp4")
    first, second = desk("plan", "job.yaml", "--json"), desk("plan", "job.yaml", "--json")
    assert first.out == second.out, "the same data, the same bytes"
    assert set(first.json) >= {"job", "tasks", "totals"}
    assert all(
        set(task) == {"address", "step", "uses", "axes", "decision", "reason", "cost"} for task in first.json["tasks"]
    )


def test_json_when_tasks_fail(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC.replace("title: First", "title: '[fail] this one'"))
    ran = desk("run", "job.yaml", "--json")
    assert ran.code == 1
    assert (ran.json["status"], ran.json["exit_code"]) == ("failed", 1)
    assert ran.tasks()["dub"] == "failed"
    error = ran.tasks("error")
    assert error["dub"]["kind"] == "provider_failed"
    assert error["dub"]["message"]
    assert error["save"]["kind"] == "upstream"


@pytest.mark.parametrize("command", ["plan job.yaml --json", "operations", "schema", "--help"])
def test_a_reader_that_goes_away(bare: Desk, command: str) -> None:
    """As in `callsheet plan job.yaml --json | head -1`: no complaint, for nothing is wrong."""
    bare.write("job.yaml", TRANSLATE)
    process = bare.start(*command.split())
    assert process.popen.stdout is not None
    process.popen.stdout.close()
    process.popen.stdout = None
    ran = process.end()
    assert (ran.code, ran.err) == (0, "")


def test_a_reader_of_the_progress_that_goes_away(desk: Desk, sandbox: Sandbox) -> None:
    """As in `callsheet run job.yaml 2>&1 | head -1`: it may end there, but the next run finishes the job."""
    desk.write("job.yaml", TRANSLATE)
    process = desk.start("run", "job.yaml")
    assert process.popen.stderr is not None
    process.popen.stderr.close()
    process.popen.stderr = None
    assert process.end().code == 0
    again = desk("run", "job.yaml")
    assert again.code == 0, again
    assert sandbox.bought == {"video-translations": 4}
