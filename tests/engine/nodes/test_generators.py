"""Generators: their sockets, what becomes of settings and wires, how many calls, in which order."""

import asyncio
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from engine.failures import NodeFailed, SettingsError
from engine.graph import check_graph
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.nodes import node_type
from engine.nodes.base import NodeType
from engine.sockets import Socket, SocketType
from tests.drawing import edge, node
from tests.manifests import PROMPT, model
from tests.node_context import FakeContext, run_node

A, B, C = (f"https://a.example/{name}.png" for name in "abc")


def field(name: str, kind: str = "text", more: str = "") -> str:
    return f'[[fields]]\nname = "{name}"\ntype = "{kind}"\n{more}\n'


FULL = "".join(
    [
        PROMPT,
        field("image", "image"),
        field("style", "image"),
        field("character", "image"),
        field("startImage", "image"),
        field("endImage", "image"),
        field("video", "video"),
        field("aspectRatio", "pills", 'options = ["1:1", "16:9"]\ndefault = "1:1"'),
        field("resolution", "pills", 'options = ["1K", "2K"]'),
        field("seed", "number", "min = 0\nmax = 100"),
        field("duration", "number", "min = 1\nmax = 10\ndefault = 5"),
    ]
)
COUNTED = PROMPT + field("count", "number", "min = 1\nmax = 4\ndefault = 4")
PER_IMAGE = '[[pricing]]\nunit = "image"\nusd = "0.02"\nfield = "count"\n'
PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.1"\nfield = "duration"\n'
MODELS = {"imageGenerator": "painter", "videoGenerator": "filmer", "musicGenerator": "player"}
OUTPUTS = {"imageGenerator": "image", "videoGenerator": "video", "musicGenerator": "audio"}
every_generator = pytest.mark.parametrize("kind", MODELS)


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    many = PROMPT + field("images", "json")
    models = [
        model("painter", category="image", fields=FULL),
        model("filmer", category="video", fields=FULL, pricing=PER_SECOND),
        model("player", category="audio", fields=FULL, pricing=PER_SECOND),
        model("plain", category="image"),
        model("counted", category="image", fields=COUNTED, pricing=PER_IMAGE),
        model("mixer", category="image", fields=many),
        model("framer", category="image", fields=PROMPT + field("image", "image")),
        model(
            "scaler",
            category="image",
            fields=field("image", "image", "required = true"),
            call='[builtin]\ntemplate = "{{ image }}"',
        ),
        model(
            "sized", category="image", fields=PROMPT + field("size", "number", "required = true")
        ),
        model("writer"),
    ]
    with use_models(models):
        yield


def found(kind: str) -> NodeType:
    generator = node_type(kind)
    assert generator is not None
    return generator


async def ask(
    data: Mapping[str, Any], inputs: Mapping[str, Any] | None = None, kind: str = "imageGenerator"
) -> list[Mapping[str, Any]]:
    """The values of each call, in order, without the default of the aspect ratio."""
    context = FakeContext()
    await run_node(kind, {"model": MODELS[kind], **data}, inputs, context=context)
    return [{k: v for k, v in each.items() if v not in ("1:1", 5)} for each in context.asked]


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

    assert await ask(data, kind=kind) == [{"prompt": "a cat", "duration": 7, "image": A}]


async def test_each_socket_fills_the_field_of_its_name() -> None:
    inputs = {name: f"https://a.example/{name}" for name in (*IMAGES, "video-in")}

    [values] = await ask({"prompt": "x"}, inputs, "videoGenerator")

    names = ("image", "style", "character", "startImage", "endImage", "video")
    assert values == {"prompt": "x"} | dict(zip(names, inputs.values(), strict=True))


@pytest.mark.parametrize("socket", ["image-in", "start-image-in"])
async def test_a_first_image_goes_where_the_model_has_a_place_for_one(socket: str) -> None:
    assert await ask({"model": "framer", "prompt": "x"}, {socket: A}) == [
        {"prompt": "x", "image": A}
    ]


async def test_what_is_wired_overrides_the_bundle_which_overrides_what_is_typed() -> None:
    data = {"prompt": "typed", "seed": 1, "resolution": "1K"}
    params = {"seed": 2, "resolution": "2K", "prompt": "bundled", "unknown": 1, "image": None}

    assert await ask(data, {"params-in": params, "prompt-in": "wired"}) == [
        {"prompt": "wired", "seed": 2, "resolution": "2K"}
    ]
    assert await ask(data, {"params-in": params}) == [
        {"prompt": "bundled", "seed": 2, "resolution": "2K"}
    ]


