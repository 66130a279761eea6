"""Turn of an agent: the chat of its sockets, the model's values, and the most that it may cost."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.models.calls.chat import ChatTurn, ToolCall, read_turn, to_plain
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.nodes import NODE_TYPES, node_type
from engine.nodes.agents.agent_turn import AgentTurn
from engine.nodes.assistant import SCHEMA_SENTENCE
from tests.support.manifests import PROMPT, field, model
from tests.support.nodes.node_context import FakeContext, run_node

FIELDS = "".join(
    [
        PROMPT,
        field("system", "textarea"),
        field("image", "image"),
        field("jsonSchema", "json"),
        field("temperature", "number", "min = 0\nmax = 1"),
        field("maxTokens", "number", "min = 1\nmax = 100\nstep = 1\ndefault = 10"),
    ]
)
PRICING = """
[[pricing]]
unit = "input_token"
usd = "0.000001"
atMost = 5000

[[pricing]]
unit = "output_token"
usd = "0.000002"
field = "maxTokens"
"""
CALL = (
    '[openai]\nbase_url = "http://127.0.0.1:9"\nmodel = "m"\n'
    'body = { max_tokens = "{{ maxTokens }}", temperature = "{{ temperature }}" }\n'
)
TURN = ChatTurn(calls=(ToolCall(id="c1", name="find-order"),), model="chat")
USER = {"role": "user", "text": "Where is it?"}
TOOL = {"name": "find-order", "description": "Finds", "parameters": {"type": "object"}}
INPUTS = {"system-in": "Be kind.", "messages-in": [USER], "tools-in": [TOOL]}


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    plain = FIELDS.replace('name = "jsonSchema"', 'name = "other"')
    models = [
        model("chat", fields=FIELDS, pricing=PRICING, call=CALL),
        model("plain", fields=plain, pricing=PRICING, call=CALL),
        model("echo"),
        model("shy", fields=FIELDS, pricing=PRICING, call=CALL + "tools = false\n"),
    ]
    with use_models(models):
        yield


async def take_turn(data: Any, inputs: Any) -> tuple[Any, FakeContext]:
    context = FakeContext(turns=[TURN])
    return await run_node("agentTurn", data, inputs, context=context), context


async def test_the_chat_goes_to_the_model_and_its_turn_comes_out() -> None:
    data = {"model": "chat", "values": {"temperature": 0.5, "prompt": "no part of a chat"}}

    outputs, context = await take_turn(data, INPUTS)

    assert read_turn(outputs["turn-out"]) == TURN
    (chat,), (values,) = context.chats, context.model_values
    assert to_plain(chat) == {"system": "Be kind.", "messages": [USER], "tools": [TOOL]}
    assert values == {"temperature": 0.5, "maxTokens": 10}


async def test_a_schema_goes_to_a_model_that_takes_one() -> None:
    inputs = {**INPUTS, "schema-in": {"type": "object"}}

    _, context = await take_turn({"model": "chat"}, inputs)

    assert context.chats[0].schema == {"type": "object"}
    assert context.chats[0].system == "Be kind."


@pytest.mark.parametrize("system", ["Be kind.", None])
async def test_other_models_get_the_schema_as_a_sentence(system: str | None) -> None:
    inputs = {**INPUTS, "system-in": system, "schema-in": {"type": "object"}}

    _, context = await take_turn({"model": "plain"}, inputs)

    assert context.chats[0].schema is None
    before = "Be kind.\n\n" if system else ""
    assert context.chats[0].system == before + SCHEMA_SENTENCE + '{"type":"object"}'


@pytest.mark.parametrize("messages", ["text", [{"role": "robot"}], [1]])
async def test_other_inputs_fail_the_node(messages: Any) -> None:
    with pytest.raises(NodeFailed, match="The chat cannot be read") as raised:
        await take_turn({"model": "chat"}, {"messages-in": messages})

    assert raised.value.code == "invalid_value"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "must be the internal name of a model"),
        ({"model": "gone"}, "There is no model 'gone' here"),
        ({"model": "echo"}, "The model 'echo' takes no tools"),
        ({"model": "shy"}, "The model 'shy' takes no tools"),
        ({"model": "chat", "values": {"temperature": 2}}, "temperature"),
    ],
)
def test_other_settings_are_faults(data: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        AgentTurn().parse(data)


async def test_a_model_that_takes_no_tools_any_more_fails_the_node() -> None:
    kind = AgentTurn()
    settings = kind.parse({"model": "chat"})
    shy = model("chat", fields=FIELDS, pricing=PRICING, call=CALL + "tools = false\n")
    with use_models([shy]), pytest.raises(NodeFailed) as raised:
        await kind.run(settings, INPUTS, FakeContext(turns=[TURN]))

    assert raised.value.code == "model_takes_no_tools"


def test_documents_have_no_turns() -> None:
    assert node_type("agentTurn") is not None
    assert "agentTurn" not in {each.type for each in NODE_TYPES}


# -- estimate -------------------------------------------------------------------------------------


def most(inputs: Any, unknown: Any = ()) -> Usage:
    kind = AgentTurn()
    return kind.max_usage(kind.parse({"model": "chat"}), inputs, unknown)


def test_a_turn_costs_at_most_its_chat_and_the_limit_of_the_answer() -> None:
    usage = most(INPUTS)

    assert (usage.calls, usage.output_tokens) == (1, 10)
    assert 1_000 < usage.input_tokens < 1_500


def test_a_longer_chat_costs_more() -> None:
    longer = {**INPUTS, "messages-in": [USER, {"role": "user", "text": "x" * 9_000}]}

    assert most(longer).input_tokens >= most(INPUTS).input_tokens + 9_000


def test_an_image_counts_as_one_however_long_its_url_is() -> None:
    short, long = (
        most({**INPUTS, "messages-in": [{**USER, "files": [f"https://a.example/{name}"]}]})
        for name in ("a", "a" * 900)
    )

    assert short == long
    assert short.input_tokens > most(INPUTS).input_tokens + 10_000


@pytest.mark.parametrize(
    ("inputs", "unknown"), [({}, ()), (INPUTS, ("messages-in",)), ({"messages-in": 5}, ())]
)
def test_an_unknown_chat_costs_the_bound_of_the_price(inputs: Any, unknown: Any) -> None:
    assert most(inputs, unknown).input_tokens == 5_000


# -- schema of the answer -------------------------------------------------------------------------

NUMBERED = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}


@pytest.mark.parametrize("name", ["chat", "plain"])
@pytest.mark.parametrize("text", ["no JSON", '{"n": "x"}'])
async def test_an_answer_that_does_not_fit_the_schema_is_refused(name: str, text: str) -> None:
    context = FakeContext(turns=[ChatTurn(text=text)])
    inputs = {**INPUTS, "schema-in": NUMBERED}

    with pytest.raises(NodeFailed) as raised:
        await run_node("agentTurn", {"model": name}, inputs, context=context)

    assert (raised.value.code, raised.value.retryable) == ("PROVIDER_BAD_RESPONSE", True)
    assert context.refused == [0]


async def test_a_turn_with_calls_need_not_fit_the_schema() -> None:
    outputs, context = await take_turn({"model": "chat"}, {**INPUTS, "schema-in": NUMBERED})

    assert read_turn(outputs["turn-out"]) == TURN
    assert context.refused == []


async def test_an_answer_that_fits_the_schema_comes_out() -> None:
    turn = ChatTurn(text='{"n": 1}')
    context = FakeContext(turns=[turn])
    inputs = {**INPUTS, "schema-in": NUMBERED}

    outputs = await run_node("agentTurn", {"model": "chat"}, inputs, context=context)

    assert read_turn(outputs["turn-out"]) == turn
