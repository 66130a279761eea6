"""Executions that the nodes of others begin: their records, lists, streams, ends and retries."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, uuid
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested_graphs import calling, per_item
from tests.support.http.sse_reader import named, parse
from tests.support.http.target import Stub

STREAM = {"accept": "text/event-stream"}
ITEMS = ["a", "b", "c"]
COUNTS = ("queued", "processing", "completed", "failed", "cancelled")


def counts(**known: int) -> dict[str, int]:
    return {name: known.get(name, 0) for name in COUNTS}


def fetching(url: str) -> Graph:
    """Input `who` → a call of `url` with it → output."""
    graph = Graph("who").node("call", "httpRequest", url=url + "/{{ who }}")
    graph.node("out", "responseOutput")
    return graph.wire("in.who > call.who", "call.response-out > out.result-in")


def begin(caller: Caller, graph: Graph, inputs: Any) -> str:
    """Save a workflow and begin a run of it; return its id."""
    return caller.start(caller.save(graph.body()), inputs)


def node_of(execution: Any, node_id: str) -> Any:
    [node] = [each for each in execution["nodes"] if each["id"] == node_id]
    return node


def listed(caller: Caller, parent_id: str, node_id: str, **query: Any) -> Sequence[Any]:
    """Return the rows of all pages of a node's children."""
    rows: list[Any] = []
    params = {"parentId": parent_id, "parentNodeId": node_id, **query}
    while True:
        answer = caller.get("/api/executions", params=params)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        rows += body["rows"]
        if body["nextCursor"] is None:
            return rows
        params["cursor"] = body["nextCursor"]


def waiting(caller: Caller, execution_id: str, node_id: str, count: int) -> Any:
    """Return the execution once so many children of its node run."""
    deadline = time.monotonic() + 60
    while True:
        found = caller.execution(execution_id)
        node = node_of(found, node_id)
        if node.get("childStatuses", {}).get("processing") == count:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


# -- records ---------------------------------------------------------------------------------------


def test_each_item_of_a_list_is_an_execution_below_the_run(caller: Caller) -> None:
    slug = caller.save(per_item(greeting()).body())
    answer = caller.run(slug, {"items": ITEMS})

    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] == {"results": ["Hello a", "Hello b", "Hello c"], "errors": []}
    root_id = answer.json()["executionId"]
    root = caller.execution(root_id)
    place = ("parentId", "parentNodeId", "rootId", "depth", "childIndex")
    assert [root[name] for name in place] == [None, None, None, 0, None]
    each = node_of(root, "each")
    rows = listed(caller, root_id, "each")
    assert each["status"] == "completed"
    assert each["childCount"] == 3
    assert each["childExecutionIds"] == [row["executionId"] for row in rows]
    assert each["childStatuses"] == counts(completed=3)
    assert "childCount" not in node_of(root, "in")
    for index, row in enumerate(rows):
        assert [row[name] for name in place] == [root_id, "each", root_id, 1, index]
        assert (row["source"], row["status"]) == ("sub", "completed")
        assert (row["workflowSlug"], row["workflowVersion"]) == (slug, 1)
        assert row["result"] == {"text": f"Hello {ITEMS[index]}"}
        assert row["createdAt"] <= row["completedAt"] <= root["completedAt"]


def test_a_child_shows_its_own_nodes_and_their_values(caller: Caller) -> None:
    root_id = caller.ended(begin(caller, per_item(greeting()), {"items": ITEMS}))["executionId"]
    child = caller.execution(listed(caller, root_id, "each")[1]["executionId"])

    assert [(node["id"], node["type"], node["status"]) for node in child["nodes"]] == [
        ("in", "requestInput", "completed"),
        ("t0", "textBox", "completed"),
        ("out", "responseOutput", "completed"),
    ]
    assert child["inputs"] == {"who": "b"}
    values = caller.get(f"/api/executions/{child['executionId']}/nodes/t0").json()
    assert values["inputs"] == {"a": "b"}
    assert values["outputs"] == {"text-out": "Hello b"}
    parents = caller.get(f"/api/executions/{root_id}/nodes/each").json()
    assert parents["inputs"] == {"who": ITEMS}
    assert parents["outputs"]["results-out"] == ["Hello a", "Hello b", "Hello c"]


