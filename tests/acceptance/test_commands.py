"""The commands, as a newcomer meets them: from an empty folder to a finished job, and what each one says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.command import Desk
from support.specs import COPY, LIPSYNC, TRANSLATE

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.conftest import Sandbox

COMMANDS = ("init", "validate", "plan", "run", "status", "show", "operations", "plugins", "schema", "sandbox", "doctor")


def test_from_an_empty_folder_to_a_finished_job(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    made = desk("init")
    assert made.code == 0, made
    assert "next: callsheet run job.yaml --sandbox" in made.out
    assert desk.files("*") == {"job.yaml", "callsheet.toml", ".gitignore"}
    assert desk("validate", "job.yaml").out == "1 file is valid: 4 tasks\n"
    planned = desk("plan", "job.yaml", "--exit-code")
    assert planned.code == 20, planned
    assert "first-steps: speak ×2, save ×2" in planned.out
    assert desk.files("**/*") == {"job.yaml", "callsheet.toml", ".gitignore"}, "looking leaves nothing behind"
    ran = desk("run", "job.yaml", "--sandbox")
    assert ran.code == 0, ran
    assert "sandbox: nothing is charged" in ran.err
    assert ran.err.rstrip().endswith("first-steps: 4 succeeded; spent 0.00 USD")
    assert ran.out.split() == [str(tmp_path / f"out/hello.{lang}.mp3") for lang in ("en-US", "es-ES")]
    assert all((tmp_path / f"out/hello.{lang}.mp3").stat().st_size > 1000 for lang in ("en-US", "es-ES"))
    again = desk("run", "job.yaml", "--sandbox", "--json")
    assert again.code == 0, again
    assert again.json["totals"]["reused"] == 4


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write("mine/.gitignore", "mine\n")
    assert desk("init", "mine").code == 0
    assert (tmp_path / "mine/.gitignore").read_text() == "mine\n"
    again = desk("init", "mine")
    assert again.code == 2, again
    assert "mine/job.yaml is there already" in again.err
    refused = desk("init", "mine/job.yaml/deeper")
    assert refused.code == 2, refused
    assert "Traceback" not in refused.err


def test_validate(bare: Desk) -> None:
    """All problems of all files in one pass, in three forms, without a look at any key or server."""
    bare.write("good.yaml", COPY)
    bare.write("bad.yaml", LIPSYNC.replace("uses: lipsync", "uses: lipsink").replace("steps:", "stepz: 1\nsteps:"))
    bare.write("worse.yaml", COPY.replace("media/clip.mp4", "media/nowhere.mp4"))
    ran = bare("validate", "good.yaml", "bad.yaml", "worse.yaml")
    assert ran.code == 2, ran
    assert ran.out == ""
    assert "bad.yaml:4:1: error[" in ran.err
    assert "did you mean" in ran.err
    assert "worse.yaml:4:" in ran.err
    assert ran.err.rstrip().endswith("3 errors; nothing was sent")
    document = bare("validate", "good.yaml", "bad.yaml", "worse.yaml", "--json").json
    assert set(document) == {"valid", "diagnostics"}
    assert document["valid"] is False
    keys = {"file", "line", "column", "severity", "code", "message", "hint"}
    assert all(set(found) == keys for found in document["diagnostics"])
    assert [found["file"] for found in document["diagnostics"]] == ["bad.yaml", "bad.yaml", "worse.yaml"]
    github = bare("validate", "good.yaml", "bad.yaml", "worse.yaml", "--output-format", "github")
    assert github.code == 2
    lines = github.out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("::error file=bad.yaml,line=4,col=1,title=")
    assert bare("validate", "worse.yaml", "--no-files").code == 0
    good = bare("validate", "good.yaml", "--json")
    assert (good.code, good.json) == (0, {"valid": True, "diagnostics": []})


def test_what_plan_and_run_refuse_validate_refuses_too(bare: Desk) -> None:
    bare.write("job.yaml", LIPSYNC.replace("media/clip.mp4", "media/nowhere.mp4"))
    said = [bare(command, "job.yaml") for command in ("validate", "plan", "run")]
    assert [ran.code for ran in said] == [2, 2, 2]
    assert said[0].err == said[1].err == said[2].err
    assert bare.files(".callsheet/*") <= {".callsheet/state.db"}


def test_plan_looks_without_leaving_or_sending_anything(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    before = desk.files()
    planned = desk("plan", "job.yaml", "--json", env={"HEYGEN_API_KEY": None})
    assert planned.code == 0, planned
    assert sandbox.requests == 0
    assert desk.files() == before
    document = planned.json
    assert document["job"] == "dubbing"
    assert planned.tasks("decision") == {
        "auto-upload[media/voice.wav]": "execute",
        "auto-upload[media/clip.mp4]": "execute",
        "dub": "execute",
        "save": "execute",
    }
    cost = planned.tasks("cost")["dub"]
    assert (cost["low"], cost["high"], cost["currency"]) == ("0.0083", "0.0666", "USD")
    assert "2026" in cost["basis"], "the price list is dated"
    assert document["totals"]["cost"] == {"low": "0.0083", "high": "0.0666", "currency": "USD", "unknown": 0}


def test_select(desk: Desk, sandbox: Sandbox) -> None:
    """A pilot's results are reused by the full run."""
    desk.write("job.yaml", TRANSLATE)
    pilot = desk("run", "job.yaml", "--select", "save[lang=fr-FR]", "--json")
    assert pilot.code == 0, pilot
    status = pilot.tasks()
    assert status["save[lang=fr-FR]"] == status["dub[lang=fr-FR]"] == "succeeded"
    assert status["dub[lang=es-ES]"] == "skipped"
    assert sandbox.bought == {"video-translations": 1}
    assert desk("run", "job.yaml").code == 0
    assert sandbox.bought == {"video-translations": 4}


