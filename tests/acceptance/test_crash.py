"""Runs that end too early, two at once, and answers that are lost: every purchase is made once."""

from __future__ import annotations

import re
import signal
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from acceptance.conftest import PROJECT, serving
from support.command import until
from support.specs import LIPSYNC, SPEECH, TRANSLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acceptance.conftest import Sandbox
    from support.command import Desk
    from support.proxy import Proxy

OUTPUTS = {f"out/{lang}.mp4" for lang in ("es-ES", "fr-FR", "de-DE", "it-IT")}


def finished(desk: Desk, sandbox: Sandbox) -> None:
    """That the job is done, its files are whole and nothing else lies about, and each film was bought once."""
    assert sandbox.bought == {"video-translations": 4}
    assert sandbox.creates["assets"] == 1
    assert sandbox.state()["client_errors"] == {}, "a key was never sent with another body"
    assert desk.files("out/**/*") | desk.files("out/**/.*") == OUTPUTS
    contents = {(desk.folder / name).read_bytes() for name in OUTPUTS}
    assert len(contents) == 1, "the sandbox gives everybody the same film"
    assert contents.pop()[4:8] == b"ftyp"


# -- SIGKILL


@pytest.mark.parametrize(
    ("spoil", "method", "path"),
    [
        ("hold", "POST", "/v3/assets"),
        ("hold", "POST", "/v3/video-translations"),
        ("hold", "GET", "/v3/video-translations/"),
        ("slow", "GET", "/media/results/"),
    ],
    ids=["before an upload is answered", "before a purchase is answered", "before a status", "in a download"],
)
def test_killed(behind: Desk, sandbox: Sandbox, proxy: Proxy, spoil: str, method: str, path: str) -> None:
    behind.write("job.yaml", TRANSLATE)
    getattr(proxy, spoil).append((method, path))
    with behind.background("run", "job.yaml") as process:
        until(lambda: proxy.spoilt)
        time.sleep(0.1)  # what else is under way goes on a little
        process.kill()
    proxy.go_on.set()
    ran = behind("run", "job.yaml")
    assert ran.code == 0, ran
    finished(behind, sandbox)
    sandbox.reset()
    assert behind("run", "job.yaml").code == 0
    assert sandbox.requests == 0


