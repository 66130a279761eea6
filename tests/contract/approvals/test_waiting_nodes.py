"""Nodes that wait, as they are saved, and delays as they run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.contract.approvals import asking_person, begin, delaying, node_of, waits_of
from tests.support.contract.installation import Caller
from tests.support.contract.shapes import assert_fits, moment
from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import body_of, calling

DAYS_30 = 2_592_000


def at(seconds: float) -> str:
    """Return the time so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text)


def wired(socket: str) -> Graph:
    """Input `who` and `time` → a delay whose time is wired → output."""
    graph = Graph("who", "time").node("later", "delay").node("out", "responseOutput")
    return graph.wire(
        *("in.who > later.value-in", f"in.time > later.{socket}"),
        "later.value-out > out.result-in",
    )


def problems_of(caller: Caller, graph: Graph) -> list[Any]:
    answer = caller.post("/api/workflows/check", body_of(graph))
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["problems"]
    return found


# -- saved -----------------------------------------------------------------------------------------


def test_what_a_node_that_waits_cannot_have_is_a_problem_at_save(caller: Caller) -> None:
    both = wired("seconds-in").wire("in.who > later.until-in")
    graphs = {
        "seconds": [delaying(), delaying(seconds=-1), delaying(seconds=DAYS_30 + 1)],
        "until": [
            delaying(seconds=1, until=at(9)),
            delaying(until=at(DAYS_30 + 60)),
            delaying(until="tomorrow"),
        ],
        None: [both],
        "timeoutSeconds": [
            delaying(seconds=1, timeoutSeconds=5),
            asking_person(timeoutSeconds=59),
            asking_person(timeoutSeconds=DAYS_30 + 1),
        ],
        "retry": [
            delaying(seconds=1, retry={"attempts": 2}),
            asking_person(retry={"attempts": 2}),
        ],
        "onTimeout": [asking_person(onTimeout="cancel")],
        "fields": [asking_person(fields=[{"name": "a", "type": "text", "default": "x" * 70_000}])],
        "fields[0].type": [asking_person(fields=[{"name": "a", "type": "image"}])],
    }
    for field, wrong in graphs.items():
        for graph in wrong:
            [problem] = problems_of(caller, graph)
            assert problem["nodeId"] in ("later", "ask")
            assert problem.get("field") == field, problem
    [unwired] = problems_of(caller, asking_person(title="{{ who }} and {{ another }}"))
    assert "another" in unwired["reason"]
    refused = caller.create(delaying().body())
    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_GRAPH")


def test_what_a_node_that_waits_may_have_is_no_problem(caller: Caller) -> None:
    for graph in (
        delaying(seconds=0),
        delaying(seconds=DAYS_30),
        delaying(until="2020-01-01T00:00:00+02:00"),
        wired("seconds-in"),
        wired("until-in"),
        asking_person(timeoutSeconds=60, onTimeout="refuse"),
        asking_person(timeoutSeconds=DAYS_30, onTimeout="approve", fields=[]),
    ):
        assert problems_of(caller, graph) == []


def test_a_public_workflow_asks_nobody(caller: Caller) -> None:
    public = {**asking_person().body(), "publicPlayground": True}
    refused = caller.create(public)
    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_GRAPH")
    assert [each["nodeId"] for each in refused.json()["problems"]] == ["ask"]
    slug = caller.save(asking_person().body())
    caller_slug = caller.save(calling(slug).body())
    for private in (slug, caller_slug):
        switched = caller.put(f"/api/workflows/{private}", {"publicPlayground": True})
        assert (switched.status_code, switched.json()["code"]) == (400, "INVALID_GRAPH")
        assert caller.get(f"/api/workflows/{private}").json()["publicPlayground"] is False
    delayed = caller.create({**delaying(seconds=0).body(), "publicPlayground": True})
    assert delayed.status_code == 201


def test_the_catalogue_names_both_under_control(caller: Caller) -> None:
    found = {each["type"]: each for each in caller.get("/api/node-types").json()}

    outputs = {
        kind: [each["name"] for each in found[kind]["outputs"]] for kind in ("delay", "approval")
    }
    assert {found[kind]["category"] for kind in outputs} == {"Control"}
    assert outputs["delay"] == ["value-out", "error-out"]
    assert outputs["approval"] == ["approved-out", "refused-out", "answer-out", "error-out"]


# -- delays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["seconds", "until"])
def test_a_delay_passes_its_value_on_at_its_time(caller: Caller, setting: str) -> None:
    settings = {"seconds": 1.2} if setting == "seconds" else {"until": at(1.5)}
    execution_id = caller.start(caller.save(delaying(**settings).body()), {"who": "Ada"})
    [entry] = waits_of(caller, execution_id)

    known = {"nodeId": "later", "kind": "delay", "since": moment, "until": moment}
    assert_fits(entry, known)
    shown = caller.execution(execution_id)
    if shown["status"] == "processing":
        assert node_of(shown, "later")["status"] in ("waiting", "running", "completed")
    ended = caller.ended(execution_id)
    assert (ended["status"], ended["result"]) == ("completed", "Ada")
    assert parse(ended["completedAt"]) >= parse(entry["until"])
    assert ended["waitingFor"] == []


@pytest.mark.parametrize(
    ("socket", "time", "code"),
    [
        ("seconds-in", "soon", "invalid_inputs"),
        ("until-in", "tomorrow", "invalid_inputs"),
        ("until-in", "9999-01-01T00:00:00Z", "invalid_inputs"),
        ("until-in", "2020-01-01T00:00:00Z", None),
    ],
)
def test_a_wired_time_that_is_over_is_no_wait_and_a_wrong_one_fails(
    caller: Caller, socket: str, time: str, code: str | None
) -> None:
    answer = caller.run(caller.save(wired(socket).body()), {"who": "Ada", "time": time})

    if code is None:
        assert (answer.status_code, answer.json()["result"]) == (200, "Ada")
    else:
        assert (answer.status_code, answer.json()["nodeCode"]) == (500, code)


def test_a_wire_wins_over_the_settings(caller: Caller) -> None:
    graph = wired("until-in")
    graph.nodes[1]["data"] = {"seconds": DAYS_30}

    answer = caller.run(caller.save(graph.body()), {"who": "Ada", "time": "2020-01-01T00:00:00Z"})

    assert answer.json()["result"] == "Ada"


def test_a_node_that_waits_is_shown_as_waiting(caller: Caller) -> None:
    execution_id = begin(caller, delaying(seconds=3_600))

    shown = caller.execution(execution_id)

    assert (shown["status"], node_of(shown, "later")["status"]) == ("processing", "waiting")
    [entry] = shown["waitingFor"]
    assert parse(entry["until"]) - parse(entry["since"]) == timedelta(hours=1)
