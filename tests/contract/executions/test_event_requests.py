from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.event_streams import STREAM, WORDS, events_of, streamed
from tests.support.contract.installation import ALL, Administration, Caller, asking, never
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.documents import greeting
from tests.support.http.sse_reader import named, parse


def test_unknown_and_foreign_executions_are_not_found(caller: Caller, stranger: Caller) -> None:
    ran = caller.run(caller.save(greeting()), {"name": "Eve"}).json()

    for each in (ran["executionId"], "7f9c24e8-3b12-4fef-91e0-5c0e2b8f1a6d", "no-such"):
        answer = stranger.get(f"/api/executions/{each}/events")
        assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")


def test_events_want_a_key(caller: Caller, anonymous: httpx2.Client) -> None:
    ran = caller.run(caller.save(greeting()), {"name": "Eve"}).json()

    assert anonymous.get(f"/api/executions/{ran['executionId']}/events").status_code == 401


@pytest.mark.parametrize(
    ("inputs", "query", "status", "code"),
    [
        ({}, "", 400, "INVALID_INPUTS"),
        ({"prompt": "a"}, "?max_credits=0", 402, "MAX_CREDITS_EXCEEDED"),
        ({"prompt": "a"}, "?timeout=x", 400, "INVALID_QUERY"),
    ],
)
def test_what_is_not_accepted_is_answered_as_ever(
    caller: Caller, inputs: Any, query: str, status: int, code: str
) -> None:
    answer = caller.run(caller.save(asking("echo")), inputs, query, headers=STREAM)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_stream_has_the_headers_of_the_rate_limit(administration: Administration) -> None:
    caller = administration.caller("pro", *ALL)
    slug = caller.save(greeting())

    plain = caller.run(slug, {"name": "Eve"})
    stream = caller.run(slug, {"name": "Eve"}, headers=STREAM)

    limits = [name for name in plain.headers if "ratelimit" in name]
    assert limits
    assert [name for name in stream.headers if "ratelimit" in name] == limits
    left = "x-ratelimit-remaining"
    assert int(stream.headers[left]) == int(plain.headers[left]) - 1


def test_a_run_that_is_watched_is_charged_as_any(administration: Administration) -> None:
    caller = administration.caller("business", *ALL)
    slug = caller.save(asking("echo"))

    plain = caller.run(slug, {"prompt": "a"}).json()
    events = streamed(caller, slug, "a")

    assert events[-1].data["creditsCost"] == plain["cost"] > 0
    (charged,) = [each for each in named(events, "node.finished") if each["creditsCost"]]
    assert (charged["nodeId"], charged["creditsCost"]) == ("m0", plain["cost"])


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("text/event-stream;q=0, application/json", False),
        ("text/event-stream; Q=0.000", False),
        ("application/json, text/event-stream; q=0.1", True),
        ("TEXT/EVENT-STREAM;charset=utf-8", True),
    ],
)
def test_a_stream_is_what_the_caller_takes(caller: Caller, accept: str, is_stream: bool) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, headers={"accept": accept})

    kind = "text/event-stream" if is_stream else "application/json"
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("query", ["?async=true", "?timeout=0"])
def test_who_does_not_wait_gets_no_stream(caller: Caller, query: str) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, query, headers=STREAM)

    assert (answer.status_code, answer.json()["_async"]) == (202, True)


def test_a_stream_lasts_as_long_as_its_caller_would_wait(
    caller: Caller, streaming_workflow: str
) -> None:
    events = streamed(caller, streaming_workflow, "[[stub delay=400]] Hello", "?timeout=0.2")

    assert "execution.finished" not in [event.name for event in events]
    rest = events_of(caller, events[0].data["executionId"], events[-1].id)
    assert rest[-1].data["status"] == "completed"


def test_a_repeated_call_is_told_the_first_ones_events(
    caller: Caller, streaming_workflow: str
) -> None:
    inputs, headers = {"prompt": WORDS}, {**STREAM, "idempotency-key": "once"}
    with ThreadPoolExecutor() as pool:
        first = pool.submit(caller.run, streaming_workflow, inputs, headers=headers)
        until(
            lambda: caller.get(f"/api/executions?workflowSlug={streaming_workflow}").json()["rows"]
        )
        meanwhile = caller.run(streaming_workflow, inputs, headers=headers)
        events = parse(first.result(PATIENCE_SECONDS).text)
    later = caller.run(
        streaming_workflow, inputs, headers={**headers, "last-event-id": events[2].id}
    )
    plain = caller.run(streaming_workflow, inputs, headers={"idempotency-key": "once"})

    assert parse(meanwhile.text) == events
    assert parse(later.text) == events[3:]
    assert {each.headers["idempotent-replayed"] for each in (meanwhile, later, plain)} == {"true"}
    assert plain.json()["executionId"] == events[0].data["executionId"]
    assert plain.json()["result"] == events[-1].data["result"]


def test_a_run_that_was_answered_whole_is_told_when_it_is_repeated(caller: Caller) -> None:
    slug, idempotency_key = caller.save(greeting()), {"idempotency-key": "whole"}
    ran = caller.run(slug, {"name": "Eve"}, headers=idempotency_key).json()

    events = parse(caller.run(slug, {"name": "Eve"}, headers={**STREAM, **idempotency_key}).text)

    assert events[0].data["executionId"] == ran["executionId"]
    assert events[-1].data["result"] == ran["result"]


def test_a_stream_is_there_for_browsers_too(browser: Caller) -> None:
    slug = browser.save(greeting())

    events = parse(browser.run(slug, {"name": "Eve"}, headers=STREAM).text)

    assert events[-1].data["source"] == "app"
    assert events_of(browser, events[0].data["executionId"]) == events


def test_only_the_head_of_a_stream_is_not_held(caller: Caller) -> None:
    execution_id = caller.start(caller.save(never()))

    answer = caller.request("HEAD", f"/api/executions/{execution_id}/events")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
