"""Starting, stopping, restarting, being killed; and what the sandbox says about itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from sandbox.client import Api, Settings, asset, lengths, running

from callsheet.errors import UsageError
from callsheet_sandbox.front import STATEMENT
from callsheet_sandbox.server import serve

if TYPE_CHECKING:
    from pathlib import Path

SERVE = """
import sys
from pathlib import Path
from callsheet_sandbox.server import Settings, serve
serve(Settings(Path(sys.argv[1]), job_seconds=float(sys.argv[2])), lambda line: print(line, flush=True))
print("ended", flush=True)
"""


def start(data: Path, job_seconds: float = 0.1) -> tuple[subprocess.Popen[str], str]:
    """A sandbox in a process of its own, and its base URL."""
    command = [sys.executable, "-c", SERVE, str(data), str(job_seconds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    return process, process.stdout.readline().split()[2]


def stop(process: subprocess.Popen[str], number: int) -> str:
    """The rest of its output after a signal."""
    assert process.stdout is not None
    with process:
        process.send_signal(number)
        return process.stdout.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_announces_itself_and_ends_on_a_signal(tmp_path: Path, number: int) -> None:
    process, base_url = start(tmp_path)
    assert httpx.get(base_url).status_code == 200
    output = stop(process, number)
    assert output.splitlines() == [STATEMENT, "ended"]
    assert process.returncode == 0


def test_the_page_says_plainly_what_it_is_not(api: Api) -> None:
    for words in ("does not animate lips", "robotic", "placeholder"):
        assert words in STATEMENT
        assert words in api.get("/").text


def test_everything_survives_a_kill_and_urls_follow_the_port(tmp_path: Path, clip: Path, voice: Path) -> None:
    process, base_url = start(tmp_path, job_seconds=0.5)
    with Api(base_url) as api:
        name = api.data("GET", "/v3/users/me")["username"]
        body = {"video": asset(api.upload(clip)), "audio": asset(api.upload(voice))}
        announced = {"filename": "a.png", "content_type": "image/png", "size_bytes": 5}
        upload = api.data("POST", "/v3/assets/direct-uploads", json=announced, headers={"Idempotency-Key": "up"})
        identifier = api.data("POST", "/v3/lipsyncs", json=body, headers={"Idempotency-Key": "k"})["lipsync_id"]
        stop(process, signal.SIGKILL)
    with running(Settings(tmp_path)) as other_url, Api(other_url) as api:
        assert other_url != base_url
        assert api.data("GET", "/v3/users/me")["username"] == name
        job = api.finished(f"/v3/lipsyncs/{identifier}")
        assert job["video_url"].startswith(other_url)
        assert lengths(httpx.get(job["video_url"]).content)["file"] == pytest.approx(2.5, abs=0.15)
        again = api.data("POST", "/v3/lipsyncs", json=body, headers={"Idempotency-Key": "k"})
        assert again["lipsync_id"] == identifier
        replayed = api.data("POST", "/v3/assets/direct-uploads", json=announced, headers={"Idempotency-Key": "up"})
        assert replayed["upload_url"] == upload["upload_url"].replace(base_url, other_url)
        assert api.state()["creates"] == {"assets": 2, "assets/direct-uploads": 1, "lipsyncs": 1}
        ledger = api.get("/_sandbox/creates").json()["creates"]
        assert (ledger[-1]["operation"], ledger[-1]["ids"]) == ("lipsyncs", [identifier])


def test_kills_at_any_moment_leave_usable_data(tmp_path: Path, clip: Path, voice: Path) -> None:
    made = []
    for delay in (0.0, 0.03, 0.08):
        process, base_url = start(tmp_path, job_seconds=0.01)
        with Api(base_url) as api:
            body = {"video": asset(api.upload(clip)), "audio": asset(api.upload(voice))}
            made += [api.data("POST", "/v3/lipsyncs", json=body)["lipsync_id"] for _ in range(2)]
            time.sleep(delay)
            stop(process, signal.SIGKILL)
    with running(Settings(tmp_path, job_seconds=0.01)) as base_url, Api(base_url) as api:
        for identifier in made:
            job = api.finished(f"/v3/lipsyncs/{identifier}")
            assert lengths(httpx.get(job["video_url"]).content)["file"] == pytest.approx(2.5, abs=0.15)


def test_two_sandboxes_may_share_data(tmp_path: Path) -> None:
    announced = {"filename": "a.png", "content_type": "image/png", "size_bytes": 5}
    with running(Settings(tmp_path)) as one, running(Settings(tmp_path)) as two:
        ids = set()
        for address in (one, two):
            with Api(address) as api:
                headers = {"Idempotency-Key": "same"}
                ids.add(api.data("POST", "/v3/assets/direct-uploads", json=announced, headers=headers)["asset_id"])
        assert len(ids) == 1


def test_a_taken_port_is_a_usage_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(tmp_path, port=taken.getsockname()[1])
        with pytest.raises(UsageError, match=r"port \d+ on 127\.0\.0\.1 is already in use"):
            serve(settings, print)
        with pytest.raises(UsageError, match="--port"), running(settings):
            pass


def test_a_data_directory_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(UsageError, match="cannot write to its data directory"), running(Settings(file / "data")):
        pass


@pytest.mark.parametrize("statement", ["not a database", "PRAGMA user_version = 99"])
def test_a_database_of_another_kind_is_a_usage_error(tmp_path: Path, statement: str) -> None:
    if statement.startswith("PRAGMA"):
        with contextlib.closing(sqlite3.connect(tmp_path / "sandbox.db")) as database:
            database.execute(statement)
    else:
        (tmp_path / "sandbox.db").write_text(statement * 100)
    with pytest.raises(UsageError, match=r"sandbox\.db' cannot be used: .*--data"), running(Settings(tmp_path)):
        pass


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, json, callsheet_sandbox; print(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert not {"starlette", "uvicorn", "av", "jsonschema", "sqlite3"} & set(json.loads(output.stdout))


def test_ready_made_media_are_real_media(tmp_path: Path, clip: Path) -> None:
    with running(Settings(tmp_path, media=False, job_seconds=0)) as base_url, Api(base_url) as api:
        speech = api.data("POST", "/v3/voices/speech", json={"text": "hello", "voice_id": "sandbox-anna"})
        assert lengths(httpx.get(speech["audio_url"]).content)["file"] == pytest.approx(1, abs=0.1)
        body = {"video": asset(api.upload(clip)), "output_languages": ["English"]}
        ids = api.data("POST", "/v3/video-translations", json=body)["video_translation_ids"]
        job = api.finished(f"/v3/video-translations/{ids[0]}")
        assert lengths(httpx.get(job["video_url"]).content)["file"] == pytest.approx(1, abs=0.05)
        assert job["duration"] == 1.0
