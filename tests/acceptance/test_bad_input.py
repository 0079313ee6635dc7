"""What a person can get wrong, or find broken, when running the command: one clear line, the fix, the exit code.

What can be wrong with a job file itself is in specs/cases.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.command import UNPRIVILEGED, until
from support.specs import COPY, LIPSYNC, TRANSLATE
from support.wire import WireServer, answering, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from acceptance.conftest import Sandbox
    from support.command import Desk, Process, Ran
    from support.proxy import Proxy


def refused(ran: Ran, code: int, *words: str) -> str:
    """That the command ended with this code, and said all these words in an error that is no traceback."""
    assert ran.code == code, ran
    assert "Traceback" not in ran.text
    assert ran.out == ""
    errors = [line for line in ran.err.splitlines() if line.lower().startswith("error: ") or ": error[" in line]
    assert len(errors) == 1, ran.err
    for word in words:
        assert word in ran.err, ran.err
    return errors[0]


# -- keys and addresses


def test_no_key(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    ran = desk("run", "job.yaml", env={"HEYGEN_API_KEY": None})
    refused(ran, 3, "there is no HeyGen API key", "export HEYGEN_API_KEY=")
    assert sandbox.requests == 0


def test_a_refused_key(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    ran = desk("run", "job.yaml", env={"HEYGEN_API_KEY": "sk-of-somebody-else"})
    refused(ran, 3, "HeyGen refuses the key (HTTP 401)", "HEYGEN_API_KEY")
    assert sandbox.creates == {}
    assert "sk-of-somebody-else" not in ran.text


def test_a_key_that_is_refused_later(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    """The account of a key is known after its first use; when it is revoked, the next run finds out as it buys."""
    behind.write("job.yaml", LIPSYNC)
    assert behind("run", "job.yaml").code == 0
    behind.write("job.yaml", TRANSLATE)
    proxy.refuse += [("POST", "/v3/video-translations")] * 9
    ran = behind("run", "job.yaml")
    assert ran.code == 3, ran
    assert "HEYGEN_API_KEY" in ran.err
    assert "Traceback" not in ran.text
    assert sandbox.bought == {"lipsyncs": 1}
    assert behind("run", "job.yaml", env={"HEYGEN_API_KEY": None}).code == 3
    proxy.refuse.clear()
    assert behind("run", "job.yaml").code == 0
    assert sandbox.bought == {"lipsyncs": 1, "video-translations": 4}


def test_an_address_that_does_not_answer(bare: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens: connections are refused
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        bare.write("job.yaml", LIPSYNC)
        ran = bare("run", "job.yaml", env={"HEYGEN_API_KEY": "k", "HEYGEN_API_BASE": base})
    refused(ran, 1, "connection refused", base, "api_base")


def test_a_name_that_does_not_exist(bare: Desk) -> None:
    bare.write("job.yaml", LIPSYNC)
    ran = bare("run", "job.yaml", env={"HEYGEN_API_KEY": "k", "HEYGEN_API_BASE": "http://api.heygen.invalid"})
    refused(ran, 1, "http://api.heygen.invalid", "api_base")


def test_an_address_that_is_none(bare: Desk) -> None:
    bare.write("job.yaml", LIPSYNC)
    ran = bare("run", "job.yaml", env={"HEYGEN_API_KEY": "k", "HEYGEN_API_BASE": "me:secret@host"})
    refused(ran, 3, "HEYGEN_API_BASE (or api_base) is not the address of an API", "https://api.heygen.com")
    assert "secret" not in ran.text


@pytest.mark.parametrize("status", [200, 502])
def test_a_server_that_answers_with_a_web_page(bare: Desk, status: int) -> None:
    bare.write("job.yaml", LIPSYNC)
    page = reply(status, b"<!doctype html><title>Welcome</title>", Content_Type="text/html")
    with WireServer([answering(*[page] * 9)]) as server:
        ran = bare("run", "job.yaml", env={"HEYGEN_API_KEY": "k", "HEYGEN_API_BASE": server.url})
    refused(ran, 1, "HeyGen does not say whose key it is", server.url, "api_base")
    assert {seen.target for seen in server.requests} == {"/v3/users/me"}


# -- the state


@pytest.mark.parametrize("command", ["run", "plan", "status"])
def test_a_state_file_that_is_none(desk: Desk, sandbox: Sandbox, command: str) -> None:
    desk.write("job.yaml", LIPSYNC)
    desk.write("notes.db", "This is a letter, not a database.\n" * 50)
    ran = desk(command, "job.yaml", "--state", "notes.db")
    refused(ran, 2, '"notes.db" is not a state file of callsheet', "name another file")
    assert (desk.folder / "notes.db").read_text().startswith("This is a letter")
    assert sandbox.requests == 0


def test_a_database_of_another_program(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    with sqlite3.connect(desk.folder / "books.db") as books:
        books.execute("create table books (title text)")
    books.close()
    refused(desk("run", "job.yaml", "--state", "books.db"), 2, "books.db")
    assert sandbox.requests == 0


def test_a_state_file_of_a_newer_version(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    desk.write("copy.yaml", COPY)
    assert desk("run", "copy.yaml").code == 0
    with sqlite3.connect(desk.folder / ".callsheet/state.db") as state:
        (version,) = state.execute("pragma user_version").fetchone()
        state.execute(f"pragma user_version = {version + 7}")
    state.close()
    refused(desk("run", "job.yaml"), 2, "has schema version", "upgrade callsheet")
    assert sandbox.requests == 0


def test_a_state_file_that_is_a_folder(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    refused(desk("run", "job.yaml", "--state", "media"), 2, '"media" is a folder', "name a file")
    assert sandbox.requests == 0


def test_a_state_url_of_a_database_server(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    ran = desk("run", "job.yaml", "--state", "postgresql://me:secret@db/states")
    refused(ran, 2, "postgresql://", "a path such as")
    assert "secret" not in ran.text
    assert sandbox.requests == 0


def test_a_folder_that_cannot_be_written(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    desk.folder.chmod(0o555)
    ran = desk("run", "job.yaml", command=UNPRIVILEGED)
    desk.folder.chmod(0o755)
    refused(ran, 2, ".callsheet", "permission denied", "writable")
    assert sandbox.requests == 0


def test_a_state_that_cannot_be_written(desk: Desk, sandbox: Sandbox) -> None:
    """What is found before anything is bought: a state that may only be read."""
    desk.write("job.yaml", LIPSYNC)
    desk.write("copy.yaml", COPY)
    assert desk("run", "copy.yaml").code == 0
    folder = desk.folder / ".callsheet"
    for path in (*folder.glob("state.db*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    ran = desk("run", "job.yaml", command=UNPRIVILEGED)
    folder.chmod(0o755)
    refused(ran, 2, "state.db", "writable")
    assert sandbox.requests == 0


def test_a_state_below_a_file(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    refused(desk("run", "job.yaml", "--state", "job.yaml/state.db"), 2, "job.yaml/state.db", "name another file")
    assert sandbox.requests == 0


def test_a_folder_for_results_that_cannot_be_written(desk: Desk, sandbox: Sandbox) -> None:
    """What is paid for is kept in the state; once the folder can be written, only the download is left to do."""
    desk.write("job.yaml", LIPSYNC)
    (desk.folder / "out").mkdir(mode=0o555)
    ran = desk("run", "job.yaml", command=UNPRIVILEGED)
    assert ran.code == 1, ran
    assert "save: failed: " in ran.err
    assert "ermission denied" in ran.err
    assert "Traceback" not in ran.text
    (desk.folder / "out").chmod(0o755)
    again = desk("run", "job.yaml")
    assert again.code == 0, again
    assert sandbox.bought == {"lipsyncs": 1}
    assert (desk.folder / "out/final.mp4").is_file()


# -- a full disk


def _quota(folder: Path) -> AbstractContextManager[Fills]:
    """A limit on how large the process's files may grow, which any user can set: writing fails as on a full disk."""
    import resource

    @contextmanager
    def limited() -> Iterator[Fills]:
        def fill(process: Process) -> None:
            resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, (2048, resource.RLIM_INFINITY))

        yield fill

    return limited()


