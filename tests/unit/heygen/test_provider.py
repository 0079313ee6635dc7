from __future__ import annotations

import asyncio

import pytest
from support.task_context import OneReply, reply

from callsheet.api import AccessRefused, CredentialsError, Pace, RateLimited, Retryable, ServerError
from callsheet.schema import Checker
from callsheet_heygen.provider import HeyGen

HEYGEN = HeyGen()


def test_the_key_is_from_the_environment():
    made = HEYGEN.connect({}, {"HEYGEN_API_KEY": " k-123\n"})
    assert made.base_url == "https://api.heygen.com"
    assert made.headers == {"X-Api-Key": "k-123"}
    assert made.secrets == {"k-123"}
    assert "k-123" not in made.credential
    assert len(made.credential) == 64


def test_the_key_may_stand_in_a_file(tmp_path):
    file = tmp_path / "key"
    file.write_text("k-456\n", "utf-8")
    assert HEYGEN.connect({}, {"HEYGEN_API_KEY_FILE": str(file)}).headers == {"X-Api-Key": "k-456"}
    both = {"HEYGEN_API_KEY": "k-123", "HEYGEN_API_KEY_FILE": str(file)}
    assert HEYGEN.connect({}, both).headers == {"X-Api-Key": "k-123"}


def test_the_address_is_from_environment_then_settings():
    settings = {"api_base": "http://127.0.0.1:9/"}
    key = {"HEYGEN_API_KEY": "k"}
    assert HEYGEN.connect(settings, key).base_url == "http://127.0.0.1:9"
    assert HEYGEN.connect(settings, {**key, "HEYGEN_API_BASE": "http://127.0.0.1:10"}).base_url == "http://127.0.0.1:10"


def test_another_key_or_address_is_another_credential():
    made = {
        HEYGEN.connect({"api_base": base}, {"HEYGEN_API_KEY": key}).credential
        for key in ("a", "b")
        for base in ("https://one.test", "https://two.test")
    }
    assert len(made) == 4


@pytest.mark.parametrize("env", [{}, {"HEYGEN_API_KEY": "  "}, {"HEYGEN_API_KEY_FILE": "/does/not/exist"}])
def test_a_missing_key_says_how_to_set_it(env):
    with pytest.raises(CredentialsError) as caught:
        HEYGEN.connect({}, env)
    assert "export HEYGEN_API_KEY=" in caught.value.hint


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_an_impossible_key_is_refused_and_not_shown(key):
    with pytest.raises(CredentialsError) as caught:
        HEYGEN.connect({}, {"HEYGEN_API_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["api.heygen.com", "ftp://x.test", "https://", "https://me:secret@x.test", "https://x.test?a=1"]
)
def test_an_impossible_address_is_refused_and_not_shown(base):
    with pytest.raises(CredentialsError) as caught:
        HEYGEN.connect({}, {"HEYGEN_API_KEY": "k", "HEYGEN_API_BASE": base})
    assert "secret" not in str(caught.value)


def test_limits_have_defaults():
    assert HEYGEN.limits({}).jobs == {"jobs": 10}
    assert HEYGEN.limits({}).requests_per_second == 5.0
    own = HEYGEN.limits({"concurrency": 20, "requests_per_second": 2})
    assert (own.jobs, own.requests_per_second) == ({"jobs": 20}, 2.0)


def test_the_pace_can_be_set():
    assert HEYGEN.limits({}).pace is None
    assert HEYGEN.limits({"poll": {"first": 0.1, "longest": 1}}).pace == Pace(first=0.1, longest=1.0)


def test_settings_are_checked():
    checker = Checker(HEYGEN.settings)
    assert checker.faults({"api_base": "https://x.test", "concurrency": 2, "poll": {"first": 1, "longest": 5}}) == []
    assert {fault.path for fault in checker.faults({"concurrency": 0, "poll": {"frist": 1}, "key": "x"})} == {
        ("concurrency",),
        ("poll", "frist"),
        ("key",),
    }


def identify(answer):
    return asyncio.run(HEYGEN.identify(OneReply(answer)))


def test_the_account_is_the_user_at_the_host():
    envelope = {"code": 100, "data": {"username": "ann", "email": "ann@x.test"}, "message": "Success"}
    assert identify(reply(200, envelope)) == "ann@api.test"
    assert identify(reply(200, {"data": {"username": None, "email": "ann@x.test"}})) == "ann@x.test@api.test"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(401, {}), AccessRefused),
        (reply(403, raw=b"<html>"), AccessRefused),
        (reply(429, {}), RateLimited),
        (reply(503, raw=b"<html>"), ServerError),
        (reply(200, raw=b"<html>"), Retryable),
        (reply(200, {"data": None}), Retryable),
        (reply(200, {"data": {"username": ""}}), Retryable),
        (reply(200, []), Retryable),
    ],
)
def test_an_account_that_is_not_told(answer, error):
    with pytest.raises(error):
        identify(answer)
