"""Generators: sockets, values from settings and edges, and number and order of calls."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from engine.graph.plan import check_graph
from engine.models.calls.chat import Chat
from engine.models.manifest import Model
from engine.nodes.support.base import WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.graphs.graph_text import edge, node
from tests.support.models.generator_models import (
    MODELS,
    OUTPUTS,
    A,
    B,
    C,
    calls_of,
    every_generator,
    found,
)
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "imageGenerator": NodeSample(
        WorkKind.IO,
        "Image Models",
        {"model": "nano-banana", "prompt": "hello {{ a }}"},
        is_charged=True,
    ),
    "videoGenerator": NodeSample(
        WorkKind.IO,
        "Video Models",
        {"model": "seedance", "prompt": "hello {{ a }}"},
        is_charged=True,
    ),
    "musicGenerator": NodeSample(
        WorkKind.IO, "Music Models", {"model": "suno", "prompt": "hello {{ a }}"}, is_charged=True
    ),
}

pytestmark = pytest.mark.usefixtures("painters")


# -- sockets --------------------------------------------------------------------------------------

IMAGES = ("image-in", "style-in", "character-in", "start-image-in", "end-image-in")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("imageGenerator", {"prompt-in", *IMAGES, "params-in"}),
        ("videoGenerator", {"prompt-in", *IMAGES, "video-in", "params-in"}),
        ("musicGenerator", {"prompt-in", "params-in"}),
    ],
)
def test_the_sockets_are_those_of_the_contract(kind: str, names: set[str]) -> None:
    generator = found(kind)
    settings = generator.parse({"model": MODELS[kind], "prompt": "x"})

    sockets = generator.inputs(settings)

    types = dict.fromkeys(IMAGES, SocketType.IMAGE) | {
        "prompt-in": SocketType.TEXT,
        "video-in": SocketType.VIDEO,
        "params-in": SocketType.ANY,
    }
    assert sockets == {name: Socket(type=types[name]) for name in names}
    output = OUTPUTS[kind]
    assert generator.outputs(settings) == {f"{output}-out": Socket(type=SocketType(output))}
    assert generator.model(settings) == MODELS[kind]


def test_a_placeholder_of_the_prompt_is_a_socket_that_must_be_wired() -> None:
    painter = node("g", "imageGenerator", model="painter", prompt="a {{ animal }} in {{animal}}")
    source = node("t", "textBox", text="cat")

    assert [each.reason for each in check_graph([painter], [])] == [
        "Nothing is wired to the input socket 'animal'"
    ]
    assert check_graph([source, painter], [edge("t.text-out", "g.animal")]) == []


@pytest.mark.parametrize("data", [{}, {"prompt": ""}, {"prompt": None}])
def test_a_prompt_must_be_typed_or_wired(data: dict[str, Any]) -> None:
    painter = node("g", "imageGenerator", model="painter", **data)
    source = node("t", "textBox", text="cat")

    assert [each.reason for each in check_graph([painter], [])] == [
        "Nothing is wired to the input socket 'prompt-in'"
    ]
    assert check_graph([source, painter], [edge("t.text-out", "g.prompt-in")]) == []


def test_a_wire_that_the_model_has_no_field_for_is_a_problem_of_the_edge() -> None:
    source = node("l", "list", kind="image", items=[])
    plain = node("g", "imageGenerator", model="plain", prompt="x")

    problems = check_graph([source, plain], [edge("l.items-out", "g.style-in")])

    assert [(each.edge_id is not None, each.reason) for each in problems] == [
        (True, "'style-in' of 'g': The model 'plain' has no 'style'")
    ]


def test_a_field_that_must_be_filled_makes_its_socket_one_that_must_be_wired() -> None:
    generator = found("imageGenerator")

    sockets = generator.inputs(generator.parse({"model": "scaler"}))

    assert sockets["prompt-in"].refusal == "The model 'scaler' has no 'prompt'"
    assert [name for name, socket in sockets.items() if socket.required] == ["image-in"]


def test_a_field_without_a_socket_that_must_be_filled_comes_with_the_bundle() -> None:
    generator = found("imageGenerator")

    sockets = generator.inputs(generator.parse({"model": "sized", "prompt": "x"}))
    typed = generator.inputs(generator.parse({"model": "sized", "prompt": "x", "size": 2}))

    assert [name for name, socket in sockets.items() if socket.required] == ["params-in"]
    assert not any(socket.required for socket in typed.values())


# -- values ---------------------------------------------------------------------------------------


@every_generator
async def test_settings_become_values_of_the_fields_of_their_name(kind: str) -> None:
    data = {"prompt": "a cat", "duration": 7, "label": "Mine", "image": A}

    assert await calls_of(data, kind=kind) == [{"prompt": "a cat", "duration": 7, "image": A}]


async def test_each_socket_fills_the_field_of_its_name() -> None:
    inputs = {name: f"https://a.example/{name}" for name in (*IMAGES, "video-in")}

    [values] = await calls_of({"prompt": "x"}, inputs, "videoGenerator")

    names = ("image", "style", "character", "startImage", "endImage", "video")
    assert values == {"prompt": "x"} | dict(zip(names, inputs.values(), strict=True))


@pytest.mark.parametrize("socket", ["image-in", "start-image-in"])
async def test_a_first_image_goes_where_the_model_has_a_place_for_one(socket: str) -> None:
    assert await calls_of({"model": "framer", "prompt": "x"}, {socket: A}) == [
        {"prompt": "x", "image": A}
    ]


async def test_what_is_wired_overrides_the_bundle_which_overrides_what_is_typed() -> None:
    data = {"prompt": "typed", "seed": 1, "resolution": "1K"}
    params = {"seed": 2, "resolution": "2K", "prompt": "bundled", "unknown": 1, "image": None}

    assert await calls_of(data, {"params-in": params, "prompt-in": "wired"}) == [
        {"prompt": "wired", "seed": 2, "resolution": "2K"}
    ]
    assert await calls_of(data, {"params-in": params}) == [
        {"prompt": "bundled", "seed": 2, "resolution": "2K"}
    ]


async def test_null_counts_as_nothing() -> None:
    inputs = {"prompt-in": None, "image-in": None, "params-in": None}

    assert await calls_of({"prompt": "typed", "seed": None}, inputs) == [{"prompt": "typed"}]


async def test_a_prompt_is_a_template_and_what_is_put_in_is_not_read_again() -> None:
    data = {"prompt": "a {{ what }} of {{ who.name }}"}
    inputs = {"what": "{{ who }}", "who": {"name": "{{ what }}"}}

    assert await calls_of(data, inputs) == [{"prompt": "a {{ who }} of {{ what }}"}]
    assert await calls_of({}, {"prompt-in": "{{ what }}"}) == [{"prompt": "{{ what }}"}]
    assert await calls_of({}, {"params-in": {"prompt": "{{ x }}"}}) == [{"prompt": "{{ x }}"}]


@pytest.mark.parametrize(("value", "text"), [(5, "5"), ({"a": [1]}, '{"a":[1]}'), (True, "true")])
async def test_a_wired_prompt_reads_as_in_a_template(value: Any, text: str) -> None:
    assert await calls_of({}, {"prompt-in": value}) == [{"prompt": text}]
    assert await calls_of({}, {"prompt-in": [value]}) == [{"prompt": text}]


async def test_a_field_that_takes_many_gets_the_whole_list_in_one_call() -> None:
    data = {"model": "mixer", "prompt": "x"}

    assert await calls_of(data, {"image-in": [A, None, B]}) == [{"prompt": "x", "images": [A, B]}]
    assert await calls_of(data, {"image-in": A}) == [{"prompt": "x", "images": [A]}]


# -- one call or many -----------------------------------------------------------------------------


@every_generator
async def test_a_single_call_gives_a_plain_url(kind: str) -> None:
    outputs = await run_node(kind, {"model": MODELS[kind], "prompt": "x"})

    assert outputs == {f"{OUTPUTS[kind]}-out": f"{MODELS[kind]} 1"}


class Answering(FakeContext):
    """Context whose later calls answer before earlier ones."""

    open: int = 0
    most_open: int = 0

    async def call_model(
        self, model: Model, values: Mapping[str, Any], item: int = 0, chat: Chat | None = None
    ) -> Any:
        await super().call_model(model, values, item)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        for _ in range(max(0, 100 - item)):
            await asyncio.sleep(0)
        self.open -= 1
        return f"{values['prompt']}/{item}/{values.get('seed')}"


@every_generator
async def test_a_list_gives_one_output_per_item_in_order(kind: str) -> None:
    context = Answering()
    prompts = [str(number) for number in range(50)]

    outputs = await run_node(kind, {"model": MODELS[kind]}, {"prompt-in": prompts}, context=context)

    assert outputs == {f"{OUTPUTS[kind]}-out": [f"{text}/{text}/None" for text in prompts]}
    assert context.most_open == 16


async def test_lists_go_together_and_what_is_single_is_the_same_for_all() -> None:
    inputs = {"prompt-in": ["a", "b"], "image-in": [A, B], "style-in": C}

    assert await calls_of({}, inputs) == [
        {"prompt": "a", "image": A, "style": C},
        {"prompt": "b", "image": B, "style": C},
    ]


@pytest.mark.parametrize(("items", "expected"), [([], []), (["a"], ["painter 1"])])
async def test_a_list_gives_a_list_however_long(items: list[str], expected: list[str]) -> None:
    outputs = await run_node("imageGenerator", {"model": "painter"}, {"prompt-in": items})

    assert outputs == {"image-out": expected}


async def test_count_gives_so_many_images_for_each_prompt_in_order() -> None:
    context, data = Answering(), {"model": "painter", "count": 3}

    outputs = await run_node("imageGenerator", data, {"prompt-in": ["a", "b"]}, context=context)

    assert outputs == {"image-out": [f"{'aaabbb'[n]}/{n}/None" for n in range(6)]}
    assert sorted(context.items) == list(range(6))


async def test_fifteen_images_are_asked_for_at_once() -> None:
    context = Answering()

    await run_node(
        "imageGenerator", {"model": "painter", "prompt": "x", "count": 15}, context=context
    )

    assert context.most_open == 15


async def test_images_of_one_prompt_have_seeds_of_their_own() -> None:
    context, data = Answering(), {"model": "painter", "count": 3, "seed": 99}

    outputs = await run_node("imageGenerator", data, {"prompt-in": ["a", "b"]}, context=context)

    seeds = (99, 100, 0)
    assert outputs["image-out"] == [f"{'aaabbb'[n]}/{n}/{seeds[n % 3]}" for n in range(6)]


async def test_a_model_that_takes_a_number_of_images_is_asked_for_one_at_a_time() -> None:
    data = {"model": "counted", "prompt": "x", "count": 6}

    assert await calls_of(data) == [{"prompt": "x", "count": 1}] * 6


async def test_a_count_in_the_bundle_overrides_the_typed_one() -> None:
    data = {"model": "counted", "prompt": "x", "count": 6}

    assert len(await calls_of(data, {"params-in": {"count": 2.0}})) == 2


class Generous(FakeContext):
    async def call_model(
        self, model: Model, values: Mapping[str, Any], item: int = 0, chat: Chat | None = None
    ) -> Any:
        return [f"{item}a", f"{item}b"]


async def test_calls_that_give_several_media_give_one_flat_list() -> None:
    inputs = {"prompt-in": ["x", "y"]}

    songs = await run_node("musicGenerator", {"model": "player"}, inputs, context=Generous())
    images = await run_node(
        "imageGenerator", {"model": "painter", "prompt": "x"}, context=Generous()
    )

    assert songs == {"audio-out": ["0a", "0b", "1a", "1b"]}
    assert images == {"image-out": ["0a", "0b"]}
