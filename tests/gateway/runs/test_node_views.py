"""Children over HTTP: on the nodes of their parent, in a list of their own, and by themselves."""

from typing import Any

import httpx2
import pytest

from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.children.keys import children
from engine.store.executions.events import MAX_ENTRIES
from engine.store.executions.notifier import CompletionWaiter
from engine.store.redis import keyspace
from tests.support.http.sse_reader import named, parse
from tests.support.store.child_runs import NODE, NODE_ID, ChildRuns
from tests.support.store.records import save


@pytest.fixture
async def runs(store: Store, account: Account) -> ChildRuns:
    """Return a root whose first node has five children: two ended, two run, one is queued."""
    runs = ChildRuns(store, account, await save(store, account))
    await runs.begin_root()
    group = await runs.open(5)
    await runs.begin(0, 1, 2, 3)
    for index, status in enumerate(("completed", "failed")):
        key = keyspace.execution(account.id, runs.child_id(index))
        await store.client.send("HSET", key, "status", status, "completed", 2_000_000_000_000)
    key = children(account.id, group.ref.parent_id, NODE)
    await store.client.send("HSET", key, "s0", "cfppq")
    return runs


async def listed(client: httpx2.AsyncClient, **query: Any) -> httpx2.Response:
    return await client.get("/api/executions", params=query)


async def test_a_node_shows_its_children(client: httpx2.AsyncClient, runs: ChildRuns) -> None:
    body = (await client.get(f"/api/executions/{runs.root_id}")).json()

    node, other = body["nodes"]
    assert node["childCount"] == 5
    assert node["childExecutionIds"] == [runs.child_id(each) for each in range(4)]
    assert node["childStatuses"] == {
        "queued": 1,
        "processing": 2,
        "completed": 1,
        "failed": 1,
        "cancelled": 0,
    }
    assert not {"childCount", "childStatuses", "childExecutionIds"} & other.keys()
    assert (body["depth"], body["rootId"], body["parentId"]) == (0, None, None)


async def test_children_are_listed_by_index_and_are_in_no_other_list(
    client: httpx2.AsyncClient, runs: ChildRuns
) -> None:
    place = {"parentId": runs.parent_id, "parentNodeId": NODE_ID}
    first = (await listed(client, **place, limit=3)).json()
    rest = (await listed(client, **place, limit=3, cursor=first["nextCursor"])).json()

    rows = [*first["rows"], *rest["rows"]]
    assert [each["childIndex"] for each in rows] == [0, 1, 2, 3]
    assert rest["nextCursor"] is None
    assert [each["executionId"] for each in rows] == [runs.child_id(each) for each in range(4)]
    assert {(each["parentId"], each["parentNodeId"]) for each in rows} == {
        (runs.parent_id, NODE_ID)
    }
    assert {(each["rootId"], each["depth"], each["source"]) for each in rows} == {
        (runs.root_id, 1, "sub")
    }
    failed = (await listed(client, **place, status="failed")).json()["rows"]
    assert [each["childIndex"] for each in failed] == [1]
    roots = (await listed(client)).json()["rows"]
    assert [each["executionId"] for each in roots] == [runs.root_id]
    usage = (await client.get("/api/usage")).json()
    assert usage["total"] == 1


