from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.event_streams import (
    SLOWLY,
    STREAM,
    WORDS,
    begin,
    events_of,
    streamed,
    text_of,
)
from tests.support.contract.installation import Caller, asking, never
from tests.support.contract.shapes import assert_fits, number, uuid, whole_or_null
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.documents import greeting
from tests.support.http.providers import KEY
from tests.support.http.sse_reader import SentEvent, named, parse

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "call" / "stream.md"
NODE = {"executionId": uuid, "nodeId": str, "type": str}
CHILD = {
    "executionId": uuid,
    "childExecutionId": uuid,
    "parentId": uuid,
    "nodeId": str,
    "index": int,
}
DETAILS = {
    *("inputs", "keyId", "httpRequestId", "traceId", "traceUrl", "deliveries", "waitingFor"),
}
"""Members of an execution that its last event leaves out."""
DATA = {
    "execution.started": {
        "executionId": uuid,
        "status": "processing",
        "pollUrl": str,
        "eventsUrl": str,
    },
    "node.started": {**NODE, "attempt": int},
    "node.retrying": {**NODE, "attempt": int, "delayMs": whole_or_null},
    "node.progress": {**NODE, "attempt": int, "item": int, "progress": number},
    "node.token": {**NODE, "attempt": int, "item": int, "offset": int, "text": str},
    "node.finished": {
        **NODE,
        "status": str,
        "attempts": int,
        "durationMs": whole_or_null,
        "creditsCost": int,
        "error": lambda value: value is None or isinstance(value, dict),
        "outputs": lambda value: value is None or isinstance(value, dict),
    },
    "child.started": {**CHILD, "status": "processing"},
    "child.finished": {**CHILD, "status": str},
}


# -- contents --------------------------------------------------------------------------------------


def test_a_run_is_told_from_its_id_to_its_result(caller: Caller) -> None:
    slug = caller.save(greeting())

    answer = caller.run(slug, {"name": "Eve"}, headers=STREAM)

    events = parse(answer.text)
    execution_id = events[0].data["executionId"]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert (events[0].name, events[-1].name) == ("execution.started", "execution.finished")
    assert events[0].data["eventsUrl"] == f"/api/executions/{execution_id}/events"
    for event in events[:-1]:
        assert_fits(event.data, DATA[event.name])
    execution = caller.execution(execution_id)
    nodes = {each["id"]: each for each in execution.pop("nodes")}
    assert execution.pop("retryOf") is None
    assert events[-1].data.items() <= execution.items()
    assert execution.keys() - events[-1].data.keys() == DETAILS
    assert execution["result"] == {"text": "Hello Eve"}
    ended = named(events, "node.finished")
    assert [each["nodeId"] for each in ended] == list(nodes)
    for each in ended:
        shared = each.keys() & nodes[each["nodeId"]].keys()
        assert len(shared) == 6
        assert {name: each[name] for name in shared} == {
            name: nodes[each["nodeId"]][name] for name in shared
        }


def test_the_text_of_a_model_comes_while_it_runs(caller: Caller, streaming_workflow: str) -> None:
    events = streamed(caller, streaming_workflow, SLOWLY)

    reported = [(each.name, each.data.get("nodeId")) for each in events]
    start, end = reported.index(("node.started", "m0")), reported.index(("node.finished", "m0"))
    words = [place for place, each in enumerate(reported) if each == ("node.token", "m0")]
    assert len(words) >= 2
    assert start < words[0] and words[-1] < end
    assert events[-1].data["result"] == {"text": text_of(events)}
    for event in events[:-1]:
        assert_fits(event.data, DATA[event.name])


def test_the_progress_of_a_job_is_told(caller: Caller, painter: str) -> None:
    answer = caller.run_model(painter, {"prompt": "[[stub job=700]] A kettle"}, headers=STREAM)

    events = parse(answer.text)
    reported = named(events, "node.progress")
    assert reported
    assert_fits(reported[0], DATA["node.progress"])
    assert all(0 < each["progress"] < 1 for each in reported)
    assert events[-1].data["status"] == "completed"


def test_a_repeated_attempt_begins_its_text_anew(caller: Caller, chat: str) -> None:
    document = asking(chat)
    document["nodes"][1]["data"]["retry"] = {"attempts": 3, "backoff": 0.05}

    events = streamed(caller, caller.save(document), f"[[stub cut times=1]] {WORDS}")

    (retrying,) = named(events, "node.retrying")
    started = [each for each in named(events, "node.started") if each["nodeId"] == "m0"]
    assert_fits(retrying, {**DATA["node.retrying"], "nodeId": "m0", "attempt": 1})
    assert 40 <= retrying["delayMs"] <= 50
    assert [each["attempt"] for each in started] == [1, 2]
    attempts = [each["attempt"] for each in named(events, "node.token")]
    assert attempts == sorted(attempts)
    assert set(attempts) == {1, 2}
    assert events[-1].data["result"] == {"text": text_of(events)}