def test_a_called_workflow_is_one_child_of_its_own_slug(caller: Caller) -> None:
    called = caller.save(greeting().body())
    answer = caller.run(caller.save(calling(called).body()), {"who": "Ada"})

    assert answer.json()["result"] == "Hello Ada"
    root_id = answer.json()["executionId"]
    [row] = listed(caller, root_id, "call")
    assert (row["workflowSlug"], row["workflowVersion"], row["childIndex"]) == (called, 1, 0)
    assert (row["rootId"], row["depth"]) == (root_id, 1)
    assert row["result"] == {"text": "Hello Ada"}


def test_children_have_children(caller: Caller) -> None:
    answer = caller.run(
        caller.save(per_item(per_item(greeting())).body()), {"items": [["a", "b"], ["c"]]}
    )

    root_id = answer.json()["executionId"]
    results = [
        {"results": ["Hello a", "Hello b"], "errors": []},
        {"results": ["Hello c"], "errors": []},
    ]
    assert answer.json()["result"] == {"results": results, "errors": []}
    for index, outer in enumerate(listed(caller, root_id, "each")):
        inner = listed(caller, outer["executionId"], "each")
        assert len(inner) == len(results[index]["results"])
        assert {(row["parentId"], row["rootId"], row["depth"]) for row in inner} == {
            (outer["executionId"], root_id, 2)
        }
        shown = caller.execution(inner[0]["executionId"])
        assert [node["id"] for node in shown["nodes"]] == ["in", "t0", "out"]


def test_the_body_of_a_draft_has_children_with_their_nodes(caller: Caller) -> None:
    slug = caller.save(greeting().body())
    graph = per_item(per_item(greeting())).body()
    draft = {"nodes": graph["nodes"], "edges": graph["edges"]}
    assert caller.put(f"/api/workflows/{slug}/draft", draft).status_code == 200
    ran = caller.post(f"/api/workflows/{slug}/draft/run", {"inputs": {"items": [["a", "b"]]}})

    assert ran.status_code == 200, ran.text
    root_id = ran.json()["executionId"]
    [outer] = listed(caller, root_id, "each")
    inner = listed(caller, outer["executionId"], "each")
    assert (outer["workflowSlug"], outer["workflowVersion"], len(inner)) == (slug, None, 2)
    child_id = inner[1]["executionId"]
    child = caller.execution(child_id)
    assert [node["id"] for node in child["nodes"]] == ["in", "t0", "out"]
    values = caller.get(f"/api/executions/{child_id}/nodes/t0").json()
    assert (values["inputs"], values["outputs"]) == ({"a": "b"}, {"text-out": "Hello b"})
    finished = named(parse(caller.get(f"/api/executions/{child_id}/events").text), "node.finished")
    assert [each["nodeId"] for each in finished] == ["in", "t0", "out"]


# -- lists -----------------------------------------------------------------------------------------


def test_lists_usage_and_bulk_cancel_have_roots_alone(caller: Caller) -> None:
    slug = caller.save(per_item(greeting()).body())
    root_id = caller.run(slug, {"items": ITEMS}).json()["executionId"]

    rows = caller.get(f"/api/executions?workflowSlug={slug}").json()["rows"]
    usage = caller.get(f"/api/usage?workflowSlug={slug}").json()
    below = caller.get(f"/api/executions?workflowSlug={slug}&source=sub").json()["rows"]
    cancelled = caller.post("/api/executions/cancel", {"workflowSlug": slug}).json()
    series = caller.get("/api/usage/series?bucket=day&by=workflow").json()["rows"]
    [card] = [each for each in caller.get("/api/workflows").json() if each["slug"] == slug]

    assert [row["executionId"] for row in rows] == [root_id]
    assert (usage["total"], [row["id"] for row in usage["rows"]]) == (1, [root_id])
    assert below == []
    assert cancelled == {"cancelled": 0, "more": False}
    assert sum(each["runs"] for each in series if each["key"] == slug) == 1
    assert card["runs7d"] == 1


def test_children_are_listed_by_index_in_pages_and_by_status(caller: Caller, stub: Stub) -> None:
    graph = per_item(fetching(f"{stub.url}/status"), onItemError="null")
    root = caller.ended(begin(caller, graph, {"items": ["200", "404", "200", "404"]}))

    assert root["status"] == "completed"
    assert [row["childIndex"] for row in listed(caller, root["executionId"], "each", limit=1)] == [
        *range(4)
    ]
    failed = listed(caller, root["executionId"], "each", status="failed", limit=1)
    assert [row["childIndex"] for row in failed] == [1, 3]
    assert node_of(root, "each")["childStatuses"] == counts(completed=2, failed=2)
    assert failed[0]["error"]["nodeId"] == "call"


