"""Custom Model: typed, wired, bundled and listed values, and faults."""

import asyncio
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.graph.plan import check_graph
from engine.models.calls.chat import Chat
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.nodes.custom_model import CustomModel
from engine.nodes.support.base import WorkKind
from engine.nodes.support.fan_out import CALLS_AT_ONCE, MAX_ITEMS
from engine.values.sockets import Socket, SocketType
from tests.support.graphs.graph_text import edge, node
from tests.support.manifests import model
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "customModel": NodeSample(
        WorkKind.IO, "Custom", {"model": "echo", "prompt": "hello"}, is_charged=True
    )
}

FIELDS = """
[[fields]]
name = "prompt"
type = "textarea"
required = true
maxLength = 10

[[fields]]
name = "photo"
type = "image"

[[fields]]
name = "count"
type = "number"
default = 1
min = 1
max = 4

[[fields]]
name = "model"
type = "pills"
options = ["fine", "fast"]
"""
PRICING = '[[pricing]]\nunit = "image"\nusd = "0.02"\nfield = "count"\n'
NEEDY = '[[fields]]\nname = "size"\ntype = "number"\nrequired = true\n'
FIXED = '[builtin]\ntemplate = "hello"'
PHOTO, OTHER = "https://a.example/1.png", "https://a.example/2.png"
BILL, LETTER = "https://a.example/1.pdf", "https://a.example/2.pdf"


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    models = [
        model("painter", category="image", fields=FIELDS, pricing=PRICING),
        model("writer"),
        model("sizer", fields=NEEDY, call='[builtin]\ntemplate = "{{ size }}"'),
        model("gone", head="enabled = false"),
    ]
    with use_models(models):
        yield


async def calls_of(
    data: Mapping[str, Any], inputs: Mapping[str, Any] | None = None, name: str = "painter"
) -> list[Mapping[str, Any]]:
    """Return the values of each call."""
    context = FakeContext()
    await run_node("customModel", {"model": name, **data}, inputs, context=context)
    return context.model_values


def max_usage(data: Mapping[str, Any], inputs: Mapping[str, Any]) -> Usage:
    kind = CustomModel()
    return kind.max_usage(kind.parse({"model": "painter", **data}), inputs)


# -- sockets --------------------------------------------------------------------------------------


def test_text_and_media_fields_have_a_socket_each_and_the_rest_share_one() -> None:
    kind = CustomModel()
    settings = kind.parse({"model": "painter", "prompt": "x"})

    assert kind.inputs(settings) == {
        "prompt-in": Socket(type=SocketType.TEXT),
        "photo-in": Socket(type=SocketType.IMAGE),
        "params-in": Socket(type=SocketType.ANY),
    }
    assert kind.outputs(settings) == {"image-out": Socket(type=SocketType.IMAGE)}
    assert kind.model(settings) == "painter"


@pytest.mark.parametrize(("category", "kind"), [(each.value, each.socket) for each in Category])
def test_the_output_is_that_of_the_models_category(category: str, kind: SocketType) -> None:
    with use_models([model(category=category)]):
        settings = CustomModel().parse({"model": "own", "prompt": "x"})

        assert CustomModel().outputs(settings) == {f"{kind}-out": Socket(type=kind)}


@pytest.mark.parametrize(
    ("name", "socket", "typed"), [("writer", "prompt-in", "x"), ("sizer", "params-in", 1)]
)
def test_a_required_field_must_be_typed_or_wired(name: str, socket: str, typed: Any) -> None:
    field = {"writer": "prompt", "sizer": "size"}[name]
    empty = node("m", "customModel", model=name)
    filled = node("m", "customModel", model=name, **{field: typed})
    source = node("l", "list", items=[{"value": "x"}])

    assert [problem.as_dict() for problem in check_graph([empty], [])] == [
        {"nodeId": "m", "reason": f"Nothing is wired to the input socket '{socket}'"}
    ]
    assert check_graph([filled], []) == []
    assert check_graph([source, empty], [edge("l.items-out", f"m.{socket}")]) == []