def test_inputs(desk: Desk, sandbox: Sandbox) -> None:
    head = "inputs:\n  langs: {type: array, items: {type: language}}\n  clip: {type: video, env: CLIP}\n"
    job = TRANSLATE.replace("foreach:", head + "foreach:").replace(
        "[es-ES, fr-FR, de-DE, it-IT]", "${{ inputs.langs }}"
    )
    desk.write("job.yaml", job.replace("video: media/clip.mp4", 'video: "${{ inputs.clip }}"'))
    desk.write("inputs.yaml", "langs: [es-ES]\nclip: media/clip.mp4\n")
    planned = desk("plan", "job.yaml", "--inputs", "inputs.yaml", "-i", 'langs=["fr-FR", "no"]', "--json")
    assert planned.code == 0, planned
    assert {"dub[lang=fr-FR]", "dub[lang=no]"} <= set(planned.tasks("decision"))
    planned = desk("plan", "job.yaml", "-i", "langs=[]", env={"CLIP": "media/clip.mp4"})
    assert planned.code == 0, planned


def test_status_and_show(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    assert desk("run", "job.yaml").code == 0
    assert "dubbing" in desk("status").out
    for name in ("dubbing", "job.yaml"):
        status = desk("status", name)
        assert status.code == 0, status
        assert "succeeded" in status.out
    shown = desk("show", "dubbing", "dub")
    assert "dub (lipsync): succeeded" in shown.out
    assert "done, sent 1×, cost 0.0333" in shown.out
    document = desk("show", "dubbing", "--json").json
    remote = {task["address"]: task["remote"] for task in document["tasks"]}
    assert remote["save"] is None
    assert remote["dub"]["state"] == "done"
    assert remote["dub"]["handle"]["id"].startswith("ls_")


def test_operations_and_plugins(bare: Desk) -> None:
    listed = bare("operations")
    assert listed.code == 0, listed
    for name in ("heygen/lipsync", "heygen/translate", "heygen/upload", "download", "render"):
        assert name in listed.out
    told = bare("operations", "lipsync")
    assert told.code == 0, told
    for word in ("video", "audio", "quality", "options", "0.0333"):
        assert word in told.out
    assert json.loads(bare("operations", "heygen/speech", "--json").out)
    missing = bare("operations", "lipsink")
    assert missing.code == 2
    assert "lipsync" in missing.err
    plugins = bare("plugins")
    assert plugins.code == 0
    assert "heygen" in plugins.out
    assert "std" in plugins.out


def test_schema(bare: Desk) -> None:
    schema = bare("schema").json
    assert schema["$schema"].endswith("2020-12/schema")
    assert "steps" in schema["properties"]


def test_doctor(desk: Desk) -> None:
    fine = desk("doctor")
    assert fine.code == 0, fine
    assert f"ok   provider heygen: a key is set, for {desk.env['HEYGEN_API_BASE']}" in fine.out
    assert "sandbox\n" not in fine.out
    keyless = desk("doctor", env={"HEYGEN_API_KEY": None})
    assert keyless.code == 0
    assert "there is no HeyGen API key" in keyless.out
    desk.write(".callsheet/state.db", "no database, but a letter\n" * 9)
    broken = desk("doctor")
    assert broken.code == 2
    assert "FAIL state: " in broken.out


def test_help(bare: Desk) -> None:
    for arguments in ((), ("--help",), ("-h",)):
        ran = bare(*arguments)
        assert ran.code == 0, ran
        assert all(f"  {command} " in ran.out for command in COMMANDS)
    assert bare("--version").out.startswith("callsheet")
    assert all("Usage: callsheet" in bare(command, "--help").out for command in ("run", "validate"))
