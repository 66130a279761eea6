"""Tools of a server for an editor: the list, its failures, and its place among the executions."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, uuid
from tests.support.mcp.server import Fault, McpServer, serving

ROUTES = {"POST /api/mcp/tools": "workflow:write and workflow:run"}
"""The requirement of each route on its caller, as reviewed."""

PATH = "/api/mcp/tools"
TOOL = {"name": str, "title": object, "description": str, "inputSchema": dict}


@pytest.fixture
def server(stack: RunningStack) -> Iterator[McpServer]:
    """A server that the stack of the tests can reach."""
    with serving() as running:
        yield running


def ask(caller: Caller, server: Any, **more: Any) -> Any:
    return caller.post(PATH, {"server": server, **more})


def test_the_tools_are_those_of_the_server(caller: Caller, server: McpServer) -> None:
    answer = ask(caller, server.url)

    assert answer.status_code == 200, answer.text
    assert_fits(answer.json(), {"tools": list, "executionId": uuid})
    tools = answer.json()["tools"]
    assert [each["name"] for each in tools] == [each.name for each in server.tools]
    assert tools[0] == {
        "name": "echo",
        "title": "Echo",
        "description": "Repeats a text.",
        "inputSchema": server.tools[0].wire().input_schema,
    }


def test_it_is_an_execution_without_a_workflow_that_costs_nothing(
    caller: Caller, server: McpServer
) -> None:
    execution_id = ask(caller, server.url).json()["executionId"]

    shown = caller.get(f"/api/executions/{execution_id}")

    assert shown.status_code == 200, shown.text
    assert (shown.json()["status"], shown.json()["workflowSlug"]) == ("completed", None)
    assert shown.json()["creditsCost"] == 0
    assert "agentTools" in [each["type"] for each in shown.json()["nodes"]]


def test_a_browser_lists_with_a_secret_of_its_account(browser: Caller, server: McpServer) -> None:
    server.token = "sesame-4711"
    assert browser.put("/api/secrets/TOOLS_TOKEN", {"value": "sesame-4711"}).status_code == 200

    answer = ask(browser, server.url, auth={"type": "bearer", "secret": "TOOLS_TOKEN"})

    assert answer.status_code == 200, answer.text
    assert len(answer.json()["tools"]) == len(server.tools)


def test_a_server_that_refuses_is_a_failed_execution_with_its_words(
    caller: Caller, server: McpServer
) -> None:
    server.plant(Fault(status=401, body=b"who are you"))

    answer = ask(caller, server.url)

    assert (answer.status_code, answer.json()["code"]) == (500, "EXECUTION_FAILED")
    assert answer.json()["nodeCode"] == "http_status"
    assert answer.json()["reason"] == "The server answered 401: who are you"
    assert answer.json()["error"] == (
        "The server's tools could not be listed: The server answered 401: who are you"
    )


def test_a_failed_list_can_be_retried(caller: Caller, server: McpServer) -> None:
    server.plant(Fault(status=500))
    failed = ask(caller, server.url).json()["executionId"]
    server.plant(None)

    retried = caller.post(f"/api/executions/{failed}/retry")

    assert retried.status_code == 202, retried.text
    ended = caller.ended(retried.json()["executionId"])
    assert ended["status"] == "completed"
    assert len(ended["result"]) == len(server.tools)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "server"),
        ({"server": 5}, "server"),
        ({"server": "tools.example"}, "server"),
        ({"server": "https://a.example/", "auth": {"type": "bearer"}}, "auth.secret"),
        ({"server": "https://a.example/", "auth": {"type": "x", "secret": "A"}}, "auth.type"),
        (
            {"server": "https://a.example/", "auth": {"type": "bearer", "secret": "UNKNOWN"}},
            "auth.secret",
        ),
    ],
)
def test_wrong_members_are_refused(caller: Caller, body: Any, field: str) -> None:
    answer = caller.post(PATH, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == field


def test_a_key_that_may_only_run_is_refused(
    administration: Administration, server: McpServer
) -> None:
    account = administration.account("business")
    runner = administration.with_key(administration.key(account, "workflow:run"))

    answer = ask(runner, server.url)

    assert (answer.status_code, answer.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert server.requests == []