async def test_null_counts_as_nothing() -> None:
    inputs = {"prompt-in": None, "image-in": None, "params-in": None}

    assert await ask({"prompt": "typed", "seed": None}, inputs) == [{"prompt": "typed"}]


async def test_a_prompt_is_a_template_and_what_is_put_in_is_not_read_again() -> None:
    data = {"prompt": "a {{ what }} of {{ who.name }}"}
    inputs = {"what": "{{ who }}", "who": {"name": "{{ what }}"}}

    assert await ask(data, inputs) == [{"prompt": "a {{ who }} of {{ what }}"}]
    assert await ask({}, {"prompt-in": "{{ what }}"}) == [{"prompt": "{{ what }}"}]
    assert await ask({}, {"params-in": {"prompt": "{{ x }}"}}) == [{"prompt": "{{ x }}"}]


@pytest.mark.parametrize(("value", "text"), [(5, "5"), ({"a": [1]}, '{"a":[1]}'), (True, "true")])
async def test_a_wired_prompt_reads_as_in_a_template(value: Any, text: str) -> None:
    assert await ask({}, {"prompt-in": value}) == [{"prompt": text}]
    assert await ask({}, {"prompt-in": [value]}) == [{"prompt": text}]


async def test_a_field_that_takes_many_gets_the_whole_list_in_one_call() -> None:
    data = {"model": "mixer", "prompt": "x"}

    assert await ask(data, {"image-in": [A, None, B]}) == [{"prompt": "x", "images": [A, B]}]
    assert await ask(data, {"image-in": A}) == [{"prompt": "x", "images": [A]}]


# -- one call or many -----------------------------------------------------------------------------


@every_generator
async def test_a_single_call_gives_a_plain_url(kind: str) -> None:
    outputs = await run_node(kind, {"model": MODELS[kind], "prompt": "x"})

    assert outputs == {f"{OUTPUTS[kind]}-out": f"{MODELS[kind]} 1"}


class Answering(FakeContext):
    """Answers later calls sooner than earlier ones."""

    open: int = 0
    most_open: int = 0

    async def call_model(self, model: Model, values: Mapping[str, Any], item: int = 0) -> Any:
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

    assert await ask({}, inputs) == [
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

    assert await ask(data) == [{"prompt": "x", "count": 1}] * 6


async def test_a_count_in_the_bundle_overrides_the_typed_one() -> None:
    data = {"model": "counted", "prompt": "x", "count": 6}

    assert len(await ask(data, {"params-in": {"count": 2.0}})) == 2


class Generous(FakeContext):
    async def call_model(self, model: Model, values: Mapping[str, Any], item: int = 0) -> Any:
        return [f"{item}a", f"{item}b"]


async def test_calls_that_give_several_media_give_one_flat_list() -> None:
    inputs = {"prompt-in": ["x", "y"]}

    songs = await run_node("musicGenerator", {"model": "player"}, inputs, context=Generous())
    images = await run_node(
        "imageGenerator", {"model": "painter", "prompt": "x"}, context=Generous()
    )

    assert songs == {"audio-out": ["0a", "0b", "1a", "1b"]}
    assert images == {"image-out": ["0a", "0b"]}


# -- what cannot be -------------------------------------------------------------------------------

HAS = "it has 'prompt'"
COUNT = "count must be a whole number from 1 to 15"
NO_IMAGE = "The model 'writer' gives text, not image"
RANGES = ["'aspectRatio' must be one of 1:1, 16:9", "'seed' must be at least 0"]


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        ({"model": None}, ["model must be the internal name of a model"]),
        ({"model": "nobody"}, ["There is no model 'nobody' here"]),
        ({"model": "writer"}, [NO_IMAGE]),
        ({"model": "writer", "count": 0}, [COUNT, NO_IMAGE]),
        ({"count": 0}, [COUNT]),
        ({"count": 16}, [COUNT]),
        ({"count": 1.5}, [COUNT]),
        ({"count": "3"}, [COUNT]),
        ({"count": True}, [COUNT]),
        ({"values": {"count": 16}}, [COUNT]),
        ({"values": []}, ["values must be an object with a value per field"]),
        ({"prompt": 5}, ["'prompt' must be a text, not a number"]),
        ({"aspectRatio": "2:1", "seed": -1}, RANGES),
        ({"model": "plain", "seed": 1}, [f"The model 'plain' has no 'seed'; {HAS}"]),
        ({"model": "plain", "resolution": "1K"}, [f"The model 'plain' has no 'resolution'; {HAS}"]),
        ({"model": "scaler"}, ["The model 'scaler' has no 'prompt'; it has 'image'"]),
        ({"prompt": "{{ a"}, ["prompt: the '{{' at character 1 has no '}}'"]),
        (
            {"prompt": "{{ prompt-in }}"},
            ["prompt: 'prompt-in' is a socket already; the placeholder needs another name"],
        ),
    ],
)
def test_settings_that_are_not_right_are_refused_with_every_reason(
    data: dict[str, Any], reasons: list[str]
) -> None:
    with pytest.raises(SettingsError) as raised:
        found("imageGenerator").parse({"model": "painter", "prompt": "x", **data})

    assert list(raised.value.reasons) == reasons


