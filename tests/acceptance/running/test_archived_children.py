"""Answers about children are the same once Redis has forgotten them, and go with the account."""

from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.acceptance.callers import make_caller
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.acceptance.topology import TOPOLOGY
from tests.support.contract.installation import Caller, open_client
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested_graphs import list_field, per_item
from tests.support.http.sse_reader import parse
from tests.support.http.target import Stub, stub_server

ENVIRON = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_HOT_MINUTES": "0.2"}


def fetching(url: str) -> Graph:
    """Input `who` → a call of `url` with it → output."""
    graph = Graph("who").node("call", "httpRequest", url=url + "/{{ who }}")
    graph.node("out", "responseOutput")
    return graph.wire("in.who > call.who", "call.response-out > out.result-in")


def children_of(caller: Caller, parent_id: str, query: str = "") -> list[Any]:
    path = f"/api/executions?parentId={parent_id}&parentNodeId=each{query}"
    rows: list[Any] = caller.get(path).json()["rows"]
    return rows


def answers(caller: Caller, root_ids: list[str]) -> dict[str, Any]:
    """Return what a caller sees of roots and of all that is below, by path."""
    found: dict[str, Any] = {}
    pending = list(root_ids)
    while pending:
        name = pending.pop()
        path = f"/api/executions?parentId={name}&parentNodeId=each"
        paths = [f"/api/executions/{name}", path, f"{path}&status=failed", f"{path}&limit=1"]
        found |= {each: caller.get(each).json() for each in paths}
        found[f"{name} events"] = [
            (each.name, each.data)
            for each in parse(caller.get(f"/api/executions/{name}/events").text)
        ]
        for node in found[paths[0]]["nodes"]:
            of_node = f"{paths[0]}/nodes/{node['id']}"
            found[of_node] = caller.get(of_node).json()
        pending += [each["executionId"] for each in found.get(path, {}).get("rows", ())]
    return found


def left_in_redis(client: "redis.Redis") -> list[str]:
    """Return the keys of executions and of groups."""
    kinds = (":execution:", ":children:")
    names = [name.decode() for name in client.scan_iter()]
    return [name for name in names if any(kind in name for kind in kinds)]


def watch(stack: RunningStack, stub: Stub) -> None:
    account, key = make_caller(stack, "ada")
    with (
        open_client(stack.url, {"x-api-key": key}) as http,
        redis.Redis.from_url(stack.redis_url) as client,
    ):
        caller = Caller(http)
        nested = caller.save(per_item(per_item(greeting())).body())
        failing = caller.save(per_item(fetching(f"{stub.url}/status"), concurrency=1).body())
        items = {"items": [["a", "b"], ["c"]]}
        streamed = caller.run(nested, items, headers={"accept": "text/event-stream"})
        ids = [
            parse(streamed.text)[0].data["executionId"],
            caller.start(failing, {"items": ["201", "410", "202"]}),
        ]
        assert [caller.ended(each)["status"] for each in ids] == ["completed", "failed"]
        assert left_in_redis(client), "the answers before are those of Redis"
        before = answers(caller, ids)

        until(lambda: left_in_redis(client), lambda found: not found)

        after = answers(caller, ids)
        for path, found in before.items():
            assert after[path] == found, path
        assert len([path for path in before if path.endswith("events")]) == 2 + 2 + 3 + 2
        told = [name for name, _ in before[f"{ids[0]} events"]]
        assert told.count("child.finished") == 5
        assert [each["childIndex"] for each in children_of(caller, ids[1], "&status=failed")] == [1]
        retried_from_the_history(caller, ids[1], stub)
        left_before_their_parent(caller, client, stub)
        json_of(stack, "account", "erase", account, "--yes")
        assert not [name for name in client.scan_iter() if account.encode() in name]


def left_before_their_parent(caller: Caller, client: "redis.Redis", stub: Stub) -> None:
    """Let Redis forget children whose parent still waits for another one."""
    body = Graph().node("in", "requestInput", fields=[list_field("item")])
    body.node("call", "httpRequest", url=stub.url + "/{{ item.way }}/{{ item.word }}")
    body.node("out", "responseOutput")
    body.wire("in.item > call.item", "call.response-out > out.result-in")
    slug = caller.save(per_item(body, onItemError="null").body())
    root_id = caller.start(
        slug, {"items": [{"way": "text", "word": "quick"}, {"way": "slow", "word": "30"}]}
    )
    until(lambda: len(children_of(caller, root_id)), lambda count: count == 2)
    quick, slow = (each["executionId"] for each in children_of(caller, root_id))

    def is_known(name: str) -> bool:
        return any(name in each for each in left_in_redis(client))

    until(lambda: is_known(quick), lambda known: not known)

    assert is_known(slow)
    assert caller.execution(root_id)["status"] == "processing"
    statuses = [each["status"] for each in children_of(caller, root_id)]
    assert statuses == ["completed", "processing"]
    assert caller.execution(quick)["result"] == "/text/quick"
    assert caller.ended(root_id)["result"]["results"] == ["/text/quick", None]


def retried_from_the_history(caller: Caller, root_id: str, stub: Stub) -> None:
    """Retry a root of which Redis knows nothing: children that had completed are kept."""
    stub.give("/status/410", "found")
    stub.requests.clear()

    retry = caller.post(f"/api/executions/{root_id}/retry").json()["executionId"]

    again = caller.ended(retry)
    assert again["result"] == {"results": ["/status/201", "found", "/status/202"], "errors": []}
    assert sorted(each.path for each in stub.requests) == ["/status/202", "/status/410"]
    assert [each["status"] for each in children_of(caller, retry)] == ["completed"] * 3


@pytest.mark.timeout(180)
@pytest.mark.skipif(bool(TOPOLOGY), reason="it looks for keys in one server")
def test_children_stay_when_redis_forgets_and_go_with_the_account(tmp_path: Path) -> None:
    with stub_server() as stub, running(tmp_path, "--no-demo", **ENVIRON) as stack:
        watch(stack, stub)
