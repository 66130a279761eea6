"""Agent: settings, sockets, the graphs of its children, and its prompt."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.graph.body_paths import body_at
from engine.graph.inner_plans import calls_of_plan
from engine.graph.plan import Plan, check_graph, compile_plan
from engine.models.registry import use_models
from engine.nodes.agents.agent import Agent, AgentSettings
from engine.nodes.support.base import SecretName, WorkKind
from engine.nodes.support.children import Callee
from tests.support.factories import Graph
from tests.support.manifests import model
from tests.support.models.agent_models import agent_model
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"agent": NodeSample(WorkKind.CHILDREN, "LLMs", {"model": "echo", "prompt": "{{ a }}"})}
SERVER = {"server": "https://tools.example/mcp", "auth": {"type": "bearer", "secret": "KEY"}}
EITHER = "tools[0] must be an object with either 'workflow' or 'server'"
DATA = {"model": "thinker", "prompt": "Where is {{ order }}?", "tools": [{"workflow": "find"}]}


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    with use_models([agent_model(), model("echo")]):
        yield


def settings(**data: Any) -> AgentSettings:
    found = Agent().parse({**DATA, **data})
    assert isinstance(found, AgentSettings)
    return found


def reasons(**data: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        settings(**data)
    return tuple(error.value.reasons)


def graph(**data: Any) -> Graph:
    made = Graph("order").node("agent", "agent", **{**DATA, **data})
    made.node("out", "responseOutput")
    return made.wire("in.order > agent.order", "agent.text-out > out.result-in")


def plan(**data: Any) -> Plan:
    made = graph(**data)
    return compile_plan(made.nodes, made.edges)


def problems(**data: Any) -> list[str]:
    made = graph(**data)
    return [each.reason for each in check_graph(made.nodes, made.edges)]


def test_it_has_sockets_for_texts_images_and_placeholders() -> None:
    found = settings()

    assert set(Agent().inputs(found)) == {"prompt-in", "system-in", "file-in", "order"}
    assert set(Agent().outputs(found)) == {"text-out", "json-out", "steps-out"}
    assert Agent().outputs(found)["json-out"].refusal
    with_schema = settings(jsonSchema={"type": "object"})
    assert not Agent().outputs(with_schema)["json-out"].refusal


def test_settings_have_bounds() -> None:
    assert (settings().max_steps, settings().max_credits) == (12, None)
    assert settings(maxSteps=50, maxCredits=3).rules.max_credits == 3
    assert reasons(maxSteps=51) == ("maxSteps must be a whole number from 1 to 50",)
    assert reasons(maxCredits=0)[0].startswith("maxCredits must be")


@pytest.mark.parametrize(
    ("tools", "reason"),
    [
        ("find", "tools must be a list of at most 64 objects"),
        ([{}], EITHER),
        (
            [{"workflow": "a", "server": "b"}],
            "tools[0] must be an object with either 'workflow' or 'server'",
        ),
        ([{"server": "nowhere"}], "tools[0].server must be the URL of a server"),
        ([{**SERVER, "tool": 5}], "tools[0].tool must be the name of a tool of the server"),
    ],
)
def test_wrong_tools_are_faults(tools: Any, reason: str) -> None:
    assert reasons(tools=tools) == (reason,)


def test_names_of_tools_that_collide_are_a_fault() -> None:
    both = [{"workflow": "find"}, {**SERVER, "tool": "find"}]

    assert reasons(tools=both) == (
        "tools: 2 tools have the name 'find'; a model could not tell them apart",
    )


def test_names_to_approve_are_those_of_tools_as_far_as_they_are_known() -> None:
    assert reasons(approve=["refund"]) == ("approve: there is no tool 'refund'",)
    assert settings(approve=["refund"], tools=[SERVER]).rules.approve == ("refund",)
    assert settings(approve=["find"]).rules.approve == ("find",)


def test_each_part_has_a_plan_that_is_found_by_path() -> None:
    made = plan(tools=[{"workflow": "find"}, SERVER], approve=["find"])

    [agent] = [node for node in made.nodes if node.id == "agent"]
    assert list(agent.parts) == ["turn", "tools:1", "call:1", "approval"]
    turn = body_at(made, ("agent", "turn"))
    assert turn is not None and turn.models == {1: "thinker"}
    assert body_at(made, ("agent", "call:0")) is None
    assert body_at(made, ("agent",)) is None
    assert calls_of_plan(made) == {Callee("find")}
    assert agent.policy.attempts == 1


def test_turns_have_the_attempts_and_the_values_of_the_agent() -> None:
    made = plan(retry={"attempts": 3, "backoff": 2}, temperature=0.5)

    turn = body_at(made, ("agent", "turn"))
    assert turn is not None
    step = turn.nodes[1]
    assert (step.policy.attempts, step.policy.backoff) == (3, 2)
    assert step.settings.values == {"temperature": 0.5}


def test_a_model_without_tools_is_a_problem() -> None:
    assert problems(model="echo") == ["The model 'echo' takes no tools"]
    assert problems() == []


def test_a_private_server_is_a_problem_at_save() -> None:
    [reason] = set(problems(tools=[{"server": "http://127.0.0.1/mcp"}]))

    assert reason == "server: The URL leads to an address that is not public"


def test_secrets_of_servers_are_found_with_their_hosts() -> None:
    assert list(Agent().secret_uses({"tools": [{"workflow": "a"}, SERVER]})) == [
        SecretName("tools[1].auth.secret", "KEY", "tools.example")
    ]


def test_the_prompt_is_rendered_and_media_are_links() -> None:
    inputs = {"order": 7, "system-in": "Be kind", "file-in": [["https://a.example/1.png"], "b"]}
    found = Agent().read_task(settings(), inputs)

    assert (found.prompt, found.system) == ("Where is 7?", "Be kind")
    assert found.files == ("https://a.example/1.png", "b")
    with pytest.raises(NodeFailed, match="links of files"):
        Agent().read_task(settings(), {**inputs, "file-in": [5]})


def test_a_list_at_the_prompt_is_one_prompt() -> None:
    found = Agent().read_task(settings(prompt=""), {"prompt-in": ["a", "b"]})

    assert found.prompt == '["a","b"]'


def test_an_estimate_knows_the_first_messages() -> None:
    known = Agent().sample(settings(), {"order": 7}, ())

    assert known["messages"] == [{"role": "user", "text": "Where is 7?"}]
    assert Agent().sample(settings(), {"order": 7, "file-in": [None]}, ()) == {}