def test_killed_again_and_again(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", TRANSLATE)
    for tenths in range(4, 10):
        with desk.background("run", "job.yaml") as process:
            time.sleep(tenths / 10)
            process.kill()
    ran = desk("run", "job.yaml")
    assert ran.code == 0, ran
    finished(desk, sandbox)


# -- two at once


def test_two_runs_at_once(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", TRANSLATE)
    with desk.background("run", "job.yaml") as one, desk.background("run", "job.yaml") as two:
        ends = [one.end(), two.end()]
    assert [ran.code for ran in ends] == [0, 0], "\n".join(ran.err for ran in ends)
    finished(desk, sandbox)


def test_two_jobs_that_want_the_same(desk: Desk, sandbox: Sandbox) -> None:
    desk.write("job.yaml", TRANSLATE)
    desk.write("twin.yaml", TRANSLATE.replace("abroad", "twin").replace("out/", "twin/"))
    with desk.background("run", "job.yaml") as one, desk.background("run", "twin.yaml") as two:
        ends = [one.end(), two.end()]
    assert [ran.code for ran in ends] == [0, 0], "\n".join(ran.err for ran in ends)
    assert sum(float(ran.err.partition("spent ")[2].split()[0]) for ran in ends) == pytest.approx(4 * 0.0333, abs=0.02)
    finished(desk, sandbox)


# -- signals


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose jobs take a while."""
    with serving(tmp_path / "long", job_seconds=2.5) as served:
        yield served


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal(bare: Desk, long: Sandbox, number: signal.Signals, code: int) -> None:
    bare.env.update(long.env)
    bare.write("job.yaml", TRANSLATE)
    with bare.background("run", "job.yaml") as process:
        until(lambda: long.bought.get("video-translations") == 4)
        time.sleep(0.3)  # for the last answers
        process.send(number)
        ran = process.end(10)
    assert ran.code == code, ran
    assert "stopping: nothing more is submitted, 4 remote jobs run on at the provider; once more to leave" in ran.err
    assert "to go on: callsheet run job.yaml" in ran.err
    assert "Traceback" not in ran.text
    shown = bare("status", "abroad", "--json")
    assert shown.json["run"]["status"] == "interrupted"
    assert shown.tasks()["dub[lang=es-ES]"] == "detached"
    planned = bare("plan", "job.yaml", "--json").tasks("decision")
    assert {planned[f"dub[lang={lang}]"] for lang in ("es-ES", "fr-FR", "de-DE", "it-IT")} == {"attach"}
    again = bare("run", "job.yaml")
    assert again.code == 0, again
    finished(bare, long)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_leaves_at_once(
    behind: Desk, sandbox: Sandbox, proxy: Proxy, number: signal.Signals, code: int
) -> None:
    """A request whose answer does not come holds the first one up: it may be a purchase."""
    behind.write("job.yaml", LIPSYNC)
    proxy.hold.append(("POST", "/v3/lipsyncs"))
    with behind.background("run", "job.yaml") as process:
        until(lambda: proxy.spoilt)
        process.send(number)
        time.sleep(0.3)
        assert process.popen.poll() is None, "it waits for the answer"
        process.send(number)
        begun = time.monotonic()
        ran = process.end(10)
        assert time.monotonic() - begun < 1
    assert ran.code == code, ran
    assert "Traceback" not in ran.text
    proxy.go_on.set()
    again = behind("run", "job.yaml")
    assert again.code == 0, again
    assert sandbox.bought == {"lipsyncs": 1}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_a_signal_before_anything_is_sent(
    behind: Desk, sandbox: Sandbox, proxy: Proxy, number: signal.Signals, code: int
) -> None:
    """While it still asks whose key it is. SIGTERM simply ends it then, which a shell calls 143."""
    behind.write("job.yaml", LIPSYNC)
    proxy.hold.append(("GET", "/v3/users/me"))
    with behind.background("run", "job.yaml") as process:
        until(lambda: proxy.spoilt)
        process.send(number)
        ran = process.end(5)
    assert ran.code == code, ran
    assert "Traceback" not in ran.text
    assert sandbox.creates == {}


def test_an_answer_that_comes_after_a_signal_is_kept(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    behind.write("job.yaml", LIPSYNC)
    proxy.hold.append(("POST", "/v3/lipsyncs"))
    with behind.background("run", "job.yaml") as process:
        until(lambda: proxy.spoilt)
        process.send(signal.SIGINT)
        time.sleep(0.2)
        proxy.go_on.set()
        ran = process.end(10)
    assert ran.code == 130, ran
    assert behind("plan", "job.yaml", "--json").tasks("decision")["dub"] == "attach"
    again = behind("run", "job.yaml")
    assert again.code == 0, again
    assert len(proxy.of("POST", "/v3/lipsyncs")) == 1


# -- lost answers


def test_a_lost_answer(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    """The provider may have accepted it: asked again with the same key and body, it says what it said before."""
    behind.write("job.yaml", LIPSYNC)
    proxy.lose.append(("POST", "/v3/lipsyncs"))
    ran = behind("run", "job.yaml")
    assert ran.code == 0, ran
    assert sandbox.bought == {"lipsyncs": 1}
    first, second = proxy.of("POST", "/v3/lipsyncs")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body
    assert "spent 0.0333 USD" in ran.err


def test_a_lost_upload(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    behind.write("job.yaml", LIPSYNC)
    proxy.lose.append(("POST", "/v3/assets"))
    assert behind("run", "job.yaml").code == 0
    assert sandbox.creates == {"assets": 2, "lipsyncs": 1}


def test_a_lost_status_fails_nothing(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    behind.write("job.yaml", LIPSYNC)
    proxy.lose += [("GET", "/v3/lipsyncs/")] * 2
    assert behind("run", "job.yaml").code == 0
    assert sandbox.bought == {"lipsyncs": 1}


def test_a_cheap_request_without_a_key_is_sent_again(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    """Speech has no key. It may have been paid for twice, and so it is counted."""
    behind.write("job.yaml", SPEECH)
    proxy.lose.append(("POST", "/v3/voices/speech"))
    ran = behind("run", "job.yaml", "--json")
    assert ran.code == 0, ran
    assert sandbox.bought == {"voices/speech": 2}
    assert ran.tasks("cost")["speak"] == "0.0013", "two seconds of speech, for 0.000667 USD each"
    assert behind("run", "job.yaml").code == 0
    assert sandbox.bought == {"voices/speech": 2}


def test_a_dear_request_without_a_key_is_never_sent_again(behind: Desk, sandbox: Sandbox, proxy: Proxy) -> None:
    behind.write("callsheet.toml", 'resend_below = "0 USD"\n' + PROJECT)
    behind.write("job.yaml", SPEECH)
    proxy.lose.append(("POST", "/v3/voices/speech"))
    for _ in range(2):
        ran = behind("run", "job.yaml", "--json")
        assert ran.code == 6, ran
        assert ran.tasks()["speak"] == "unknown"
        assert ran.tasks()["save"] == "unknown"
        assert ran.json["status"] == "waiting"
        assert re.search(r"speak: unknown: .*may have (been )?accepted", ran.err), ran.err
        assert sandbox.bought == {"voices/speech": 1}
    assert behind("plan", "job.yaml", "--json").tasks("decision")["speak"] == "blocked"


@pytest.mark.parametrize(("below", "code", "bought"), [("0.05 USD", 0, 2), ("0 USD", 6, 1)])
def test_killed_before_a_request_without_a_key_was_answered(
    behind: Desk, sandbox: Sandbox, proxy: Proxy, below: str, code: int, bought: int
) -> None:
    behind.write("callsheet.toml", f'resend_below = "{below}"\n' + PROJECT)
    behind.write("job.yaml", SPEECH)
    proxy.hold.append(("POST", "/v3/voices/speech"))
    with behind.background("run", "job.yaml") as process:
        until(lambda: proxy.spoilt)
        until(lambda: sandbox.bought)
        process.kill()
    proxy.go_on.set()
    ran = behind("run", "job.yaml")
    assert ran.code == code, ran
    assert sandbox.bought == {"voices/speech": bought}
    spent = behind("show", "sentence", "speak", "--json").json["tasks"][0]["remote"]["cost"]
    assert spent == ("0.0013" if bought == 2 else None)


def test_killed_between_the_file_and_its_record(desk: Desk, sandbox: Sandbox) -> None:
    """The file is under its final name and nothing is recorded of it but that it was about to be written."""
    desk.write("job.yaml", LIPSYNC)
    assert desk("run", "job.yaml").code == 0
    with sqlite3.connect(desk.folder / ".callsheet/state.db") as state:
        state.execute("update artifacts set sha256 = '', size = -1, mtime_ns = 0, key = ''")
        state.execute("delete from results where operation like 'std/%'")
    state.close()
    ran = desk("run", "job.yaml")
    assert ran.code == 0, ran
    assert sandbox.bought == {"lipsyncs": 1}
