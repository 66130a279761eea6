"""The trace of a request in everything that it leads to, with a real worker."""

import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Account, Store
from engine.telemetry.traces import context
from engine.telemetry.traces.context import TraceContext
from engine.triggers.trigger import HookSettings
from tests.gateway.conftest import Gateway
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.gateway.documents import greeting
from tests.support.graphs.nested import each_row
from tests.support.http.raw_server import Stub, serving
from tests.support.http.webhook_receivers import Received, Receiver, receiving
from tests.support.triggers.records import save_hook
from workers.main import worker as real_worker

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
CALLER = f"00-{TRACE}-{SPAN}-01"
HEADERS = {"traceparent": CALLER}
GREETING = "/api/workflows/greeting/run"


@pytest.fixture
def account_tier() -> Tier:
    return Tier.ENTERPRISE


@pytest.fixture
def key_capabilities() -> list[str]:
    return ["workflow:*", "webhook:receive"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    url = "https://traces.example/trace/{traceId}"
    return replace(settings, trace_url=url, webhook_time_scale=0.0)


@pytest.fixture
async def a_worker_runs(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Stub()) as stub:
        yield stub


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def tracing() -> Iterator[None]:
    """Turn tracing of this process on, which is gateway and worker."""
    context.set_sampler(lambda trace_id, is_caller_sampled: is_caller_sampled is not False)
    yield
    context.set_sampler(None)


async def save(client: httpx2.AsyncClient, graph: Graph) -> str:
    answer = await client.post("/api/workflows", json=graph.body())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["slug"])


async def run(client: httpx2.AsyncClient, slug: str, **headers: str) -> dict[str, Any]:
    """Run a workflow to its end; return the execution."""
    path = f"/api/workflows/{slug}/run"
    answer = await client.post(path, json={"inputs": {"name": "Ada"}}, headers=headers or HEADERS)
    assert answer.status_code == 200, answer.text
    return await view(client, answer.json()["executionId"])