def test_a_required_field_that_has_a_default_needs_neither() -> None:
    with use_models([model(fields=NEEDY + "default = 1\n", call=FIXED)]):
        assert check_graph([node("m", "customModel", model="own")], []) == []


# -- values ---------------------------------------------------------------------------------------


async def test_values_are_typed_under_their_names_and_defaults_fill_the_rest() -> None:
    assert await calls_of({"prompt": "a cat", "label": "My node"}) == [
        {"prompt": "a cat", "count": 1}
    ]


async def test_values_may_be_typed_together_which_counts_more() -> None:
    data = {"prompt": "a cat", "values": {"prompt": "a dog", "count": 3, "unknown": 1}}

    assert await calls_of(data) == [{"prompt": "a dog", "count": 3}]


async def test_a_field_with_a_reserved_name_is_typed_among_the_values() -> None:
    assert await calls_of({"prompt": "x", "values": {"model": "fast"}}) == [
        {"prompt": "x", "count": 1, "model": "fast"}
    ]


async def test_what_is_wired_overrides_what_is_typed_and_a_socket_of_its_own_counts_most() -> None:
    data = {"prompt": "typed", "count": 2, "photo": PHOTO}
    params = {"count": 3, "prompt": "bundled", "photo": OTHER, "unknown": [1]}

    assert await calls_of(data, {"prompt-in": "wired", "params-in": params}) == [
        {"prompt": "wired", "count": 3, "photo": OTHER}
    ]


async def test_null_counts_as_nothing() -> None:
    data = {"prompt": "typed", "count": None, "values": {"photo": None}}
    inputs = {"prompt-in": None, "photo-in": None, "params-in": {"count": None}}

    assert await calls_of(data, inputs) == [{"prompt": "typed", "count": 1}]
    assert await calls_of(data, {"params-in": None}) == [{"prompt": "typed", "count": 1}]


async def test_a_single_answer_is_the_output() -> None:
    assert await run_node("customModel", {"model": "writer", "prompt": "x"}) == {
        "text-out": "writer 1"
    }


# -- lists ----------------------------------------------------------------------------------------


async def test_a_list_gives_a_call_per_item_with_the_other_values_alike() -> None:
    inputs = {"prompt-in": ["a", "b"], "photo-in": PHOTO, "params-in": {"count": 2}}

    assert await calls_of({}, inputs) == [
        {"prompt": "a", "photo": PHOTO, "count": 2},
        {"prompt": "b", "photo": PHOTO, "count": 2},
    ]


async def test_lists_of_the_same_length_go_together_and_null_items_count_as_nothing() -> None:
    inputs = {"prompt-in": ["a", None], "photo-in": [None, OTHER]}

    assert await calls_of({"prompt": "typed", "photo": PHOTO}, inputs) == [
        {"prompt": "a", "photo": PHOTO, "count": 1},
        {"prompt": "typed", "photo": OTHER, "count": 1},
    ]


async def test_an_empty_list_gives_an_empty_list_without_a_call() -> None:
    context = FakeContext()

    outputs = await run_node("customModel", {"model": "writer"}, {"prompt-in": []}, context=context)

    assert (outputs, context.model_values) == ({"text-out": []}, [])


class Slow(FakeContext):
    """Context whose later calls answer before earlier ones."""

    open: int = 0
    most_open: int = 0

    async def call_model(
        self, model: Model, values: Mapping[str, Any], item: int = 0, chat: Chat | None = None
    ) -> Any:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        for _ in range(100 - int(values["prompt"])):
            await asyncio.sleep(0)
        self.open -= 1
        return values["prompt"]


async def test_the_answers_stand_in_the_order_of_the_items_however_they_come() -> None:
    context, prompts = Slow(), [str(number) for number in range(50)]

    outputs = await run_node(
        "customModel", {"model": "writer"}, {"prompt-in": prompts}, context=context
    )

    assert outputs == {"text-out": prompts}
    assert context.most_open == CALLS_AT_ONCE


