"""When money is spent, and when it is not: consent, budgets, and that nothing is bought twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.specs import LIPSYNC, SPEECH, TRANSLATE

if TYPE_CHECKING:
    from acceptance.conftest import Sandbox
    from support.command import Desk

BUDGET = "budget: {max: 10 USD}\n"
#: The video of this one is at the provider already, so nobody can tell how long it is.
UNKNOWN = """\
version: 1
name: unknown
steps:
  - {id: dub, uses: translate, with: {video: {asset: asset_0123}, language: es-ES}}
"""
#: A second of speech comes out of three letters, which cannot be known beforehand.
LONGER_THAN_EXPECTED = """\
version: 1
name: longer
budget: {max: 0.02 USD}
steps:
  - id: speak
    uses: speech
    with: {text: "Hi.", voice: sandbox-anna, language: en-US}
  - id: dub
    uses: lipsync
    with: {video: media/clip.mp4, audio: "${{ steps.speak.outputs.audio }}", duration: match_audio}
  - id: save
    uses: download
    with: {from: "${{ steps.dub.outputs.video }}", to: out/final.mp4}
"""


# -- consent


@pytest.mark.parametrize(
    ("budget", "arguments", "words"),
    [
        ("", (), ["it would cost 0.0083–0.0666 USD, and nobody agreed", "budget.max", "--max-cost", "--yes"]),
        ("budget: {max: 0.06 USD}\n", (), ["cost 0.0083–0.0666 USD, and the budget is 0.06 USD", "raise budget.max"]),
        ("budget: {max: 10 USD}\n", ("--max-cost", "0.06 USD"), ["the budget is 0.06 USD", "--max-cost"]),
    ],
    ids=["nobody agreed", "over the budget", "over --max-cost"],
)
def test_without_consent_nothing_is_sent(
    desk: Desk, sandbox: Sandbox, budget: str, arguments: tuple[str, ...], words: list[str]
) -> None:
    desk.write("job.yaml", LIPSYNC.replace(BUDGET, budget))
    ran = desk("run", "job.yaml", *arguments)
    assert ran.code == 5, ran
    assert ran.err.startswith("error: nothing was bought: ")
    for word in words:
        assert word in ran.err
    assert sandbox.creates == {}, "not even a free upload"


@pytest.mark.parametrize(
    ("budget", "arguments"),
    [
        ("budget: {max: 0.0666 USD}\n", ()),
        ("", ("--max-cost", "0.07 USD")),
        ("", ("--max-cost", "1")),
        ("budget: {max: 0.01 USD}\n", ("--max-cost", "0.07USD")),
        ("budget: {max: 0.01 USD}\n", ("--yes",)),
    ],
    ids=["budget", "--max-cost", "an amount without a currency", "--max-cost over the budget", "--yes"],
)
def test_consent(desk: Desk, sandbox: Sandbox, budget: str, arguments: tuple[str, ...]) -> None:
    desk.write("job.yaml", LIPSYNC.replace(BUDGET, budget))
    ran = desk("run", "job.yaml", *arguments)
    assert ran.code == 0, ran
    assert sandbox.bought == {"lipsyncs": 1}


def test_an_unknown_price_needs_a_word(desk: Desk, sandbox: Sandbox) -> None:
    for budget in ("", "budget: {max: 100 USD}\n", "budget: {max: 100 USD, unknown: deny}\n"):
        desk.write("job.yaml", UNKNOWN.replace("steps:", budget + "steps:"))
        ran = desk("run", "job.yaml")
        assert ran.code == 5, ran
        assert ran.err.startswith("error: nothing was bought: ")
    assert "1 task has no known price" in ran.err
    assert sandbox.creates == {}
    desk.write("job.yaml", UNKNOWN.replace("steps:", "budget: {max: 100 USD, unknown: allow}\nsteps:"))
    ran = desk("run", "job.yaml")
    assert ran.code == 1, "the sandbox has no such asset, so it was asked"
    desk.write("job.yaml", UNKNOWN.replace("asset_0123", "asset_4567"))
    assert desk("run", "job.yaml", "--yes").code == 1


def test_what_is_free_needs_no_consent(desk: Desk, sandbox: Sandbox) -> None:
    job = "version: 1\nname: free\nsteps:\n  - {id: master, uses: upload, with: {file: media/clip.mp4}}\n"
    desk.write("job.yaml", job)
    assert desk("run", "job.yaml").code == 0
    assert sandbox.creates == {"assets": 1}


# -- budgets


def test_a_budget_per_task(desk: Desk, sandbox: Sandbox) -> None:
    """One task is too dear; the others are done."""
    both = LIPSYNC + SPEECH.partition("steps:\n")[2].replace("save", "save_words")
    desk.write("job.yaml", both.replace(BUDGET, "budget: {max: 10 USD, per_task: 0.05 USD}\n"))
    ran = desk("run", "job.yaml", "--json")
    assert ran.code == 5, ran
    status = ran.tasks()
    assert (status["dub"], status["speak"], status["save_words"]) == ("over_budget", "succeeded", "succeeded")
    assert status["save"] == "over_budget"
    assert "more than budget.per_task (0.05)" in ran.tasks("error")["dub"]["message"]
    assert sandbox.bought == {"voices/speech": 1}


def test_a_budget_that_is_used_up_in_the_middle(desk: Desk, sandbox: Sandbox) -> None:
    """The voice speaks longer than its text let expect, so the film costs more than planned: it waits for a word."""
    desk.write("job.yaml", LONGER_THAN_EXPECTED)
    assert float(desk("plan", "job.yaml", "--json").json["totals"]["cost"]["high"]) < 0.02
    ran = desk("run", "job.yaml")
    assert ran.code == 5, ran
    assert "dub: over budget: it would cost up to 0.0333 USD, and 0.0007 of 0.02 USD is spent" in ran.err
    assert "save over budget (upstream is over_budget: dub)" in ran.err
    assert sandbox.bought == {"voices/speech": 1}
    assert desk("run", "job.yaml").code == 5
    ran = desk("run", "job.yaml", "--max-cost", "0.04 USD")
    assert ran.code == 0, ran
    assert sandbox.bought == {"voices/speech": 1, "lipsyncs": 1}


def test_the_cap_is_for_what_is_left_to_buy(desk: Desk, sandbox: Sandbox) -> None:
    """`--select` buys one; the cap that is left over does not do for all others, and what was bought is not again."""
    desk.write("job.yaml", TRANSLATE)
    assert desk("run", "job.yaml", "--select", "*[lang=es-ES]", "--max-cost", "0.5").code == 0
    assert sandbox.bought == {"video-translations": 1}
    ran = desk("run", "job.yaml", "--max-cost", "0.25")
    assert ran.code == 5
    assert sandbox.bought == {"video-translations": 1}
    ran = desk("run", "job.yaml", "--max-cost", "0.30")
    assert ran.code == 0, ran
    assert sandbox.bought == {"video-translations": 4}


# -- nothing twice


def test_a_second_run_sends_nothing(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", TRANSLATE)
    assert desk("run", "job.yaml").code == 0
    assert sandbox.creates == {"assets": 1, "video-translations": 4}
    sandbox.reset()
    ran = desk("run", "job.yaml", "--json")
    assert ran.code == 0
    assert sandbox.requests == 0
    assert set(ran.tasks("decision").values()) == {"reuse"}
    assert ran.json["totals"] == {"tasks": 9, "states": {"succeeded": 9}, "reused": 9, "spent": "0.00"}
    assert desk("plan", "job.yaml", "--exit-code").code == 0


def test_what_makes_another_purchase(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    assert desk("run", "job.yaml").code == 0
    same = [
        LIPSYNC.replace("title: First", "title: Second"),
        LIPSYNC.replace("id: dub", "id: voices").replace("steps.dub", "steps.voices"),
        LIPSYNC.replace("name: dubbing", "name: another-job"),
        LIPSYNC.replace("media/clip.mp4", "media/copy.mp4"),
    ]
    desk.write("media/copy.mp4", (desk.folder / "media/clip.mp4").read_bytes())
    for job in same:
        desk.write("job.yaml", job)
        ran = desk("run", "job.yaml")
        assert ran.code == 0, ran
        assert "spent 0.00 USD" in ran.err
    assert sandbox.creates == {"assets": 2, "lipsyncs": 1}
    desk.write("job.yaml", LIPSYNC.replace("title: First", "quality: high"))
    ran = desk("run", "job.yaml")
    assert ran.code == 0, ran
    assert sandbox.creates == {"assets": 2, "lipsyncs": 2}
    assert re.search(r"spent 0\.0[1-9]\d* USD", ran.err)


def test_equal_tasks_share_a_purchase(desk: Desk, sandbox: Sandbox) -> None:
    twin = LIPSYNC.partition("steps:\n")[2].replace("First", "Twin").replace("final", "twin")
    twin = twin.replace("dub", "dub_again").replace("id: save", "id: save_again")
    desk.write("job.yaml", LIPSYNC + twin)
    ran = desk("run", "job.yaml", "--json")
    assert ran.code == 0, ran
    assert sandbox.creates == {"assets": 2, "lipsyncs": 1}
    assert ran.json["totals"]["spent"] == "0.0333"
    assert desk.files("out/*") == {"out/final.mp4", "out/twin.mp4"}


# -- files


def test_only_files_that_are_missing_or_changed_are_downloaded(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", TRANSLATE)
    assert desk("run", "job.yaml").code == 0
    whole = (desk.folder / "out/es-ES.mp4").read_bytes()
    (desk.folder / "out/es-ES.mp4").unlink()
    desk.write("out/fr-FR.mp4", whole + b"edited")
    sandbox.reset()
    planned = desk("plan", "job.yaml", "--json")
    again = {address for address, decision in planned.tasks("decision").items() if decision == "execute"}
    assert again == {"save[lang=es-ES]", "save[lang=fr-FR]"}
    ran = desk("run", "job.yaml")
    assert ran.code == 0, ran
    assert sandbox.creates == {}
    assert sandbox.requests == 4, "each URL is read anew, then fetched"
    assert all((desk.folder / f"out/{lang}.mp4").read_bytes() == whole for lang in ("es-ES", "fr-FR"))
    assert desk.files("out/*") == {f"out/{lang}.mp4" for lang in ("es-ES", "fr-FR", "de-DE", "it-IT")}


def test_a_file_of_the_users_own_is_not_overwritten(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", LIPSYNC)
    desk.write("out/final.mp4", "my own film")
    ran = desk("run", "job.yaml")
    assert ran.code in (1, 2), ran
    assert "final.mp4" in ran.err
    assert "overwrite" in ran.err
    assert (desk.folder / "out/final.mp4").read_text() == "my own film"
    desk.write("job.yaml", LIPSYNC.replace("final.mp4}", "final.mp4, overwrite: true}"))
    assert desk("run", "job.yaml").code == 0
    assert (desk.folder / "out/final.mp4").read_bytes()[4:8] == b"ftyp"
    assert sandbox.bought == {"lipsyncs": 1}