def _small_disk(folder: Path) -> AbstractContextManager[Fills]:
    """A real file system of its own without room, which takes root to mount."""

    @contextmanager
    def mounted() -> Iterator[Fills]:
        files = shutil.copytree(folder, folder.with_name("files"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], check=True)
        shutil.copytree(files, folder, dirs_exist_ok=True)

        def fill(_: Process) -> None:
            with (folder / "ballast").open("wb", buffering=0) as ballast:
                for size in (65536, 4096, 512):
                    try:
                        while True:
                            ballast.write(bytes(size))
                    except OSError:
                        continue

        try:
            yield fill
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)

    return mounted()


if TYPE_CHECKING:
    Fills = Callable[[Process], None]

DISKS = [_quota, *([_small_disk] if os.geteuid() == 0 else [])]


@pytest.mark.parametrize("disk", DISKS)
def test_a_disk_that_fills_up_during_the_run(
    desk: Desk, sandbox: Sandbox, disk: Callable[[Path], AbstractContextManager[Fills]]
) -> None:
    desk.write("job.yaml", TRANSLATE)
    with disk(desk.folder) as fill:
        with desk.background("run", "job.yaml") as process:
            until(lambda: sandbox.bought.get("video-translations", 0) >= 1)
            fill(process)
            ran = process.end()
        assert ran.code in (1, 2), ran
        assert "Traceback" not in ran.text
        assert any(word in ran.err for word in ("is full", "cannot be read or written", "o space left", "too large"))
        (desk.folder / "ballast").unlink(missing_ok=True)
        again = desk("run", "job.yaml")
        assert again.code == 0, again
        assert sandbox.bought == {"video-translations": 4}
        assert desk.files("out/*") == {f"out/{lang}.mp4" for lang in ("es-ES", "fr-FR", "de-DE", "it-IT")}


