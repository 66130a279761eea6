"""Ended executions of one HTTP call, as replays read them."""

from typing import Any

from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.document import parse_document
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph
from tests.support.store.records import accept

URL = "https://example.com/"
DONE = {"response-out": "done", "status-out": 200}


def http_call(**data: Any) -> Graph:
    """Return a graph that sends its input, and gives the answer."""
    graph = Graph("who").node("call", "httpRequest", method="POST", **({"url": URL} | data))
    graph.node("out", "responseOutput").wire("in.who > call.body-in")
    return graph.wire("call.response-out > out.result-in")


async def ended_call(
    store: Store, account: Account, outputs: dict[str, Any] | None = None, **options: Any
) -> tuple[str, str]:
    """Return slug and id of an execution that has ended; without outputs its call failed."""
    document = parse_document({**http_call().body(), **options.pop("document", {})})
    slug = (await store.workflows.create(account.id, document, [])).slug
    workflow, plan = await store.workflows.plan(slug)
    assert plan is not None
    inputs = options.pop("inputs", {"who": "Ada"})
    accepted = await accept(store, account, workflow, plan, inputs, **options)
    claimed = await store.walks.claim(keyspace.reference(account.id, accepted.id), "w1")
    assert claimed is not None
    form = pack({"who": inputs.get("who"), "params": inputs})
    rows = [NodeRow(0, 1, claimed.now, 1, None, form)]
    settled = [(0, NodeStatus.COMPLETED)]
    if outputs is None:
        error = {"code": "http_status", "message": "The server answered 500"}
        rows.append(NodeRow(1, 1, claimed.now, 1, error))
        settled.append((1, NodeStatus.FAILED))
    else:
        rows += [
            NodeRow(1, 1, claimed.now, 1, None, pack(outputs)),
            NodeRow(2, 1, claimed.now, 1),
        ]
        settled += [(1, NodeStatus.COMPLETED), (2, NodeStatus.COMPLETED)]
    end = ExecutionStatus.COMPLETED if outputs else ExecutionStatus.FAILED
    step = Step(
        settled=settled,
        rows=rows,
        end=end,
        result=pack(outputs and outputs["response-out"]),
        error=None if outputs else {"code": "EXECUTION_FAILED", "message": "It failed"},
        slug=slug,
        keeps_outputs_apart=claimed.keeps_outputs_apart,
    )
    await store.walks.advance(claimed.lease, 1, step)
    return slug, accepted.id
