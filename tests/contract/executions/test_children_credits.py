"""Credits of children: the root pays for them, and shows all that they cost."""

from typing import Any

from tests.support.contract.installation import Administration, Caller
from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import per_item
from tests.support.http.target import Stub

MODEL = "contract-chat"


def asking(**data: Any) -> Graph:
    """Input `items` → a call of the model for each → output."""
    body = Graph("who").node("ask", "customModel", model=MODEL).node("out", "responseOutput")
    body.wire("in.who > ask.prompt-in", "ask.text-out > out.result-in")
    return per_item(body, **data)


def children_of(caller: Caller, root_id: str) -> list[Any]:
    found = caller.get(f"/api/executions?parentId={root_id}&parentNodeId=each")
    rows: list[Any] = found.json()["rows"]
    return rows


def ledger_of(caller: Caller, execution_id: str) -> list[Any]:
    rows: list[Any] = caller.get(f"/api/ledger?executionId={execution_id}&limit=200").json()["rows"]
    return rows


def test_the_root_has_the_cost_the_models_and_the_movements(caller: Caller, chat: str) -> None:
    ran = caller.run(caller.save(asking().body()), {"items": ["a", "b", "c"]})

    assert ran.status_code == 200, ran.text
    root = caller.execution(ran.json()["executionId"])
    children = children_of(caller, root["executionId"])
    costs = [each["creditsCost"] for each in children]
    assert min(costs) > 0
    assert root["creditsCost"] == ran.json()["cost"] == sum(costs)
    assert root["modelIds"] == [chat]
    rows = ledger_of(caller, root["executionId"])
    assert -sum(row["credits"] for row in rows) == root["creditsCost"]
    captured = [row for row in rows if row["kind"] == "capture"]
    assert {row["executionId"] for row in rows} == {root["executionId"]}
    assert sorted(row["childExecutionId"] for row in captured) == sorted(
        each["executionId"] for each in children
    )
    assert not any(ledger_of(caller, each["executionId"]) for each in children)


def test_max_credits_bind_all_that_is_below(caller: Caller, chat: str) -> None:
    slug = caller.save(asking(concurrency=1, onItemError="null").body())
    whole = caller.run(slug, {"items": ["a", "b", "c", "d"]}).json()["cost"]
    most = whole // 4 * 2

    ran = caller.run(slug, {"items": ["a", "b", "c", "d"]}, f"?max_credits={most}")

    assert (ran.status_code, ran.json()["code"]) == (402, "MAX_CREDITS_EXCEEDED"), ran.text
    root = caller.execution(ran.json()["executionId"])
    assert root["status"] == "failed"
    assert root["error"]["code"] == "MAX_CREDITS_EXCEEDED"
    assert 0 < root["creditsCost"] <= most
    rows = ledger_of(caller, root["executionId"])
    assert -sum(row["credits"] for row in rows) == root["creditsCost"]


def test_an_item_that_the_balance_does_not_cover_fails_alone(
    administration: Administration, chat: str
) -> None:
    account = administration.account("enterprise")
    poor = administration.with_key(administration.key(account))
    slug = poor.save(asking(concurrency=1, onItemError="null").body())
    administration.top_up(account, "enterprise", 1_000)
    price = poor.run(slug, {"items": ["a"]}).json()["cost"]
    left = 1_000 - price
    count = left // price + 3

    ran = poor.run(slug, {"items": ["a"] * count})

    assert ran.status_code == 200, ran.text
    errors = ran.json()["result"]["errors"]
    assert {each["code"] for each in errors} == {"INSUFFICIENT_CREDITS"}
    results = ran.json()["result"]["results"]
    assert sum(each is not None for each in results) == left // price
    assert ran.json()["cost"] == left // price * price


def test_a_retry_pays_for_nothing_twice(caller: Caller, chat: str, stub: Stub) -> None:
    body = Graph("who").node("ask", "customModel", model=MODEL)
    body.node("call", "httpRequest", url=f"{stub.url}/status/{{{{ who }}}}/{{{{ said }}}}")
    body.node("out", "responseOutput")
    body.wire("in.who > ask.prompt-in", "ask.text-out > call.said", "in.who > call.who")
    body.wire("call.response-out > out.result-in")
    slug = caller.save(per_item(body, concurrency=1).body())
    root = caller.ended(caller.start(slug, {"items": ["201", "418"]}))
    paid = [each["creditsCost"] for each in children_of(caller, root["executionId"])]
    path = next(each.path for each in stub.requests if "418" in each.path)
    stub.give(path, "tea")

    retry = caller.post(f"/api/executions/{root['executionId']}/retry").json()["executionId"]

    again = caller.ended(retry)
    assert (root["status"], again["status"]) == ("failed", "completed"), again
    assert min(paid) > 0
    assert root["creditsCost"] == sum(paid)
    assert again["creditsCost"] == 0
    assert [each["creditsCost"] for each in children_of(caller, retry)] == [0, 0]
    assert again["result"]["results"][1] == "tea"


def test_the_values_of_children_are_recorded_like_those_of_the_root(
    caller: Caller, chat: str
) -> None:
    document = asking().body() | {"recordValues": "none"}
    root_id = caller.run(caller.save(document), {"items": ["a"]}).json()["executionId"]

    [child] = children_of(caller, root_id)
    values = caller.get(f"/api/executions/{child['executionId']}/nodes/ask").json()
    assert (values["recorded"], values["inputs"], values["outputs"]) == (False, None, None)
    assert caller.execution(child["executionId"])["inputs"] is None