def test_children_count_in_no_limit_of_the_account(
    administration: Administration, stub: Stub
) -> None:
    account = administration.account("business")
    caller = administration.with_key(administration.key(account))
    browser = administration.browser(account)
    graph = per_item(fetching(f"{stub.url}/slow"))
    slug = caller.save(graph.body())
    first = caller.run(slug, {"items": []})

    root_id = caller.start(slug, {"items": ["60", "60", "60"]})
    waiting(caller, root_id, "each", 3)

    limits = browser.get("/api/me").json()["limits"]
    last = caller.run(slug, {"items": []})
    assert limits["active"]["used"] == 1
    left = [int(each.headers["x-ratelimit-remaining"]) for each in (first, last)]
    assert left[0] - left[1] == 2
    caller.post(f"/api/executions/{root_id}/cancel")


# -- ends ------------------------------------------------------------------------------------------


def test_a_child_is_neither_cancelled_nor_retried_by_itself(caller: Caller, stub: Stub) -> None:
    graph = per_item(fetching(f"{stub.url}/slow"))
    root_id = begin(caller, graph, {"items": ["60", "60", "60"]})
    waiting(caller, root_id, "each", 3)
    child_id = listed(caller, root_id, "each")[0]["executionId"]

    cancelled = caller.post(f"/api/executions/{child_id}/cancel")
    retried = caller.post(f"/api/executions/{child_id}/retry")

    assert cancelled.status_code == retried.status_code == 409
    assert cancelled.json()["code"] == "EXECUTION_NOT_CANCELLABLE"
    assert retried.json()["code"] == "EXECUTION_NOT_RETRYABLE"
    assert {cancelled.json()["rootId"], retried.json()["rootId"]} == {root_id}


def test_a_cancel_of_the_root_cancels_what_is_below(caller: Caller, stub: Stub) -> None:
    graph = per_item(per_item(fetching(f"{stub.url}/slow")), concurrency=2)
    root_id = begin(caller, graph, {"items": [["60", "60"], ["60"], ["60"]]})
    found = waiting(caller, root_id, "each", 2)
    assert node_of(found, "each")["status"] == "waiting"
    assert found["status"] == "processing"

    assert caller.post(f"/api/executions/{root_id}/cancel").status_code == 202

    assert caller.ended(root_id)["status"] == "cancelled"
    for outer in listed(caller, root_id, "each"):
        assert caller.ended(outer["executionId"])["status"] == "cancelled"
        for inner in listed(caller, outer["executionId"], "each"):
            assert caller.ended(inner["executionId"])["status"] == "cancelled"
    assert {row["childIndex"] for row in listed(caller, root_id, "each")} == {0, 1}
    assert node_of(caller.execution(root_id), "each")["status"] == "cancelled"


def test_a_failed_node_has_the_code_of_the_innermost_one(caller: Caller, stub: Stub) -> None:
    graph = per_item(per_item(fetching(f"{stub.url}/status")))
    root = caller.ended(begin(caller, graph, {"items": [["404"]]}))

    each = node_of(root, "each")
    assert (root["status"], each["status"]) == ("failed", "failed")
    assert each["error"]["code"] == "http_status"
    assert each["error"]["message"].startswith("Item 0: ")


def test_a_retry_keeps_children_that_had_completed(caller: Caller, stub: Stub) -> None:
    graph = per_item(fetching(f"{stub.url}/status"), concurrency=1)
    failed = caller.ended(begin(caller, graph, {"items": ["201", "410"]}))
    assert failed["status"] == "failed"
    stub.give("/status/410", "found")
    stub.requests.clear()

    retry = caller.post(f"/api/executions/{failed['executionId']}/retry").json()["executionId"]

    again = caller.ended(retry)
    assert again["status"] == "completed", again
    assert again["result"] == {"results": ["/status/201", "found"], "errors": []}
    assert [each.path for each in stub.requests] == ["/status/410"]
    rows = listed(caller, retry, "each")
    assert [(row["childIndex"], row["creditsCost"]) for row in rows] == [(0, 0), (1, 0)]
    assert {row["rootId"] for row in rows} == {retry}


# -- streams ---------------------------------------------------------------------------------------


