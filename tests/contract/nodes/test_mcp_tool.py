"""The node mcpTool against a real server: results, failures, secrets, and ends of waits."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.nodes.test_nodes import OUT, given, to_out
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.contract.installation import Administration, Caller, field, form, workflow
from tests.support.gateway.documents import edge, node
from tests.support.mcp.server import Fault, McpServer, serving
from tests.support.mcp.tools import ORDER

ADD = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}
NUMBER = form(field("n", "text"))


@pytest.fixture
def server(stack: RunningStack) -> Iterator[McpServer]:
    """A server that the stack of the tests can reach."""
    with serving() as running:
        yield running


def tool(server: McpServer, name: str, **data: Any) -> dict[str, Any]:
    return node("tool", "mcpTool", server=server.url, tool=name, **data)


def run(caller: Caller, call: dict[str, Any], output: str = "text-out") -> Any:
    return caller.run(caller.save(workflow([call, OUT], [to_out("tool", output)])), {})


def test_wired_and_typed_arguments_give_the_structured_result(
    caller: Caller, server: McpServer
) -> None:
    call = tool(server, "add", schema=ADD, arguments={"a": 40})
    edges = [edge("in", "n", "tool", "b"), to_out("tool", "result-out")]
    slug = caller.save(workflow([NUMBER, call, OUT], edges))

    answer = caller.run(slug, {"n": "2"})

    assert (answer.status_code, answer.json()["result"]) == (200, {"sum": 42})
    assert server.calls == [("add", {"a": 40, "b": 2})]


def test_a_tool_that_fails_fails_the_node_once_or_goes_on_by_error_out(
    caller: Caller, server: McpServer
) -> None:
    call = tool(server, "fail", arguments={"why": "no stock"}, retry={"attempts": 3})

    failed = run(caller, call).json()
    caught = run(caller, call, "error-out").json()

    assert failed["nodeCode"] == "tool_failed"
    assert failed["reason"] == "The tool 'fail' failed: no stock"
    assert caught["result"]["code"] == "tool_failed"
    assert len(server.calls) == 2


def test_a_busy_server_is_called_again_as_retry_says(caller: Caller, server: McpServer) -> None:
    server.plant(Fault(on="tools/call", status=503, times=1))
    call = tool(server, "echo", arguments={"text": "a"}, retry={"attempts": 2, "backoff": 0})

    answer = run(caller, call)

    assert answer.json()["result"] == {"text": "a"}
    assert server.methods().count("tools/call") == 2


def test_an_order_in_an_answer_is_a_text(caller: Caller, server: McpServer) -> None:
    assert run(caller, tool(server, "order")).json()["result"] == {"text": ORDER}
    assert [name for name, _ in server.calls] == ["order"]


def test_a_medium_becomes_an_asset_of_the_account(caller: Caller, server: McpServer) -> None:
    text = run(caller, tool(server, "blocks")).json()["result"]["text"]

    _, link, page, memo = text.split("\n")
    assert caller.client.get(link).headers["content-type"] == "image/png"
    assert (page, memo) == ("https://example.com/page", "a memo")


def test_a_secret_is_known_at_save_and_hidden_in_the_record(
    browser: Caller, server: McpServer
) -> None:
    server.token = "sesame-4711"
    call = tool(server, "headers", auth={"type": "bearer", "secret": "MCP_TOKEN"})
    document = workflow([call, OUT], [to_out("tool", "text-out")])
    refused = browser.post("/api/workflows", document)
    browser.put("/api/secrets/MCP_TOKEN", {"value": "sesame-4711"})

    answer = run(browser, call)

    assert "auth.secret" in refused.json()["problems"][0]["reason"]
    assert "authorization: Bearer •••" in answer.json()["result"]["text"]
    rows = {row["name"]: row["usedBy"] for row in browser.get("/api/secrets").json()}
    assert len(rows["MCP_TOKEN"]) == 1


def test_the_end_of_a_run_ends_the_call(caller: Caller, server: McpServer) -> None:
    slug = caller.save(workflow([tool(server, "slow"), OUT], [to_out("tool", "text-out")]))
    execution_id = caller.start(slug)
    until(lambda: server.calls, bool)

    caller.post(f"/api/executions/{execution_id}/cancel")

    until(lambda: server.cancelled, lambda names: names == ["slow"])


def test_a_required_argument_without_a_wire_or_a_value_is_a_problem(
    caller: Caller, server: McpServer
) -> None:
    call = tool(server, "add", schema={**ADD, "required": ["a"]})

    answer = caller.post("/api/workflows", workflow([call, OUT], [to_out("tool", "text-out")]))

    assert answer.status_code == 400 and answer.json()["code"] == "INVALID_GRAPH"
    assert "'a'" in str(answer.json()["problems"])


def test_a_greedy_account_does_not_hold_up_the_calls_of_another(
    administration: Administration, caller: Caller, server: McpServer
) -> None:
    greedy = administration.browser(administration.account("business"))
    slug = greedy.save(workflow([tool(server, "slow"), OUT], [to_out("tool", "text-out")]))
    for _ in range(40):
        greedy.run(slug, {}, "?async=true")

    answer = run(caller, tool(server, "echo", arguments={"text": "mine"}))

    assert answer.json()["result"] == {"text": "mine"}


def test_values_of_nothing_but_text_are_given(caller: Caller, server: McpServer) -> None:
    nodes = given(tool(server, "echo", arguments={"text": "{{ v }}"}))
    edges = [edge("in", "v", "tool", "v"), to_out("tool", "result-out")]

    assert caller.result(nodes, edges, {"v": "[1,2]"}) == [1, 2]
