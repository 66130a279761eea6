"""Runs that wait: documents with approvals and delays, and what callers see of them."""

from datetime import datetime
from typing import Any

import httpx2

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Caller
from tests.support.contract.shapes import moment
from tests.support.factories import Graph

WEEK_SECONDS = 604_800
FIELDS = [
    {"name": "headline", "label": "Headline", "type": "text", "maxLength": 20},
    {"name": "copies", "label": "Copies", "type": "number", "min": 1, "max": 9, "default": 2},
    {"name": "place", "label": "Place", "type": "pills", "options": ["blog", "shop"]},
    {"name": "urgent", "label": "Urgent", "type": "toggle", "required": True},
]
ASKED = {
    "nodeId": "ask",
    "kind": "approval",
    "since": moment,
    "until": moment,
    "title": "Post for Ada?",
    "message": "It says: Ada",
    "fields": [dict],
}
"""Entry of the wait of `asking_person` with the input Ada, without its link."""
ANSWER = {"decision": "approve", "fields": {"urgent": True}}


def asking_person(**data: Any) -> Graph:
    """Input `who` → an approval with a form → output `yes`, `no` and `answer`."""
    settings = {"title": "Post for {{ who }}?", "message": "It says: {{ who }}", "fields": FIELDS}
    graph = Graph("who").node("ask", "approval", **{**settings, **data})
    graph.node("out", "responseOutput", fields=[{"name": name} for name in ("yes", "no", "answer")])
    return graph.wire(
        *("in.who > ask.value-in", "in.who > ask.who", "ask.approved-out > out.yes"),
        *("ask.refused-out > out.no", "ask.answer-out > out.answer"),
    )


def delaying(**data: Any) -> Graph:
    """Input `who` → a delay → output."""
    graph = Graph("who").node("later", "delay", **data).node("out", "responseOutput")
    return graph.wire("in.who > later.value-in", "later.value-out > out.result-in")


def waits_of(caller: Caller, execution_id: str, count: int = 1) -> list[Any]:
    """Return `waitingFor` of an execution, once it has so many entries."""
    found = until(
        lambda: caller.execution(execution_id), lambda found: len(found["waitingFor"]) == count
    )
    waiting: list[Any] = found["waitingFor"]
    return waiting


def begin(caller: Caller, graph: Graph, who: str = "Ada") -> str:
    """Save a workflow, begin a run of it, and return its id once it waits."""
    execution_id = caller.start(caller.save(graph.body()), {"who": who})
    waits_of(caller, execution_id)
    return execution_id


def answer_to(
    caller: Caller, execution_id: str, body: Any = ANSWER, node_id: str = "ask"
) -> httpx2.Response:
    """Answer an approval."""
    return caller.post(f"/api/executions/{execution_id}/approvals/{node_id}", body)


def node_of(execution: Any, node_id: str) -> Any:
    """Return a node of an execution."""
    [node] = [each for each in execution["nodes"] if each["id"] == node_id]
    return node


def is_link(value: object) -> bool:
    """Match the link of an approval."""
    token = value.partition("/approvals/")[2] if isinstance(value, str) else ""
    return len(token) > 60 and token.replace("-", "").replace("_", "").isalnum()


def seconds_of(entry: Any) -> float:
    """Return the length of a wait."""
    since, end = (datetime.fromisoformat(entry[name]) for name in ("since", "until"))
    return (end - since).total_seconds()