async def test_figures_are_of_roots_alone_while_children_wait_for_the_history(
    client: httpx2.AsyncClient, runs: ChildRuns
) -> None:
    account_id, send = runs.account.id, runs.store.client.send
    key = keyspace.unarchived(partition_of(account_id))
    for number in range(2):
        name = keyspace.reference(account_id, runs.child_id(number))
        await send("ZADD", key, 2_000_000_000_000, name)

    query = {"bucket": "day", "by": "workflow"}
    rows = (await client.get("/api/usage/series", params=query)).json()["rows"]

    assert sum(each["runs"] for each in rows) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"parentId": "11111111-1111-4111-8111-111111111111"}, "parentNodeId"),
        ({"parentNodeId": "t"}, "parentId"),
        ({"parentId": "no id", "parentNodeId": "t"}, "parentId"),
        ({"parentId": "11111111-1111-4111-8111-111111111111", "parentNodeId": ""}, "parentNodeId"),
        (
            {
                "parentId": "11111111-1111-4111-8111-111111111111",
                "parentNodeId": "t",
                "workflowSlug": "echo",
            },
            "workflowSlug",
        ),
    ],
)
async def test_wrong_queries_are_refused(
    client: httpx2.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await listed(client, **query)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == field


async def test_the_children_of_an_unknown_execution_are_not_found(
    client: httpx2.AsyncClient,
) -> None:
    parent = "11111111-1111-4111-8111-111111111111"
    answer = await listed(client, parentId=parent, parentNodeId="t")

    assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")


async def test_a_child_is_neither_cancelled_nor_retried_by_itself(
    client: httpx2.AsyncClient, runs: ChildRuns
) -> None:
    cancelled = await client.post(f"/api/executions/{runs.child_id(2)}/cancel")
    retried = await client.post(f"/api/executions/{runs.child_id(1)}/retry")

    assert (cancelled.status_code, retried.status_code) == (409, 409)
    assert cancelled.json() | {"error": ""} == {
        "error": "",
        "code": "EXECUTION_NOT_CANCELLABLE",
        "status": "processing",
        "rootId": runs.root_id,
    }
    assert retried.json()["code"] == "EXECUTION_NOT_RETRYABLE"
    assert (retried.json()["status"], retried.json()["rootId"]) == ("failed", runs.root_id)
    status = await runs.store.executions.status(runs.account.id, runs.child_id(2))
    assert status == "processing"


async def test_a_child_of_a_public_workflow_of_others_is_not_found(
    client: httpx2.AsyncClient, runs: ChildRuns
) -> None:
    name = runs.child_id(1)
    key = keyspace.execution(runs.account.id, name)
    await runs.store.client.send("HSET", key, "owner", "acc_owner")

    answers = [
        await client.get(f"/api/executions/{name}"),
        await client.get(f"/api/executions/{name}/nodes/t"),
        await client.get(f"/api/executions/{name}/values"),
        await client.get(f"/api/executions/{name}/events"),
        await client.post(f"/api/executions/{name}/cancel"),
        await client.post(f"/api/executions/{name}/retry"),
    ]

    codes = [(each.status_code, each.json()["code"]) for each in answers]
    assert codes == [(404, "EXECUTION_NOT_FOUND")] * len(answers)


async def test_a_long_stream_of_what_has_ended_waits_for_nothing(
    client: httpx2.AsyncClient, runs: ChildRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id, root_id, send = runs.account.id, runs.root_id, runs.store.client.send
    await runs.store.events.read(account_id, root_id, 1)
    place = ("parent", root_id, "node", NODE_ID, "status", "processing")
    count = 3 * MAX_ENTRIES
    for number in range(count):
        fields = ("child", "started", "id", f"c{number}", "index", number, *place)
        await send("XADD", keyspace.events(account_id, root_id), f"{number + 2}-0", *fields)
    end = ("ended", "completed", "left", "cc")
    await send("XADD", keyspace.events(account_id, root_id), f"{count + 2}-0", *end)
    key = keyspace.execution(account_id, root_id)
    await send("HSET", key, "status", "completed", "completed", 1, "events", count + 2)
    pauses = []
    start_turn = CompletionWaiter._start_turn

    def counted(waiter: CompletionWaiter, *arguments: Any) -> Any:
        pauses.append(waiter)
        return start_turn(waiter, *arguments)

    monkeypatch.setattr(CompletionWaiter, "_start_turn", counted)

    events = parse((await client.get(f"/api/executions/{root_id}/events")).text)

    started = named(events, "child.started")
    assert [each["index"] for each in started] == [*range(count)]
    assert events[-1].name == "execution.finished"
    assert pauses == []


async def test_a_bulk_cancel_requests_the_end_of_roots_alone(
    client: httpx2.AsyncClient, runs: ChildRuns
) -> None:
    answer = await client.post("/api/executions/cancel", json={"source": "sub"})

    assert answer.json() == {"cancelled": 0, "more": False}
    everything = await client.post("/api/executions/cancel", json={"status": "processing"})
    assert everything.json() == {"cancelled": 1, "more": False}
