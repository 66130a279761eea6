"""Nothing of a run's values, of secrets, keys and tokens is in any log line, span or metric.

Runs of every kind, with every kind of node, carry canaries; each ended execution has one line.
"""

import json
import signal
import subprocess
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.nodes import NODE_TYPES
from tests.engine.nodes.test_node_types import SAMPLES
from tests.support.acceptance.running_stack import HEADRACE, environment, until
from tests.support.factories import Graph
from tests.support.observability.canaries import Canaries
from tests.support.observability.stack import OK, ObservedStack, observed_stack
from tests.support.redis.installation import SECRET_KEY

pytestmark = [pytest.mark.A64a, pytest.mark.slow]
TOKEN_SHOWN = 6
"""Characters of a token in a path that lines show."""
KEY_SHOWN = len("hr_live_abcd")
ENDED = frozenset({"completed", "failed", "cancelled"})


def test_no_line_span_or_metric_tells_a_value_of_a_run(tmp_path: Path) -> None:
    marks, logs = Canaries(), {name: tmp_path / f"{name}.log" for name in ("access", "executions")}
    settings: dict[str, Any] = {
        "HEADRACE_LOG_LEVEL": "DEBUG",
        "HEADRACE_ACCESS_LOG": str(logs["access"]),
        "HEADRACE_EXECUTION_LOG": str(logs["executions"]),
        "STEADY_KEY": marks.make("key of a provider"),
        "SHAKY_KEY": marks.make("key of another provider"),
    }
    with observed_stack(tmp_path, traces="1", scrapes=False, **settings) as stack:
        stack.collector.keeps_bodies = True
        marks.add("key for secrets", SECRET_KEY)
        marks.add("API key", stack.key[KEY_SHOWN:])
        marks.add("API key of an admin", stack.admin_key[KEY_SHOWN:])
        make_runs_of_all_kinds(stack, marks)
        make_runs_of_all_nodes(stack, marks)
        make_refused_calls(stack, marks)
        ended = await_ends(stack)
        pages = b"".join(map(read_metrics, [*stack.gateways, *stack.workers]))
        for member in stack.fleet.members:
            member.end(signal.SIGTERM)
        texts = {name: path.read_bytes() for name, path in logs.items()}
        texts |= {name: text.encode() for name, text in stack.logs().items()}
        texts |= {"spans": b"".join(stack.collector.bodies), "metrics": pages}

    found = {name: set(marks.found_in(text)) for name, text in texts.items()}
    assert {name: places for name, places in found.items() if places} == {}
    assert all(map(json.loads, texts["access"].splitlines()))
    assert len(texts["spans"]) > 10_000
    lines = Counter(json.loads(line)["executionId"] for line in texts["executions"].splitlines())
    assert lines.keys() >= ended
    assert {*lines.values()} == {1}


def make_runs_of_all_kinds(stack: ObservedStack, marks: Canaries) -> None:
    traffic = stack.traffic
    assert traffic is not None
    traffic.make_name = lambda: marks.make("input of a run")
    for kind in traffic.kinds:
        stack.make(kind, **{"Idempotency-Key": marks.make("idempotency key")})
    stack.providers["shaky"].fault = "fail=500"
    assert stack.make("shaky")["status"] == "failed"
    assert stack.make("fail")["status"] == "failed"
    start_by_hook(stack, marks)
    answer_approval(stack, marks)
    use_secret(stack, marks)
    tell_webhook(stack, marks)


def start_by_hook(stack: ObservedStack, marks: Canaries) -> None:
    trigger = must(
        stack,
        "POST",
        "/api/triggers",
        {
            "kind": "webhook",
            "name": "Of the test",
            "workflowSlug": slug_of(stack, "greet"),
            "verify": {"kind": "none"},
            "inputs": {"who": "body.who"},
        },
    )
    token = trigger["url"].rpartition("/")[2]
    marks.add("token of an inbound webhook", token[TOKEN_SHOWN:])
    must(stack, "POST", f"/hooks/{token}", {"who": marks.make("event")})


def answer_approval(stack: ObservedStack, marks: Canaries) -> None:
    begun = run(stack, slug_of(stack, "approval"), {"who": marks.make("title of an approval")})
    until(lambda: execution(stack, begun), lambda found: found["waitingFor"])
    headline = marks.make("answer")[:20]
    marks.add("answer", headline)
    fields = {"urgent": True, "headline": headline}
    must(
        stack,
        "POST",
        f"/api/executions/{begun}/approvals/ask",
        {"decision": "refuse", "fields": fields, "note": marks.make("note of an answer")},
    )