# -- the command line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-i", "colour=red"), ('the job has no input "colour"',)),
        (("-i", "colour"), ("-i colour", "-i colour=VALUE")),
        (("--inputs", "nowhere.yaml"), ("nowhere.yaml",)),
        (("--inputs", "media/clip.mp4"), ("media/clip.mp4",)),
        (("--inputs", "list.yaml"), ("list.yaml",)),
        (("--max-cost", "a lot"), ("--max-cost", "a lot")),
        (("--max-cost", "-3 USD"), ("--max-cost", "-3 USD")),
        (("--max-cost", ""), ("--max-cost",)),
        (("--select", "dubb"), ("dubb", "callsheet plan")),
        (("--state",), ("--state",)),
        (("--wat",), ("--wat",)),
        (("second.yaml",), ("second.yaml",)),
    ],
    ids=lambda value: " ".join(value) if value and value[0].startswith(("-", "s")) else "",
)
def test_options(desk: Desk, sandbox: Sandbox, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    desk.write("job.yaml", LIPSYNC)
    desk.write("second.yaml", COPY)
    desk.write("list.yaml", "- red\n")
    refused(desk("run", "job.yaml", *arguments), 2, *words)
    assert sandbox.creates == {}


@pytest.mark.parametrize("command", ["run", "plan", "validate"])
def test_job_files(desk: Desk, command: str) -> None:
    desk.write("locked.yaml", LIPSYNC).chmod(0)
    refused(desk(command, "nowhere.yaml"), 2, "nowhere.yaml")
    refused(desk(command, "media"), 2, "media")
    refused(desk(command, "locked.yaml", command=UNPRIVILEGED), 2, "locked.yaml")
    refused(desk(command), 2, "FILE")


def test_two_files_to_plan(desk: Desk) -> None:
    for name in ("one.yaml", "two.yaml"):
        desk.write(name, COPY)
    refused(desk("plan", "one.yaml", "two.yaml"), 2, "two.yaml")


def test_unknown_commands(desk: Desk) -> None:
    refused(desk("rnu", "job.yaml"), 2, "rnu")


def test_a_project_file_with_mistakes(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    desk.write("callsheet.toml", '[providers.heygen]\nconcurency = 3\n[budget]\nmax = "3 USD"\n')
    refused(desk("run", "job.yaml"), 2, "callsheet.toml", "budget")
    desk.write("callsheet.toml", 'provider = "heygen"\n[providers.heygen]\nconcurency = 3\n')
    refused(desk("run", "job.yaml"), 2, "providers.heygen", "concurency", "concurrency")
    desk.write("callsheet.toml", "provider = heygen\n")
    refused(desk("run", "job.yaml"), 2, "callsheet.toml", "is not TOML")
    assert sandbox.requests == 0


def test_unknown_jobs_and_tasks(desk: Desk) -> None:
    desk.write("copy.yaml", COPY)
    assert desk("run", "copy.yaml").code == 0
    refused(desk("status", "coping"), 2, 'no run of "coping"', "copying")
    refused(desk("show", "copying", "sav"), 2, 'has no task "sav"', '"save"')