def test_the_stream_of_the_root_tells_of_all_that_is_below(caller: Caller) -> None:
    slug = caller.save(per_item(per_item(greeting())).body())

    answer = caller.run(slug, {"items": [["a", "b"], ["c"]]}, headers=STREAM)

    events = parse(answer.text)
    root_id = events[0].data["executionId"]
    shape = {
        "executionId": root_id,
        "childExecutionId": uuid,
        "parentId": uuid,
        "nodeId": "each",
        "index": int,
        "status": str,
    }
    started, finished = named(events, "child.started"), named(events, "child.finished")
    for each in (*started, *finished):
        assert_fits(each, shape)
    assert {each["status"] for each in started} == {"processing"}
    assert {each["status"] for each in finished} == {"completed"}
    ids = [each["childExecutionId"] for each in started]
    assert len(ids) == len(set(ids)) == 5
    assert sorted(ids) == sorted(each["childExecutionId"] for each in finished)
    outer = listed(caller, root_id, "each")
    below = [row for each in outer for row in listed(caller, each["executionId"], "each")]
    assert sorted(ids) == sorted(row["executionId"] for row in (*outer, *below))
    for each in finished:
        own = each["childExecutionId"]
        begun = next(one for one in events if one.data.get("childExecutionId") == own)
        assert begun.name == "child.started"


def test_a_node_that_waits_starts_once_in_a_stream(caller: Caller) -> None:
    slug = caller.save(per_item(greeting()).body())

    events = parse(caller.run(slug, {"items": ITEMS}, headers=STREAM).text)

    started = [each["nodeId"] for each in named(events, "node.started")]
    assert sorted(started) == ["each", "in", "out"]


def test_a_child_has_a_stream_of_its_own(caller: Caller) -> None:
    root_id = caller.ended(begin(caller, per_item(greeting()), {"items": ITEMS}))["executionId"]
    child_id = listed(caller, root_id, "each")[0]["executionId"]

    answer = caller.get(f"/api/executions/{child_id}/events")
    assert answer.status_code == 200, answer.text
    events = parse(answer.text)

    assert (events[0].name, events[-1].name) == ("execution.started", "execution.finished")
    assert [each["nodeId"] for each in named(events, "node.finished")] == ["in", "t0", "out"]
    assert events[-1].data["rootId"] == root_id


def test_events_of_the_account_are_of_roots_alone(administration: Administration) -> None:
    account = administration.account("business")
    browser, caller = (
        administration.browser(account),
        administration.with_key(administration.key(account)),
    )
    slug = caller.save(per_item(greeting()).body())
    with browser.client.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        root_id = caller.run(slug, {"items": ITEMS}).json()["executionId"]
        told = []
        for line in lines:
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: ")))
                if told[-1].get("status") == "completed":
                    break

    assert {each["executionId"] for each in told if "executionId" in each} == {root_id}


# -- others ----------------------------------------------------------------------------------------


def test_children_are_their_accounts_alone(caller: Caller, stranger: Caller) -> None:
    root_id = caller.ended(begin(caller, per_item(greeting()), {"items": ITEMS}))["executionId"]
    child_id = listed(caller, root_id, "each")[0]["executionId"]

    assert stranger.get(f"/api/executions/{child_id}").status_code == 404
    answer = stranger.get(f"/api/executions?parentId={root_id}&parentNodeId=each")
    assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")


def test_the_runner_of_a_public_workflow_sees_no_children(caller: Caller, stranger: Caller) -> None:
    document = per_item(greeting()).body() | {"publicPlayground": True}
    slug = caller.save(document)

    answer = stranger.run(slug, {"items": ITEMS}, headers=STREAM)

    events = parse(answer.text)
    root_id = events[0].data["executionId"]
    assert {event.name for event in events} == {"execution.started", "execution.finished"}
    assert events[-1].data["result"] == {
        "results": ["Hello a", "Hello b", "Hello c"],
        "errors": [],
    }
    assert stranger.execution(root_id)["nodes"] == []
    assert listed(stranger, root_id, "each") == []


@pytest.mark.parametrize("depth", [8, 9])
def test_more_than_eight_levels_are_too_many(caller: Caller, depth: int) -> None:
    slug = caller.save(greeting().body())
    for _ in range(depth):
        slug = caller.save(calling(slug).body())
    answer = caller.run(slug, {"who": "Ada"})

    if depth == 8:
        assert answer.json()["result"] == "Hello Ada"
    else:
        assert answer.status_code == 500
        assert answer.json()["nodeCode"] == "loop_detected"