def test_a_failure_is_told_of_the_node_and_of_the_execution(
    caller: Caller, streaming_workflow: str
) -> None:
    events = streamed(caller, streaming_workflow, "[[stub fail=400]] Hello")

    ended = {each["nodeId"]: each for each in named(events, "node.finished")}
    assert (ended["m0"]["status"], ended["out"]["status"]) == ("failed", "skipped")
    assert ended["m0"]["error"]["code"] == "PROVIDER_REJECTED"
    assert_fits(ended["m0"]["error"], {"code": str, "message": str})
    assert (events[-1].data["status"], events[-1].data["error"]["nodeId"]) == ("failed", "m0")


def test_a_cancel_is_told_to_who_watches(caller: Caller) -> None:
    execution_id = caller.start(caller.save(never()))
    with ThreadPoolExecutor() as pool:
        watching = pool.submit(events_of, caller, execution_id)
        caller.post(f"/api/executions/{execution_id}/cancel")
        events = watching.result(PATIENCE_SECONDS)

    assert events[-1].data["status"] == "cancelled"
    assert {each["status"] for each in named(events, "node.finished")} == {"cancelled"}


def test_no_event_carries_a_secret(caller: Caller, streaming_workflow: str) -> None:
    answer = caller.run(streaming_workflow, {"prompt": f"My key is {KEY}, {WORDS}"}, headers=STREAM)

    assert parse(answer.text)[-1].data["status"] == "completed"
    of_others = [each for each in parse(answer.text) if each.data.get("nodeId") != "in"]
    assert KEY not in str(of_others), "the form alone shows the caller's own inputs"
    assert KEY not in text_of(parse(answer.text))


def test_a_run_of_a_model_is_told_as_well(caller: Caller, chat: str) -> None:
    answer = caller.run_model(chat, {"prompt": WORDS}, headers=STREAM)

    events = parse(answer.text)
    assert events[-1].data["result"] == {"text": text_of(events)}
    assert events[-1].data["modelIds"] == [chat]


