"""Slots belong to remote jobs: they hold while the job runs, and come back when it ends, whoever still waits for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from acceptance.conftest import PROJECT, serving
from support.command import until
from support.specs import LIPSYNC, TRANSLATE

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Desk

ONE_SLOT = PROJECT + "concurrency = 1\n"
IMPATIENT = LIPSYNC.replace("    uses: lipsync\n", "    uses: lipsync\n    timeout: 0.5s\n")


def test_a_job_that_nobody_waits_for_gives_its_slot_back(bare: Desk, tmp_path: Path) -> None:
    with serving(tmp_path / "server", job_seconds=2.0) as sandbox:
        bare.env.update(sandbox.env)
        bare.write("callsheet.toml", ONE_SLOT)
        bare.write("first.yaml", IMPATIENT)
        bare.write("second.yaml", TRANSLATE.replace("[es-ES, fr-FR, de-DE, it-IT]", "[es-ES]"))
        gone = bare("run", "first.yaml")
        assert gone.code == 4, gone
        ran = bare("run", "second.yaml")
        assert ran.code == 0, ran
        assert sandbox.state()["peak_open_jobs"] == 1
        # What the first run bought was noticed to have ended: nothing is bought or asked again for it but its file.
        again = bare("run", "first.yaml")
        assert again.code == 0, again
        assert sandbox.bought == {"lipsyncs": 1, "video-translations": 1}


def test_a_killed_run_holds_its_slot_only_while_the_job_runs(bare: Desk, tmp_path: Path) -> None:
    with serving(tmp_path / "server", job_seconds=2.0) as sandbox:
        bare.env.update(sandbox.env)
        bare.write("callsheet.toml", ONE_SLOT)
        bare.write("first.yaml", LIPSYNC)
        bare.write("second.yaml", TRANSLATE.replace("[es-ES, fr-FR, de-DE, it-IT]", "[es-ES]"))
        with bare.background("run", "first.yaml") as process:
            until(lambda: sandbox.open_jobs)
            time.sleep(0.3)
            process.kill()
        ran = bare("run", "second.yaml")
        assert ran.code == 0, ran
        assert sandbox.state()["peak_open_jobs"] == 1
        assert sandbox.state()["rate_limited"] == 0


def test_waiting_for_a_slot_ends_with_the_timeout(bare: Desk, tmp_path: Path) -> None:
    with serving(tmp_path / "server", job_seconds=30.0) as sandbox:
        bare.env.update(sandbox.env)
        bare.write("callsheet.toml", ONE_SLOT)
        bare.write("first.yaml", IMPATIENT)
        assert bare("run", "first.yaml").code == 4
        other = TRANSLATE.replace("[es-ES, fr-FR, de-DE, it-IT]", "[es-ES]")
        bare.write("second.yaml", other.replace("    uses: translate\n", "    uses: translate\n    timeout: 1s\n"))
        ran = bare("run", "second.yaml")
        assert ran.code == 1, ran
        assert "not submitted: all slots of the account are taken" in ran.err
        assert sandbox.bought == {"lipsyncs": 1}
