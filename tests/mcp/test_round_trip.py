"""One installation calls workflows of another by MCP: an agent, the node mcpTool, and a loop."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.net.http_client import call
from tests.support.acceptance.running_stack import (
    HEADRACE,
    ONE_WORKER,
    RunningStack,
    environment,
    running,
    until,
)
from tests.support.mcp.scenario_lab import ScenarioLab, lab_beside
from tests.support.mcp.scenario_place import (
    field,
    form,
    greeting,
    make_account,
    make_key,
    save,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("round-trip")]
PRIVATE = {"HEADRACE_ALLOW_PRIVATE_URLS": "1"}
DEEPEST = 8
MARK = "round-trip"


@dataclass(frozen=True)
class Installation:
    """A stack with an account that has credits, and a key of it."""

    stack: RunningStack
    key: str

    def api(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = call(method, self.stack.url + path, key=self.key, body=body)
        assert status < 300, answer
        return answer

    def run(self, slug: str, **inputs: Any) -> Any:
        return call(
            "POST",
            f"{self.stack.url}/api/workflows/{slug}/run",
            key=self.key,
            body={"inputs": inputs},
            timeout=120,
        )

    def newest(self, slug: str) -> list[Any]:
        rows: list[Any] = self.api("GET", f"/api/executions?workflowSlug={slug}")["rows"]
        return rows


@dataclass(frozen=True)
class Both:
    """The installation that asks, the one that has the tools, and the lab that those call."""

    asking: Installation
    other: Installation
    lab: ScenarioLab


def slow(lab: str) -> dict[str, Any]:
    """Return a workflow that calls the lab, which answers after two seconds."""
    graph = form(field("topic", default="any"))
    graph.node("call", "httpRequest", url=f"{lab}/answer?seconds=2&mark={MARK}")
    graph.node("out", "responseOutput").wire("call.response-out > out.result-in")
    return graph.body("Slow research")


def installation(stack: RunningStack, name: str) -> Installation:
    account = make_account(stack, name, "enterprise", "--credits", "100000")
    return Installation(stack, make_key(stack, account))


def server_of(place: Installation, secret: str = "OTHER") -> dict[str, Any]:
    return {
        "server": f"{place.stack.url}/mcp",
        "auth": {"type": "bearer", "secret": secret},
    }


def agent(name: str, *tools: dict[str, Any], **data: Any) -> dict[str, Any]:
    graph = form(field("question"))
    settings = {"model": "gpt-mini", "prompt": "{{ question }}", "tools": [*tools], **data}
    graph.node("agent", "agent", **settings)
    graph.node("out", "responseOutput", fields=[{"name": "text"}, {"name": "steps"}])
    graph.wire("form.question > agent.question", "agent.text-out > out.text")
    return graph.wire("agent.steps-out > out.steps").body(name)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    options = ("--no-demo", *ONE_WORKER)
    with (
        running(tmp_path_factory.mktemp("other"), *options, **PRIVATE) as there,
        running(tmp_path_factory.mktemp("asking"), *options, "--demo-provider", **PRIVATE) as here,
        lab_beside(there) as lab,
    ):
        asking, other = installation(here, "asking"), installation(there, "other")
        save(there, other.key, greeting(), slow(lab.url))
        for name, key in (("OTHER", other.key), ("OWN", asking.key)):
            set_secret(asking, name, key)
        yield Both(asking, other, lab)


def set_secret(place: Installation, name: str, value: str) -> None:
    account = place.api("GET", "/api/whoami")["user"]["id"]
    where = ("--account", account, "--any-host", "--data-dir", str(place.stack.data_dir))
    subprocess.run(
        (*HEADRACE, "secret", "set", name, *where),
        input=value,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )


def test_an_agent_calls_a_workflow_of_another_installation(both: Both) -> None:
    asking, other = both.asking, both.other
    save(asking.stack, asking.key, agent("Asks", server_of(other)))

    status, answer = asking.run("asks", question="Use scenario-greeting with the name Bob")

    assert status == 200, answer
    steps = answer["result"]["steps"]
    assert [each["kind"] for each in steps] == ["model", "tool", "model"]
    assert (steps[1]["name"], steps[1]["status"]) == ("scenario-greeting", "completed")
    assert "Hello " in str(steps[1]["output"])
    [there] = other.newest("scenario-greeting")
    assert (there["source"], there["status"]) == ("mcp", "completed")


def test_a_killed_worker_repeats_no_call_that_ended_at_the_other_installation(both: Both) -> None:
    asking, other = both.asking, both.other
    save(asking.stack, asking.key, agent("Asks long", server_of(other)))
    question = "Use slow-research"

    begun = asking.api(
        "POST", "/api/workflows/asks-long/run?async=true", {"inputs": {"question": question}}
    )
    until(lambda: both.lab.calls[MARK])
    for pid in asking.stack.part("worker"):
        os.kill(pid, signal.SIGKILL)
    path = f"/api/executions/{begun['executionId']}"
    ended = until(lambda: asking.api("GET", path), lambda run: run["completedAt"], timeout=90)

    assert ended["status"] == "completed", ended
    there = [each["status"] for each in other.newest("slow-research")]
    assert there.count("completed") == 1, there
    tools = [each for each in ended["result"]["steps"] if each["kind"] == "tool"]
    assert [each["status"] for each in tools] == ["completed"]


def test_the_node_mcp_tool_calls_a_workflow_of_another_installation(both: Both) -> None:
    graph = form(field("who"))
    graph.node(
        "tool",
        "mcpTool",
        tool="scenario-greeting",
        arguments={"name": "{{ who }}"},
        **server_of(both.other),
    ).node("out", "responseOutput")
    graph.wire("form.who > tool.who", "tool.text-out > out.result-in")
    save(both.asking.stack, both.asking.key, graph.body("Calls there"))

    status, answer = both.asking.run("calls-there", who="Eve")

    assert (status, answer["result"]) == (200, {"text": "Hello Eve"})


@pytest.mark.A96b
def test_an_agent_whose_tool_is_itself_by_mcp_ends_at_the_depth(both: Both) -> None:
    asking = both.asking
    server = {**server_of(asking, "OWN"), "tool": "calls-itself"}
    save(asking.stack, asking.key, agent("Calls itself", server, maxSteps=4))

    status, answer = asking.run("calls-itself", question="Use calls-itself with the question again")

    assert status in (200, 500), answer
    runs = until(
        lambda: asking.newest("calls-itself"),
        lambda rows: all(each["status"] != "processing" for each in rows),
        timeout=60,
    )
    assert 1 < len(runs) <= DEEPEST + 1
    assert "LOOP_DETECTED" in str(answer).upper()
