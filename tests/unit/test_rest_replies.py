"""What the replies of a provider mean, to a request and to the question after a job."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.acme import UNSAFE, check, operation, start
from support.task_context import OneReply, TaskContext, reply

from callsheet.api import (
    AccessRefused,
    Ambiguous,
    Done,
    InvalidInput,
    Media,
    NotReady,
    OutOfCredit,
    RateLimited,
    Rejected,
    Retryable,
    ServerError,
    Waiting,
)

# -- replies to the request


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_2xx_with_an_id_is_accepted(status):
    found = start(operation(), reply(status, {"data": {"id": "p1", "status": "new"}}))
    assert found == Waiting({"id": "p1", "inputs": {"subject": "a boat"}}, "new")


def test_an_id_may_be_a_number():
    assert start(operation(), reply(200, {"data": {"id": 7}})).handle["id"] == "7"


@pytest.mark.parametrize("document", [None, {}, {"data": {"id": ""}}, {"data": {"id": True}}, [], {"data": "x"}])
def test_2xx_without_an_id_is_ambiguous(document):
    for made in (operation(), operation(**UNSAFE)):
        with pytest.raises(Ambiguous, match="accepted, id unknown"):
            start(made, reply(200, document))


@pytest.mark.parametrize("raw", [b"<html>hello</html>", b"", b'{"data": {"id"', b"\xff\xfe", b"[" * 100_000])
def test_2xx_that_is_no_json_is_ambiguous(raw):
    with pytest.raises(Ambiguous):
        start(operation(), reply(200, raw=raw))


def test_2xx_with_an_error_is_a_failure():
    with pytest.raises(Rejected, match="Acme: no paint"):
        start(operation(), reply(200, {"error": {"code": "dry", "message": "no paint"}}))
    with pytest.raises(OutOfCredit):
        start(operation(), reply(200, {"error": {"code": "QUOTA", "message": "none left"}}))


def test_an_id_beside_an_error_counts_more():
    assert start(operation(), reply(200, {"data": {"id": "p1"}, "error": {"code": "odd"}})).handle["id"] == "p1"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "bad", InvalidInput),
        (401, "", AccessRefused),
        (402, "", OutOfCredit),
        (404, "gone", InvalidInput),
        (409, "in_progress", NotReady),
        (409, "IN_PROGRESS", NotReady),
        (409, "conflict", Rejected),
        (413, "", InvalidInput),
        (418, "teapot", Rejected),
        (422, "", InvalidInput),
        (429, "quota", OutOfCredit),
        (429, "slow_down", RateLimited),
        (500, "", ServerError),
        (502, "", ServerError),
        (307, "", Rejected),
    ],
)
def test_statuses_have_classes(status, code, error):
    answer = reply(status, {"error": {"code": code, "message": "no", "param": "what"}}, x_request_id="req_9")
    with pytest.raises(error) as caught:
        start(operation(), answer)
    assert type(caught.value) is error
    assert caught.value.request_id == "req_9"
    assert f"HTTP {status}" in caught.value.message
    assert 'param "what"' in caught.value.message
    assert "request id req_9" in caught.value.message
    assert caught.value.code == (code or str(status))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_without_a_key_is_ambiguous(status):
    with pytest.raises(Ambiguous):
        start(operation(**UNSAFE), reply(status, raw=b"<html>Bad Gateway</html>"))


def test_a_redirect_says_that_it_is_not_followed():
    with pytest.raises(Rejected, match="never followed"):
        start(operation(), reply(307, location="https://evil.test/"))


def test_html_of_a_gateway_is_safe():
    with pytest.raises(ServerError, match=r"Acme: no reason given \(HTTP 502\)"):
        start(operation(), reply(502, raw=b"<html>Bad Gateway</html>"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "2"}, 2.0),
        ({"retry_after": "Sun, 09 Sep 2001 01:47:40 GMT", "date": "Sun, 09 Sep 2001 01:46:40 GMT"}, 60.0),
        ({"retry_after": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_handed_on(headers, seconds):
    with pytest.raises(RateLimited) as caught:
        start(operation(), reply(429, {}, **headers))
    assert caught.value.retry_after == seconds


def test_the_hint_of_the_table_is_given():
    with pytest.raises(AccessRefused) as caught:
        start(operation(), reply(401, {}))
    assert caught.value.hint == "set ACME_KEY"


def test_texts_of_the_provider_are_made_plain():
    text = "cannot fetch https://cdn.test/a.png?X-Amz-Signature=secret\n\x1b[31m" + "x" * 1000
    with pytest.raises(InvalidInput) as caught:
        start(operation(), reply(400, {"error": {"message": text}}))
    assert "secret" not in caught.value.message
    assert "https://cdn.test/a.png?…" in caught.value.message
    assert "\x1b" not in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 600


# -- polling


def test_done_gives_all_outputs_that_are_there():
    found = check(reply(200, {"data": {"status": "Ready", "url": "https://cdn.test/p.png", "size": None}}))
    assert found == Done({"picture": Media("image", fresh="https://cdn.test/p.png"), "subject": "a boat"})


def test_the_first_place_that_is_not_null_counts():
    data = {"status": "complete", "best": "https://cdn.test/b.png", "url": "https://cdn.test/p.png", "size": 3}
    found = check(reply(200, {"data": data}))
    assert found.outputs["picture"].fresh == "https://cdn.test/b.png"
    assert found.outputs["size"] == 3


@pytest.mark.parametrize("status", ["new", "optimizing", "succeeded", "READYISH"])
def test_an_unknown_status_means_running(status):
    found = check(reply(200, {"data": {"status": status}}))
    assert found == Waiting({"id": "p/1", "inputs": {"subject": "a boat"}}, status)


@pytest.mark.parametrize("url", [None, "", 7, {}])
def test_done_without_its_result_goes_on_waiting(url):
    assert check(reply(200, {"data": {"status": "ready", "url": url}})).status == "ready, picture not there yet"


@pytest.mark.parametrize(
    ("data", "told", "code"),
    [
        ({"why": {"code": "dry", "text": "no paint left"}}, "Acme could not do it: no paint left", "dry"),
        ({"why": {"code": "dry", "text": None}}, "Acme could not do it: dry", "dry"),
        ({"why": None}, "Acme could not do it: it gives no reason", ""),
        ({}, "Acme could not do it: it gives no reason", ""),
    ],
)
def test_failed_is_final_with_or_without_a_reason(data, told, code):
    with pytest.raises(Rejected) as caught:
        check(reply(200, {"data": {"status": "broken", **data}}))
    assert caught.value.message == told
    assert caught.value.code == code
    assert caught.value.kind == "provider_failed"


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, {"error": {"code": "gone"}}),
        reply(400, {}),
        reply(402, {}),
        reply(409, {}),
        reply(500, {}),
        reply(503, raw=b"<html></html>"),
        reply(307, location="https://evil.test/"),
        reply(200, raw=b""),
        reply(200, raw=b"<html></html>"),
        reply(200, raw=b'{"data":'),
        reply(200, {"data": None}),
        reply(200, {"data": {}}),
        reply(200, {"data": {"status": None}}),
        reply(200, {"error": {"code": "odd"}}),
    ],
)
def test_a_poll_error_never_fails_a_task(answer):
    with pytest.raises(Retryable):
        check(answer)


def test_a_poll_that_is_throttled_says_how_long():
    with pytest.raises(RateLimited) as caught:
        check(reply(429, {"error": {"code": "quota"}}, retry_after="7"))
    assert caught.value.retry_after == 7.0


def test_a_refused_key_stops_polling():
    with pytest.raises(AccessRefused):
        check(reply(401, {}))


@pytest.mark.parametrize("lost", [Ambiguous("no answer"), Rejected("over 16 MB")])
def test_a_poll_without_an_answer_is_retryable(lost):
    class Lost:
        account = ""

        async def request(self, method: str, path: str) -> Any:
            raise lost

    with pytest.raises(Retryable):
        asyncio.run(operation().check({"id": "p1"}, TaskContext(Lost())))


def test_ids_are_quoted_in_the_path():
    client = OneReply(reply(200, {"data": {"status": "new"}}))
    asyncio.run(operation().check({"id": "../a?b"}, TaskContext(client)))
    assert client.asked[0]["path"] == "/pictures/..%2Fa%3Fb"