def test_the_client_of_the_guide_follows_a_run(
    caller: Caller, api_access: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_URL", api_access[0])
    monkeypatch.setenv("HEADRACE_API_KEY", api_access[1])
    names: dict[str, Any] = {}
    exec(GUIDE.read_text().split("```python\n")[1].split("```")[0], names)
    execution_id = caller.start(caller.save(greeting()), {"name": "Eve"})

    events = list(names["events"](execution_id))

    reported = [(each.name, each.data) for each in events_of(caller, execution_id)]
    assert events == reported
    assert list(names["events"](execution_id, "1.1"))[-1] == reported[-1]
    assert list(names["events"](execution_id, events_of(caller, execution_id)[-1].id)) == []


def test_the_client_of_the_guide_comes_back_until_there_is_an_answer(
    caller: Caller, api_access: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HEADRACE_API_KEY", api_access[1])
    names: dict[str, Any] = {}
    exec(GUIDE.read_text().split("```python\n")[1].split("```")[0], names)
    execution_id = caller.start(caller.save(greeting()), {"name": "Eve"})
    monkeypatch.setattr(
        names["time"], "sleep", lambda _: monkeypatch.setenv("HEADRACE_URL", api_access[0])
    )

    events = list(names["events"](execution_id))

    assert events[-1][0] == "execution.finished"


# -- resuming --------------------------------------------------------------------------------------


def test_wherever_a_stream_ends_it_is_taken_up_again(
    caller: Caller, streaming_workflow: str
) -> None:
    whole = streamed(caller, streaming_workflow)
    execution_id = whole[0].data["executionId"]

    for place, event in enumerate(whole, 1):
        assert events_of(caller, execution_id, event.id) == whole[place:]
    assert events_of(caller, execution_id) == whole


@pytest.mark.parametrize("count", [1, 4, 6, 8])
def test_who_hangs_up_in_the_middle_misses_nothing(
    caller: Caller, streaming_workflow: str, count: int
) -> None:
    observed = begin(caller, streaming_workflow, count)
    execution_id = observed[0].data["executionId"]
    rest = events_of(caller, execution_id, observed[-1].id)

    assert observed + rest == events_of(caller, execution_id)
    assert rest[-1].data["status"] == "completed"
    assert rest[-1].data["result"] == {"text": text_of(observed + rest)}


def test_all_who_watch_are_told_the_same(caller: Caller, streaming_workflow: str) -> None:
    accepted = caller.run(streaming_workflow, {"prompt": WORDS}, "?async=true").json()
    with ThreadPoolExecutor() as pool:
        watching = [pool.submit(events_of, caller, accepted["executionId"]) for _ in range(4)]
        observed = [each.result(PATIENCE_SECONDS) for each in watching]

    assert all(each == observed[0] for each in observed)
    names = [event.name for event in observed[0]]
    assert (names[0], names[-1]) == ("execution.started", "execution.finished")
    assert names.count("node.finished") == 3


def test_who_comes_late_is_told_the_texts_of_models_that_begin_later(
    caller: Caller, chat: str
) -> None:
    slug = caller.save(asking(chat, 2))
    execution_id = caller.start(slug, {"prompt": f"[[stub delay=500]] {WORDS}"})

    def statuses() -> dict[str, str]:
        return {each["id"]: each["status"] for each in caller.execution(execution_id)["nodes"]}

    until(statuses, lambda found: found["m0"] == "running")

    events = events_of(caller, execution_id)

    assert {each["nodeId"] for each in named(events, "node.token")} == {"m1"}
    assert events[-1].data["result"] == {"text": text_of(events)}


def test_what_ended_unwatched_is_told_from_its_record(caller: Caller) -> None:
    ran = caller.run(caller.save(greeting()), {"name": "Eve"}).json()

    events = events_of(caller, ran["executionId"])

    assert [event.name for event in events] == [
        "execution.started",
        *(["node.started", "node.finished"] * 3),
        "execution.finished",
    ]
    assert events_of(caller, ran["executionId"], events[3].id) == events[4:]


def test_who_has_seen_the_end_has_nothing_to_come_back_for(caller: Caller) -> None:
    ran = caller.run(caller.save(greeting()), {"name": "Eve"}, headers=STREAM)
    events = parse(ran.text)
    path = f"/api/executions/{events[0].data['executionId']}/events"

    answer = caller.get(path, headers={"last-event-id": events[-1].id})

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("text", ["x", "1", "1.1.1", "-1.1", "1.1, 2.1"])
def test_an_id_that_is_none_is_refused(caller: Caller, text: str) -> None:
    slug = caller.save(greeting())
    ran = caller.run(slug, {"name": "Eve"}).json()
    headers = {**STREAM, "last-event-id": text}

    for answer in (
        caller.get(f"/api/executions/{ran['executionId']}/events", headers=headers),
        caller.run(slug, {"name": "Eve"}, headers=headers),
    ):
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, "INVALID_QUERY")
        assert body["field"] == "Last-Event-ID"


# -- previews --------------------------------------------------------------------------------------


def outputs_of(events: list[SentEvent]) -> dict[str, Any]:
    return {each["nodeId"]: each["outputs"] for each in named(events, "node.finished")}


def test_a_finished_node_shows_the_beginning_of_its_outputs(caller: Caller) -> None:
    document = greeting()
    document["nodes"][1]["data"]["text"] = "é" * 3_000
    document["edges"] = document["edges"][1:]
    execution_id = caller.run(caller.save(document), {"name": "Eve"}).json()["executionId"]

    outputs = outputs_of(events_of(caller, execution_id))

    assert outputs["text"] == {"text-out": {"text": "é" * 1_024, "truncated": True}}
    assert (outputs["in"], outputs["out"]) == (None, None)


def test_previews_are_the_same_when_the_stream_is_taken_up_again(
    caller: Caller, streaming_workflow: str
) -> None:
    events = streamed(caller, streaming_workflow)
    execution_id, place = events[0].data["executionId"], len(events) // 2

    again = events_of(caller, execution_id, events[place].id)

    assert outputs_of(events)["m0"] == {"text-out": {"text": text_of(events), "truncated": False}}
    assert outputs_of(again) == outputs_of(events[place + 1 :])


def test_a_medium_is_shown_by_its_url(caller: Caller, painter: str) -> None:
    answer = caller.run_model(painter, {"prompt": "A kettle"}, headers=STREAM)

    events = parse(answer.text)
    (shown,) = (each for each in outputs_of(events).values() if each and "image-out" in each)
    urls = events[-1].data["result"]["images"]
    assert shown["image-out"] == {"urls": urls, "truncated": False}
