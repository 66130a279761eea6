import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.script import CallScript, read_script, without_marks
from tests.deploy.stub_provider.conftest import Open

CHAT = "/v1/chat/completions"


def send(stub: TestClient, prompt: str = "Hi", script: str = "", **body: Any) -> Any:
    chat_request = {"model": "m", "messages": [{"role": "user", "content": prompt}], **body}
    return stub.post(CHAT, json=chat_request, headers={"x-stub": script})


def test_the_nearer_a_script_stands_to_the_call_the_more_it_counts() -> None:
    body = b'{"prompt": "a [[stub delay=3 fail=500]] b [[stub retry-after=1.5]]"}'

    script = read_script(
        "delay=4", "delay=5; cut", model="stub-slow-2ms", body=body, base="times=7"
    )

    wanted = CallScript(delay=5, fail=500, retry_after=1.5, times=7, fault="cut")
    assert script == wanted


@pytest.mark.parametrize(
    ("model", "script"),
    [
        ("stub-slow-1000ms", CallScript(delay=1000)),
        ("acme/stub-fail-503", CallScript(fail=503)),
        ("stub-wrong-type", CallScript(fault="wrong-type")),
        ("stub-text", CallScript()),
        ("gpt-x", CallScript()),
    ],
)
def test_a_models_name_can_be_a_script(model: str, script: CallScript) -> None:
    assert read_script(model=model) == script


@pytest.mark.parametrize("text", ["dely=3", "delay", "delay=soon", "fail=200", "fail=700", "burn"])
def test_a_word_that_no_script_has_is_refused(stub: TestClient, text: str) -> None:
    with pytest.raises(StubRefused):
        read_script(text)
    assert send(stub, script=text).status_code == 400


def test_marks_are_not_carried_on_by_an_answer(stub: TestClient) -> None:
    reply = send(stub, "A cat [[stub delay=1]]").json()

    assert reply["choices"][0]["message"]["content"] == "(stub) A cat"
    assert without_marks("a [[stub]]") == "a"


def test_an_answer_begins_after_its_delay(stub: TestClient) -> None:
    began = time.monotonic()

    answer = send(stub, script="delay=120")

    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.12


def test_a_script_can_stand_in_the_query(stub: TestClient) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

    assert stub.post(f"{CHAT}?stub=fail=503", json=body).status_code == 503


def test_a_script_of_the_server_holds_for_every_call(open_stub: Open) -> None:
    stub = open_stub(script="fail=500")

    assert send(stub).status_code == 500


def test_a_rate_limit_can_be_scripted_with_its_headers(stub: TestClient) -> None:
    answer = send(stub, script="fail=429 retry-after=2.5")

    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["retry-after-ms"] == "2500"
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"
    assert answer.headers["x-ratelimit-reset-requests"] == "2.5s"
    assert "x-ratelimit-limit-requests" not in answer.headers, "it keeps none"


def test_a_call_fails_a_few_times_and_then_succeeds(stub: TestClient) -> None:
    script = "fail=500 times=2"

    first = [send(stub, "one", script).status_code for _ in range(4)]
    other = [send(stub, "two", script).status_code for _ in range(3)]

    assert first == [500, 500, 200, 200]
    assert other == [500, 500, 200]


def test_calls_under_one_name_are_counted_together(stub: TestClient) -> None:
    script = "fail=500 times=2 key=together"

    assert [send(stub, prompt, script).status_code for prompt in "abc"] == [500, 500, 200]


def test_a_failed_submit_makes_no_job(stub: TestClient) -> None:
    stub.post("/jobs", json={"input": {}}, headers={"x-stub": "fail=503"})

    assert stub.get("/stub/calls").json()["jobs"]["created"] == 0


def test_garbage_is_no_json(stub: TestClient) -> None:
    answer = send(stub, script="garbage")

    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_the_wrong_type_is_a_page(stub: TestClient) -> None:
    answer = send(stub, script="wrong-type")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_a_dripping_answer_is_whole_in_the_end(stub: TestClient) -> None:
    began = time.monotonic()

    answer = send(stub, script="drip pace=1")

    assert answer.json()["choices"][0]["message"]["content"] == "(stub) Hi"
    assert time.monotonic() - began >= 0.001 * (len(answer.content) - 1)


@pytest.mark.parametrize(
    ("path", "headers", "end"),
    [
        (CHAT, {}, '"code":null}}\n\n'),
        ("/v1/messages", {"x-api-key": "k", "anthropic-version": "1"}, '"}\n\n'),
    ],
)
def test_a_stream_can_end_in_an_error(
    stub: TestClient, path: str, headers: dict[str, str], end: str
) -> None:
    messages = [{"role": "user", "content": "one two three"}]
    body = {"model": "m", "max_tokens": 99, "stream": True, "messages": messages}

    answer = stub.post(path, json=body, headers={**headers, "x-stub": "stream-error"})

    assert answer.status_code == 200
    assert '"error":{' in answer.text
    assert answer.text.endswith(end)
    assert "[DONE]" not in answer.text
    assert "message_stop" not in answer.text


def test_what_arrived_is_counted_until_it_is_reset(stub: TestClient) -> None:
    send(stub, "Hi", "fail=429")
    send(stub, "Ho")
    stub.get("/v1/models")

    report = stub.get("/stub/calls").json()
    stub.post("/stub/reset")
    after = stub.get("/stub/calls").json()

    assert report["total"] == 3
    assert report["byPath"] == {CHAT: 2, "/v1/models": 1}
    assert report["byStatus"] == {"429": 1, "200": 2}
    assert (report["status429"], report["running"], report["mostAtOnce"]) == (1, 0, 1)
    assert report["tokens"] == {"input": 1, "output": 3}
    assert [call["prompt"] for call in report["recent"]] == ["Hi", "Ho", ""]
    assert (after["total"], after["recent"]) == (0, [])