async def view(client: httpx2.AsyncClient, execution_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/api/executions/{execution_id}")).json()
    return found


async def recorded(store: Store, account: Account, execution_id: str) -> str:
    """Return the trace on record, empty for none."""
    record = await store.executions.record(account.id, execution_id)
    return record.get("trace", b"").decode()


async def deliveries(receiver: Receiver, count: int, subject: str) -> list[Received]:
    """Wait for deliveries about an execution or a batch."""

    async def look() -> list[Received]:
        return [each for each in receiver.received if subject.encode() in each.body]

    return await eventually(look, lambda found: len(found) >= count)


def parent_of(header: str) -> str:
    """Return the id of the span that a header names, of the caller's trace."""
    found = context.parse_traceparent(header)
    assert found is not None
    assert (found.trace_id, found.is_sampled) == (TRACE, True)
    return found.span_id


@pytest.mark.usefixtures("a_worker_runs")
async def test_an_execution_has_the_trace_of_its_caller(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting())

    execution = await run(client, "greeting")
    without = await run(client, "greeting", traceparent="nonsense")

    assert execution["traceId"] == TRACE
    assert execution["traceUrl"] == f"https://traces.example/trace/{TRACE}"
    assert await recorded(store, account, execution["executionId"]) == CALLER
    assert (without["traceId"], without["traceUrl"]) == (None, None)
    assert "trace" not in await store.executions.record(account.id, without["executionId"])


@pytest.mark.usefixtures("a_worker_runs", "tracing")
async def test_the_span_of_the_request_is_the_parent_while_tracing_is_on(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting())

    below = await recorded(store, account, (await run(client, "greeting"))["executionId"])
    unsampled = await run(client, "greeting", traceparent=CALLER[:-1] + "0")
    alone = await run(client, "greeting", accept="application/json")

    assert parent_of(below) != SPAN
    assert (await recorded(store, account, unsampled["executionId"])).endswith("-00")
    assert alone["traceId"] not in (None, TRACE)


@pytest.mark.usefixtures("a_worker_runs")
async def test_a_failed_run_names_its_trace_and_lines_of_the_log_do(
    client: httpx2.AsyncClient, logged: io.StringIO
) -> None:
    graph = (
        Graph().node("call", "httpRequest", url="http://127.0.0.1:1/").node("out", "responseOutput")
    )
    slug = await save(client, graph.wire("call.response-out > out.result-in"))

    answer = await client.post(f"/api/workflows/{slug}/run", json={"inputs": {}}, headers=HEADERS)

    assert answer.status_code == 500
    assert answer.json()["traceId"] == TRACE
    assert (await view(client, answer.json()["executionId"]))["traceId"] == TRACE
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert all(line.get("traceId") in (None, TRACE) for line in lines)


@pytest.mark.usefixtures("a_worker_runs")
async def test_children_are_below_the_node_that_began_them(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    body = Graph("row").node("wait", "delay", seconds=0.01).node("out", "responseOutput")
    body.wire("in.row > wait.value-in", "wait.value-out > out.result-in")
    for graph in (each_row(), each_row(body)):
        slug = await save(client, graph)

        execution = await run(client, slug)

        parent_id = execution["executionId"]
        [each] = [node for node in execution["nodes"] if node["type"] == "forEach"]
        index = execution["nodes"].index(each)
        query = {"parentId": parent_id, "parentNodeId": each["id"]}
        rows = (await client.get("/api/executions", params=query)).json()["rows"]
        assert len(rows) == 2
        for row in rows:
            header = await recorded(store, account, row["executionId"])
            assert parent_of(header) == context.node_span_id(parent_id, index)
            assert (await view(client, row["executionId"]))["traceId"] == TRACE


@pytest.mark.usefixtures("a_worker_runs")
async def test_items_and_the_end_of_a_batch_belong_to_its_request(
    client: httpx2.AsyncClient, store: Store, account: Account, receiver: Receiver
) -> None:
    await client.post("/api/workflows", json=greeting())
    items = [{"inputs": {"name": "Ada"}}, {"inputs": {"name": "Bob"}}]
    webhook = {"url": receiver.url + "/ok", "secret": "a secret of the owner"}

    answer = await client.post(
        "/api/workflows/greeting/batch",
        json={"items": items, "webhook": webhook},
        headers=HEADERS,
    )

    batch_id = answer.json()["batchId"]
    [delivery] = await deliveries(receiver, 1, batch_id)
    assert delivery.event["event"] == "batch.completed"
    assert delivery.headers["traceparent"] == CALLER
    rows = (await client.get("/api/executions", params={"batchId": batch_id})).json()["rows"]
    traces = {await recorded(store, account, each["executionId"]) for each in rows}
    assert (len(rows), traces) == (2, {CALLER})


@pytest.mark.usefixtures("a_worker_runs")
async def test_webhooks_have_the_span_of_the_execution(
    client: httpx2.AsyncClient, receiver: Receiver
) -> None:
    await client.post("/api/workflows", json=greeting())
    webhook = {
        "url": receiver.url + "/fails/1",
        "secret": "a secret of the owner",
        "events": ["execution.started", "node.finished", "execution.completed"],
    }

    for headers in (HEADERS, {}):
        answer = await client.post(
            GREETING, json={"inputs": {"name": "Ada"}, "webhook": webhook}, headers=headers
        )
        execution_id = answer.json()["executionId"]
        received = await deliveries(receiver, 5, execution_id)
        told = {each.headers.get("traceparent") for each in received}
        if headers:
            [header] = told
            assert header is not None
            assert parent_of(header) == context.execution_span_id(execution_id)
        else:
            assert told == {None}


@pytest.mark.usefixtures("a_worker_runs")
async def test_a_repeated_call_keeps_the_trace_of_the_first(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting())
    other = f"00-{TRACE[::-1]}-{SPAN}-01"
    ids = []

    for header in (CALLER, other):
        answer = await client.post(
            GREETING,
            json={"inputs": {"name": "Ada"}},
            headers={"traceparent": header, "idempotency-key": "once"},
        )
        ids.append(answer.json()["executionId"])

    assert ids[0] == ids[1]
    assert await recorded(store, account, ids[0]) == CALLER


async def test_a_retry_belongs_to_the_request_for_it(
    client: httpx2.AsyncClient, store: Store, account: Account, settings: Settings, stub: Stub
) -> None:
    graph = Graph().node("call", "httpRequest", url=stub.url).node("out", "responseOutput")
    slug = await save(client, graph.wire("call.response-out > out.result-in"))
    stub.reply = [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"]
    async with real_worker(settings):
        path, other = f"/api/workflows/{slug}/run", f"00-{TRACE[::-1]}-{SPAN}-01"
        failed = await client.post(path, json={"inputs": {}}, headers=HEADERS)
        execution_id = failed.json()["executionId"]

        retried = await client.post(
            f"/api/executions/{execution_id}/retry", headers={"traceparent": other}
        )

    assert await recorded(store, account, execution_id) == CALLER
    assert await recorded(store, account, retried.json()["executionId"]) == other


async def test_a_run_of_an_inbound_webhook_has_the_trace_of_its_sender(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting(publicPlayground=True))
    trigger = await save_hook(store, account, slug="greeting", hook=HookSettings())

    answer = await client.post(f"/hooks/{trigger.token}", json={"name": "Ada"}, headers=HEADERS)

    assert answer.status_code == 202
    assert await recorded(store, account, answer.json()["executionId"]) == CALLER


@pytest.mark.parametrize("is_open", [False, True])
async def test_calls_of_a_run_carry_its_trace_where_they_may(
    is_open: bool,
    client: httpx2.AsyncClient,
    gateway: Gateway,
    settings: Settings,
    api_key: str,
    stub: Stub,
) -> None:
    await client.post("/api/workflows", json=greeting())
    headers = {"x-api-key": api_key, "content-type": "application/json"}
    own = {"url": gateway.url + GREETING, "method": "POST", "headers": headers}
    graph = Graph().node("own", "httpRequest", **own, body='{"inputs": {"name": "Ada"}}')
    graph.node("other", "httpRequest", url=stub.url, retry={"attempts": 2, "delaySeconds": 0})
    graph.node("out", "responseOutput").wire(
        "own.response-out > out.result-in", "other.response-out > out.result-in"
    )
    slug = await save(client, graph)
    stub.pages = {"/": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}

    async with real_worker(replace(settings, public_url=gateway.url, trace_outbound=is_open)):
        execution = await run(client, slug)

    called = (await client.get("/api/executions", params={"workflowSlug": "greeting"})).json()
    [inner] = called["rows"]
    assert (await view(client, inner["executionId"]))["traceId"] == TRACE
    told = [b"traceparent: " in request.lower() for request in stub.requests]
    assert told == [is_open] * len(stub.requests)
    if is_open:
        index = [node["id"] for node in execution["nodes"]].index("other")
        span = context.attempt_span_id(execution["executionId"], index, 1)
        header = TraceContext(TRACE, span, True).header
        assert f"traceparent: {header}\r\n".encode() in stub.requests[0].lower()