class Failing(FakeContext):
    """Context that fails at item 2 and never answers other items."""

    stopped: int = 0

    async def call_model(
        self, model: Model, values: Mapping[str, Any], item: int = 0, chat: Chat | None = None
    ) -> Any:
        self.model_values.append(values)
        if values["prompt"] == "2":
            raise NodeFailed("provider_unavailable", "It is down", retryable=True)
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.stopped += 1
            raise


async def test_an_item_that_fails_fails_the_node_and_stops_the_others() -> None:
    context, prompts = Failing(), [str(number) for number in range(50)]

    with pytest.raises(NodeFailed) as raised:
        await run_node("customModel", {"model": "writer"}, {"prompt-in": prompts}, context=context)

    assert (raised.value.code, raised.value.retryable) == ("provider_unavailable", True)
    assert len(context.model_values) == CALLS_AT_ONCE
    assert context.stopped == CALLS_AT_ONCE - 1


# -- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        ({}, ["model must be the internal name of a model"]),
        ({"model": ""}, ["model must be the internal name of a model"]),
        ({"model": 1}, ["model must be the internal name of a model"]),
        ({"model": "nobody"}, ["There is no model 'nobody' here"]),
        ({"model": "gone"}, ["The model 'gone' is disabled"]),
        ({"model": "writer", "values": []}, ["values must be an object with a value per field"]),
        (
            {"model": "painter", "prompt": 1, "count": 9, "values": {"model": "slow"}},
            [
                "'prompt' must be a text, not a number",
                "'count' must be at most 4",
                "'model' must be one of fine, fast",
            ],
        ),
    ],
)
def test_settings_that_are_not_right_are_refused_with_every_reason(
    data: dict[str, Any], reasons: list[str]
) -> None:
    with pytest.raises(SettingsError) as raised:
        CustomModel().parse(data)

    assert list(raised.value.reasons) == reasons


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "'prompt' is required"),
        ({"prompt-in": 5}, "'prompt' must be a text, not a number"),
        ({"prompt-in": {"a": 1}}, "'prompt' must be a text, not an object"),
        ({"prompt-in": "x" * 11}, "'prompt' must have at most 10 characters"),
        ({"prompt-in": "x", "photo-in": "a.png"}, "'photo' must be a URL that starts with https"),
        ({"prompt-in": "x", "params-in": {"count": 5}}, "'count' must be at most 4"),
        ({"prompt-in": "x", "params-in": {"count": [1, 2]}}, "'count' must be a number"),
        ({"params-in": "x"}, "'params-in' takes an object with values by field, not a text"),
        ({"params-in": [{}]}, "'params-in' takes an object with values by field, not a list"),
        ({"prompt-in": ["a", 5]}, "Item 2: 'prompt' must be a text, not a number"),
        ({"prompt-in": ["a", ["b"]]}, "Item 2: 'prompt' must be a text, not a list"),
        ({"prompt-in": ["a", None]}, "Item 2: 'prompt' is required"),
        (
            {"prompt-in": ["a", "b"], "photo-in": [PHOTO]},
            "Wired lists must be equally long, but there are 2 at 'prompt-in', 1 at 'photo-in'",
        ),
        (
            {"prompt-in": ["a"], "photo-in": []},
            "Wired lists must be equally long, but there are 1 at 'prompt-in', 0 at 'photo-in'",
        ),
        ({"prompt-in": ["a"] * (MAX_ITEMS + 1)}, "A wired list has at most 10000 items, not 10001"),
    ],
)
async def test_values_that_do_not_fit_fail_the_node_before_any_call(
    inputs: dict[str, Any], message: str
) -> None:
    context = FakeContext()

    with pytest.raises(NodeFailed) as raised:
        await run_node("customModel", {"model": "painter"}, inputs, context=context)

    assert raised.value.message.startswith(message)
    assert (raised.value.code, raised.value.retryable) == ("invalid_value", False)
    assert context.model_values == []


