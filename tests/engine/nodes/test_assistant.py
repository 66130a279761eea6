"""Assistant: values of model calls, and formats of the answer."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.graph.plan import check_graph
from engine.models.calls.chat import Chat
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.nodes.assistant import (
    LIST_SCHEMA,
    LIST_SENTENCE,
    NO_SCHEMA,
    SCHEMA_SENTENCE,
    Assistant,
)
from engine.nodes.support.base import WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.graphs.graph_text import edge, node
from tests.support.manifests import PROMPT, field, model
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "assistant": NodeSample(
        WorkKind.IO, "LLMs", {"model": "echo", "prompt": "hello {{ a }}"}, is_charged=True
    )
}

PHOTO, OTHER = "https://a.example/1.png", "https://a.example/2.png"
CHAT = "".join(
    [
        PROMPT,
        field("system", "textarea"),
        field("image", "image"),
        field("temperature", "number", "min = 0\nmax = 1"),
        field("maxTokens", "number", "min = 1\nmax = 100\nstep = 1\ndefault = 10"),
    ]
)
PRICING = '[[pricing]]\nunit = "output_token"\nusd = "0.001"\nfield = "maxTokens"\n'
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
LIST_OF_NUMBERS = {"type": "array", "items": {"type": "number"}}
ALL = frozenset({"text-out", "analysis-out", "items-out"})
PARSED = frozenset({"json-out"})


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    models = [
        model("chat", fields=CHAT, pricing=PRICING),
        model("smart", fields=CHAT + field("jsonSchema", "json")),
        model("many", fields=PROMPT + field("images", "json")),
        model("plain"),
        model("strict", fields=PROMPT + field("size", "number", "required = true")),
        model("painter", category="image"),
    ]
    with use_models(models):
        yield


class Scripted(FakeContext):
    """Context whose model answers with these texts in turn."""

    texts: tuple[str, ...] = ()

    async def call_model(
        self, model: Model, values: Mapping[str, Any], item: int = 0, chat: Chat | None = None
    ) -> Any:
        await super().call_model(model, values, item)
        return self.texts[item % len(self.texts)]


async def answer(
    data: Mapping[str, Any],
    *texts: str,
    inputs: Mapping[str, Any] | None = None,
    wired: frozenset[str] = ALL,
) -> Mapping[str, Any]:
    """Return the wired outputs of a node whose model answers with these texts."""
    context = Scripted()
    context.texts = texts
    data = {"model": "chat", "prompt": "x", **data}
    return await run_node("assistant", data, inputs, context=context, wired=wired)


async def calls_of(data: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> list[Any]:
    """Return the values of each call."""
    context = Scripted()
    context.texts = ('{"name": "Ada"}',)
    await run_node("assistant", {"model": "chat", **data}, inputs, context=context)
    return context.model_values


# -- sockets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "items"), [({}, SocketType.TEXT), ({"jsonSchema": SCHEMA}, SocketType.ANY)]
)
def test_the_sockets_are_those_of_the_contract(data: dict[str, Any], items: SocketType) -> None:
    kind = Assistant()
    settings = kind.parse({"model": "chat", "prompt": "x", **data})

    assert kind.inputs(settings) == {
        "prompt-in": Socket(type=SocketType.TEXT),
        "image-in": Socket(type=SocketType.IMAGE),
        "system-in": Socket(type=SocketType.TEXT),
        "file-in": Socket(type=SocketType.FILE, many=True),
    }
    assert kind.outputs(settings) == {
        "text-out": Socket(type=SocketType.TEXT),
        "analysis-out": Socket(type=SocketType.TEXT),
        "items-out": Socket(type=items),
        "json-out": Socket(type=SocketType.ANY, refusal="" if data else NO_SCHEMA),
    }
    assert kind.model(settings) == "chat"


def test_placeholders_of_prompt_and_system_are_sockets() -> None:
    asked = node("a", "assistant", model="chat", prompt="{{ what }}", system="{{ who }}")
    source = node("t", "textBox", text="x")

    assert [each.reason for each in check_graph([asked], [])] == [
        "Nothing is wired to the input socket 'what'",
        "Nothing is wired to the input socket 'who'",
    ]
    edges = [edge("t.text-out", f"a.{name}") for name in ("what", "who")]
    assert check_graph([source, asked], edges) == []


def test_a_model_that_sees_nothing_takes_no_image() -> None:
    source = node("l", "list", kind="image", items=[])
    plain = node("a", "assistant", model="plain", prompt="x")

    [problem] = check_graph([source, plain], [edge("l.items-out", "a.image-in")])

    assert problem.reason == "'image-in' of 'a': The model 'plain' has no 'image'"


# -- what is asked --------------------------------------------------------------------------------


async def test_settings_and_wires_become_values_of_the_fields_of_their_name() -> None:
    data = {"prompt": "Who is {{ who }}?", "system": "Be {{ how }}.", "temperature": 0.5}
    inputs = {"who": "{{ how }}", "how": "brief", "image-in": PHOTO}
    expected = {"temperature": 0.5, "image": PHOTO, "maxTokens": 10}

    assert await calls_of(data, inputs) == [
        {"prompt": "Who is {{ how }}?", "system": "Be brief.", **expected}
    ]
    assert await calls_of(data, {**inputs, "prompt-in": "wired", "system-in": "too"}) == [
        {"prompt": "wired", "system": "too", **expected}
    ]


async def test_several_images_go_together_where_the_model_takes_many_else_one_by_one() -> None:
    inputs = {"image-in": [PHOTO, OTHER]}

    assert await calls_of({"model": "many", "prompt": "x"}, inputs) == [
        {"prompt": "x", "images": [PHOTO, OTHER]}
    ]
    assert [each["image"] for each in await calls_of({"prompt": "x"}, inputs)] == [PHOTO, OTHER]


async def test_a_model_that_takes_schemas_is_given_one() -> None:
    data = {"model": "smart", "prompt": "x"}

    [plain] = await calls_of(data)
    [listing] = await calls_of({**data, "exportMode": "list"})
    [shaped] = await calls_of({**data, "jsonSchema": SCHEMA, "exportMode": "list"})

    assert "jsonSchema" not in plain
    assert (listing["prompt"], listing["jsonSchema"]) == ("x", LIST_SCHEMA)
    assert (shaped["prompt"], shaped["jsonSchema"]) == ("x", SCHEMA)


async def test_a_model_that_takes_none_is_told_in_words() -> None:
    text = SCHEMA_SENTENCE + (
        '{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}'
    )

    [with_system] = await calls_of({"prompt": "x", "system": "Be brief.", "exportMode": "list"})
    [without] = await calls_of({"prompt": "x", "jsonSchema": SCHEMA})
    [plain] = await calls_of({"model": "plain", "prompt": "x", "exportMode": "list"})

    assert with_system["system"] == f"Be brief.\n\n{LIST_SENTENCE}"
    assert (without["prompt"], without["system"]) == ("x", text)
    assert plain == {"prompt": f"x\n\n{LIST_SENTENCE}"}


# -- what is given --------------------------------------------------------------------------------


async def test_a_text_is_given_as_it_is_under_both_names_and_as_the_only_item() -> None:
    text = "- a\n- {{ b }}"

    assert await answer({}, text) == {
        "text-out": text,
        "analysis-out": text,
        "items-out": [text],
    }


async def test_outputs_that_nobody_takes_are_left_out() -> None:
    context = Scripted()
    context.texts = ("hello",)

    outputs = await run_node("assistant", {"model": "chat", "prompt": "x"}, context=context)

    assert outputs == {"text-out": "hello"}


@pytest.mark.parametrize("text", ['{"items": ["a", "b"]}', '["a", "b"]', "1. a\n2. b", "a\nb"])
async def test_a_list_is_given_item_by_item_and_a_line_each(text: str) -> None:
    outputs = await answer({"exportMode": "list"}, text)

    assert outputs == {"text-out": "a\nb", "analysis-out": "a\nb", "items-out": ["a", "b"]}


@pytest.mark.parametrize(
    ("schema", "text", "compact", "items"),
    [
        (SCHEMA, '{ "name" : "Ada" }', '{"name":"Ada"}', [{"name": "Ada"}]),
        (LIST_OF_NUMBERS, "[1, 2]", "[1,2]", [1, 2]),
        ({}, '{"items": [1, {"a": 2}]}', '{"items":[1,{"a":2}]}', [1, {"a": 2}]),
    ],
)
async def test_json_is_given_compact_and_its_list_as_items(
    schema: dict[str, Any], text: str, compact: str, items: list[Any]
) -> None:
    outputs = await answer({"jsonSchema": schema}, text)

    assert outputs == {"text-out": compact, "analysis-out": compact, "items-out": items}


@pytest.mark.parametrize("text", ['{"name": "Ada"}', "[1, 2]", "null", "1.5", "true", '"a"'])
async def test_json_is_given_as_the_value_that_it_is(text: str) -> None:
    outputs = await answer({"jsonSchema": {}}, text, wired=PARSED)

    assert outputs["json-out"] == json.loads(text)
    assert "items-out" not in outputs


async def test_a_list_of_prompts_gives_a_list_of_values_in_order() -> None:
    data = {"jsonSchema": {}}

    some = await answer(data, "[1]", "2", inputs={"prompt-in": ["x", "y"]}, wired=PARSED)
    none = await answer(data, "[1]", inputs={"prompt-in": []}, wired=PARSED)

    assert (some["json-out"], none["json-out"]) == ([[1], 2], [])


def test_a_wire_from_the_parsed_value_needs_a_schema() -> None:
    asked = node("a", "assistant", model="chat", prompt="x")
    nodes = [asked, node("out", "responseOutput")]
    edges = [edge("a.json-out", "out.result-in")]

    [problem] = check_graph(nodes, edges)
    asked["data"]["jsonSchema"] = SCHEMA

    assert problem.reason == f"'json-out' of 'a': {NO_SCHEMA}"
    assert (problem.edge_id, problem.socket) == (edges[0]["id"], "json-out")
    assert check_graph(nodes, edges) == []


async def test_a_schema_may_be_written_as_text() -> None:
    outputs = await answer({"jsonSchema": '{"type": "array"}'}, "[1]")

    assert outputs["items-out"] == [1]


async def test_a_list_of_prompts_gives_a_list_of_texts_in_order_and_all_items_flat() -> None:
    inputs = {"prompt-in": ["x", "y"]}

    texts = await answer({}, "a", "b", inputs=inputs)
    lists = await answer({"exportMode": "list"}, '["a", "b"]', '["c"]', inputs=inputs)
    nothing = await answer({}, "a", inputs={"prompt-in": []})

    assert (texts["text-out"], texts["items-out"]) == (["a", "b"], ["a", "b"])
    assert (lists["text-out"], lists["items-out"]) == (["a\nb", "c"], ["a", "b", "c"])
    assert (nothing["text-out"], nothing["items-out"]) == ([], [])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"jsonSchema": SCHEMA}, "Ada"),
        ({"jsonSchema": SCHEMA}, '{"name": 5}'),
        ({"exportMode": "list"}, " \n "),
        ({"exportMode": "list"}, '{"items": ["a", "b'),
    ],
)
async def test_an_answer_that_does_not_fit_may_be_asked_for_again(
    data: dict[str, Any], text: str
) -> None:
    with pytest.raises(NodeFailed) as raised:
        await answer(data, text)

    assert (raised.value.code, raised.value.retryable) == ("PROVIDER_BAD_RESPONSE", True)


# -- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        ({"model": "painter"}, ["The model 'painter' gives image, not text"]),
        ({"exportMode": "json"}, ["exportMode must be 'text' or 'list'"]),
        ({"exportMode": []}, ["exportMode must be 'text' or 'list'"]),
        (
            {"exportMode": 1, "jsonSchema": [], "temperature": 2},
            [
                "exportMode must be 'text' or 'list'",
                "jsonSchema must be an object with a JSON Schema",
                "'temperature' must be at most 1",
            ],
        ),
        ({"jsonSchema": "{"}, ["jsonSchema must be an object with a JSON Schema"]),
        ({"system": "{{"}, ["system: the '{{' at character 1 has no '}}'"]),
        ({"maxTokens": 0}, ["'maxTokens' must be at least 1"]),
        (
            {"model": "plain", "system": "Be brief."},
            ["The model 'plain' has no 'system'; it has 'prompt'"],
        ),
        (
            {"model": "plain", "temperature": 0},
            ["The model 'plain' has no 'temperature'; it has 'prompt'"],
        ),
        ({"model": "strict"}, ["'size' is required"]),
    ],
)
def test_settings_that_are_not_right_are_refused_with_every_reason(
    data: dict[str, Any], reasons: list[str]
) -> None:
    with pytest.raises(SettingsError) as raised:
        Assistant().parse({"model": "chat", "prompt": "x", **data})

    assert list(raised.value.reasons) == reasons


async def test_a_prompt_that_does_not_come_is_not_replaced_by_what_is_told_beside_it() -> None:
    with pytest.raises(NodeFailed) as raised:
        await calls_of({"model": "plain", "exportMode": "list"}, {"prompt-in": None})

    assert raised.value.message == "'prompt' is required"


@pytest.mark.parametrize(
    ("data", "inputs", "tokens"),
    [
        ({}, {}, 10),
        ({"maxTokens": 20}, {}, 20),
        ({"maxTokens": 20}, {"prompt-in": ["a", "b"], "image-in": PHOTO}, 40),
    ],
)
def test_the_most_it_can_use_counts_the_tokens_of_each_call(
    data: dict[str, Any], inputs: dict[str, Any], tokens: int
) -> None:
    kind = Assistant()

    most = kind.max_usage(kind.parse({"model": "chat", **data}), inputs)

    assert most == Usage(calls=tokens // (data.get("maxTokens") or 10), output_tokens=tokens)