@pytest.mark.parametrize(
    ("data", "inputs", "message"),
    [
        ({}, {}, "'prompt' is required"),
        ({}, {"prompt-in": ["a", None]}, "Item 2: 'prompt' is required"),
        ({"prompt": "x"}, {"image-in": "a.png"}, "'image' must be a URL that starts with https"),
        ({"prompt": "x"}, {"params-in": {"count": 16}}, f"'count' {COUNT[6:]}"),
        ({"prompt": "x"}, {"params-in": {"count": "two"}}, f"'count' {COUNT[6:]}"),
        ({"prompt": "x"}, {"params-in": [1]}, "'params-in' takes an object"),
        ({"prompt": "x"}, {"params-in": {"seed": 101}}, "'seed' must be at most 100"),
        (
            {"model": "framer", "prompt": "x"},
            {"image-in": A, "start-image-in": B},
            "'image-in' and 'start-image-in' are both 'image' here",
        ),
        (
            {},
            {"prompt-in": ["a", "b"], "image-in": [A]},
            "Wired lists must be equally long, but there are 2 at 'prompt-in', 1 at 'image-in'",
        ),
        ({"count": 15}, {"prompt-in": ["a"] * 667}, "A node makes at most 10000 images, not 10005"),
    ],
)
async def test_values_that_do_not_fit_fail_the_node_before_any_call(
    data: dict[str, Any], inputs: dict[str, Any], message: str
) -> None:
    context = FakeContext()

    with pytest.raises(NodeFailed) as raised:
        await run_node("imageGenerator", {"model": "painter", **data}, inputs, context=context)

    assert raised.value.message.startswith(message)
    assert (raised.value.code, raised.value.retryable) == ("invalid_value", False)
    assert context.asked == []


async def test_a_model_that_is_gone_since_fails_the_node() -> None:
    generator = found("imageGenerator")
    settings = generator.parse({"model": "painter", "prompt": "x"})

    with use_models([]), pytest.raises(NodeFailed) as raised:
        await generator.run(settings, {}, FakeContext())

    assert raised.value.code == "model_gone"


# -- the most it can use --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "inputs", "images"),
    [
        ({}, {}, 1),
        ({"count": 15}, {}, 15),
        ({"count": 2}, {"prompt-in": ["a", "b", "c"]}, 6),
        ({"count": 2}, {"prompt-in": []}, 0),
        ({"count": 2}, {"params-in": {"count": 5}}, 5),
        ({"count": 2}, {"params-in": {"count": None}}, 2),
        ({"count": 2}, {"params-in": {"count": "many"}}, 15),
        ({"model": "mixer"}, {"image-in": [A, B]}, 1),
        ({"model": "painter"}, {"image-in": [A, B]}, 2),
    ],
)
def test_the_most_it_can_use_counts_calls_and_images(
    data: dict[str, Any], inputs: dict[str, Any], images: int
) -> None:
    generator = found("imageGenerator")
    settings = generator.parse({"model": "counted", "prompt": "x", **data})

    most = generator.most(settings, inputs)

    assert most == Usage(calls=images, images=images, seconds=Decimal(0))


@pytest.mark.parametrize(
    ("data", "inputs", "seconds"),
    [
        ({}, {}, 5),
        ({"duration": 8}, {}, 8),
        ({"duration": 8}, {"params-in": {"duration": 3}}, 3),
        ({"duration": 8}, {"prompt-in": ["a", "b"]}, 16),
    ],
)
def test_the_most_it_can_use_counts_the_seconds_asked_for(
    data: dict[str, Any], inputs: dict[str, Any], seconds: int
) -> None:
    generator = found("videoGenerator")

    most = generator.most(generator.parse({"model": "filmer", **data}), inputs)

    assert most.seconds == seconds