# -- the most it can use --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "inputs", "calls", "images"),
    [
        ({}, {}, 1, 1),
        ({"count": 3}, {}, 1, 3),
        ({"count": 3}, {"params-in": {"count": 2}}, 1, 2),
        ({"count": 3}, {"prompt-in": ["a", "b"]}, 2, 6),
        ({}, {"prompt-in": []}, 0, 0),
        ({}, {"prompt-in": ["a"], "photo-in": [PHOTO, OTHER]}, 2, 2),
        ({}, {"prompt-in": 5, "params-in": {"count": "many"}}, 1, 4),
        ({}, {"params-in": [1]}, 1, 1),
    ],
)
def test_the_most_it_can_use_counts_items_and_what_each_asks_for(
    data: dict[str, Any], inputs: dict[str, Any], calls: int, images: int
) -> None:
    assert max_usage(data, inputs) == Usage(calls=calls, images=images, seconds=Decimal(0))


async def test_each_item_has_a_number_of_its_own() -> None:
    context = FakeContext()

    await run_node(
        "customModel", {"model": "writer"}, {"prompt-in": ["a", "b", "c"]}, context=context
    )

    assert sorted(context.items) == [0, 1, 2]


async def test_a_node_calls_its_model_as_it_is_when_it_runs() -> None:
    kind, context = CustomModel(), FakeContext()
    settings = kind.parse({"model": "writer", "prompt": "x"})
    longer = model("writer", fields=FIELDS, pricing=PRICING)

    with use_models([longer]):
        await kind.run(settings, {}, context)
        used = kind.max_usage(settings, {})

    assert context.model_values == [{"prompt": "x", "count": 1}]
    assert used.images == 1


@pytest.mark.parametrize(
    "now", [[], [model("writer", head="enabled = false")], [model("writer", category="image")]]
)
async def test_a_model_that_is_not_what_it_was_fails_the_node(now: list[Model]) -> None:
    kind, context = CustomModel(), FakeContext()
    settings = kind.parse({"model": "writer", "prompt": "x"})

    with use_models(now), pytest.raises(NodeFailed) as raised:
        await kind.run(settings, {}, context)

    assert raised.value.code == "model_gone"
    assert context.model_values == []


async def test_a_blank_prompt_is_none_and_no_call_is_made_for_it() -> None:
    context = FakeContext()
    typed = {"model": "writer", "prompt": " "}

    needed = CustomModel().inputs(CustomModel().parse(typed))["prompt-in"].required
    await run_node("customModel", {**typed, "prompt": "typed"}, {"prompt-in": ""}, context=context)
    with pytest.raises(NodeFailed, match="'prompt' is required"):
        await run_node("customModel", typed, {"prompt-in": "\n"}, context=context)

    assert needed
    assert [each["prompt"] for each in context.model_values] == ["typed"]


def reader() -> Model:
    listed = FIELDS + '[[fields]]\nname = "file"\ntype = "file"\n'
    return model("reader", fields=listed, pricing=PRICING, call=FIXED)


@pytest.mark.parametrize(
    ("wired", "calls"),
    [
        ([BILL, None, LETTER], [[BILL, LETTER]]),
        ([[BILL], [BILL, LETTER]], [[BILL], [BILL, LETTER]]),
        (BILL, [BILL]),
    ],
)
async def test_a_list_of_files_goes_with_one_call(wired: Any, calls: list[Any]) -> None:
    context = FakeContext()
    data = {"model": "reader", "prompt": "x"}

    with use_models([reader()]):
        outputs = await run_node("customModel", data, {"file-in": wired}, context=context)

    assert [each["file"] for each in context.model_values] == calls
    assert isinstance(outputs["text-out"], list) is (len(calls) > 1)