def use_secret(stack: ObservedStack, marks: Canaries) -> None:
    subprocess.run(
        [*HEADRACE, "secret", "set", "TOKEN", "--account", stack.account_id, "--json"],
        input=marks.make("secret") + "\n",
        env=environment(**stack.fleet.environ),
        cwd=stack.fleet.folder,
        text=True,
        check=True,
        capture_output=True,
    )
    path, query = marks.make("path of a call"), marks.make("query of a call")
    for url in (f"{stack.target.url}/echo/{path}?q={query}", f"{stack.target.url}/status/401"):
        graph = Graph("id").node(
            "call",
            "httpRequest",
            method="POST",
            url=url,
            auth={"type": "bearer", "secret": "TOKEN"},
            body=marks.make("body of a call", '{{"a": "{}"}}'),
            headers={"X-Mark": marks.make("header of a call")},
        )
        graph.node("out", "responseOutput").wire("call.response-out > out.result-in")
        run_graph(stack, graph, marks)


def tell_webhook(stack: ObservedStack, marks: Canaries) -> None:
    for path in (OK, "/status/410"):
        url = f"{stack.receiver.url}{path}?q={marks.make('query of a webhook')}"
        webhook = {"url": url, "secret": marks.make("secret of a webhook")}
        run(stack, slug_of(stack, "greet"), {"who": marks.make("input")}, webhook=webhook)


def make_runs_of_all_nodes(stack: ObservedStack, marks: Canaries) -> None:
    """Run each node type with a canary at its inputs; many fail, since they want something else."""
    for kind in NODE_TYPES:
        settings = dict(SAMPLES[kind.type].settings)
        is_here = kind.unavailable_reason() is None
        sockets = kind.inputs(kind.parse(settings)) if is_here else {}
        for wired in (sockets, ()):
            graph = Graph("id").node("it", kind.type, **settings)
            graph.wire(*(f"in.id > it.{name}" for name in wired))
            graph.node("out", "responseOutput")
            run_graph(stack, graph, marks)
    for expression in ("int(id)", "id.missing", "[id][7]"):
        graph = Graph("id").node("it", "transform", expression=expression)
        graph.node("out", "responseOutput").wire("in.id > it.id", "it.value-out > out.result-in")
        run_graph(stack, graph, marks)


def run_graph(stack: ObservedStack, graph: Graph, marks: Canaries) -> None:
    """Save a workflow with a canary beside its nodes, and run it if it may be saved."""
    graph.node("note", "note", text=marks.make("note"))
    status, saved = stack.ask("POST", "/api/workflows", graph.body("Of all nodes"))
    if status == 201:
        run(stack, saved["slug"], {"id": marks.make("input of a node")})


def make_refused_calls(stack: ObservedStack, marks: Canaries) -> None:
    url, key = stack.url, {"x-api-key": stack.key}
    path = f"{url}/api/workflows/{slug_of(stack, 'greet')}/run"
    with httpx2.Client() as client:
        client.post(path, headers=key, content=marks.make("malformed body", '{{"inputs": {}'))
        client.post(path, headers=key, params={"timeout": marks.make("value of a query")})
        client.post(path, headers=key, json={"inputs": {"who": [marks.make("wrong input")]}})
        client.post(path, headers=key, json={"inputs": {marks.make("name of an input"): 1}})
        client.get(f"{url}/api/me", headers={"x-api-key": marks.make("key", "hr_live_abcd{}")})
        client.get(f"{url}/login", params={"token": marks.make("sign-in", "hr_login_{}")})
        client.post(f"{url}/hooks/abcdef{marks.make('wrong token')}", json={})
        client.get(f"{url}/approvals/abcdef{marks.make('wrong link')}")
        client.get(f"{url}/api/me", headers={"cookie": f"hr_session={marks.make('cookie')}"})


def must(stack: ObservedStack, method: str, path: str, body: Any = None) -> Any:
    status, answer = stack.ask(method, path, body)
    assert 200 <= status < 300, (method, path, answer)
    return answer


def slug_of(stack: ObservedStack, kind: str) -> str:
    assert stack.traffic is not None
    return stack.traffic.slugs[kind]


def run(stack: ObservedStack, slug: str, inputs: dict[str, Any], **members: Any) -> str:
    path = f"/api/workflows/{slug}/run?async=true"
    answer = stack.ask("POST", path, {"inputs": inputs, **members})[1]
    return str(answer.get("executionId", ""))


def execution(stack: ObservedStack, execution_id: str) -> Any:
    return must(stack, "GET", f"/api/executions/{execution_id}")


def await_ends(stack: ObservedStack) -> set[str]:
    """Cancel what still waits, and return the ids of all executions once they have ended."""
    for each in executions(stack):
        if each["status"] not in ENDED and each.get("waitingFor"):
            stack.ask("POST", f"/api/executions/{each['executionId']}/cancel")
    found = until(
        lambda: executions(stack), lambda found: all(each["status"] in ENDED for each in found)
    )
    return {each["executionId"] for each in found}


def executions(stack: ObservedStack) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = must(stack, "GET", f"/api/executions?limit=100{cursor}")
        found += page["rows"]
        if not page.get("nextCursor"):
            return found
        cursor = f"&cursor={page['nextCursor']}"


def read_metrics(member: Any) -> bytes:
    with urllib.request.urlopen(f"{member.url}/metrics", timeout=30) as answer:
        data: bytes = answer.read()
        return data
