"""Image Tools: settings, sockets, and calls to the context."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.graph.plan import check_graph
from engine.nodes import node_type
from engine.nodes.support.base import Outputs, WorkKind
from engine.nodes.support.image_edits import (
    Anchor,
    Caption,
    Compose,
    Convert,
    Crop,
    Edit,
    Fit,
    ImageFormat,
    Resize,
    SaveOptions,
)
from engine.values.sockets import Socket, SocketType
from tests.support.graphs.graph_text import edge, node
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "imageResize": NodeSample(WorkKind.CPU, "Image Tools", {"width": 100}),
    "imageCrop": NodeSample(WorkKind.CPU, "Image Tools", {"aspectRatio": "1:1"}),
    "imageCompose": NodeSample(WorkKind.CPU, "Image Tools", {}),
    "imageCaption": NodeSample(WorkKind.CPU, "Image Tools", {"text": "hello {{ a }}"}),
    "imageConvert": NodeSample(WorkKind.CPU, "Image Tools", {"format": "webp"}),
}

A, B, LOGO = (f"https://a.example/{name}.png" for name in ("a", "b", "logo"))
AREA = "width and height make over 50000000 pixels"
PART = "there must be aspectRatio, or width and height, and with these may be x and y"
SIDE = "must be a whole number from 1 to 10000"
ANCHORS = f"anchor must be one of {', '.join(Anchor)}"
FITS = "fit must be one of contain, cover, stretch"
FORMATS = "format must be one of jpeg, png, webp, avif"
QUALITY = "quality must be a whole number from 1 to 100"
COLOR = "must be a color like #f80, #ff8800 or #ff880080"
TAKEN = "text: 'text-in' is a socket already; the placeholder needs another name"


def parse(kind: str, data: Mapping[str, Any]) -> Any:
    found = node_type(kind)
    assert found is not None
    return found.parse(data)


async def make(
    kind: str, data: Mapping[str, Any], inputs: Mapping[str, Any], context: FakeContext
) -> Outputs:
    return await run_node(kind, data, inputs, context=context)


@pytest.mark.parametrize(
    ("kind", "data", "edit"),
    [
        ("imageResize", {"width": 10}, Resize(width=10, height=None)),
        (
            "imageResize",
            {"width": 10, "height": 20, "fit": "cover", "format": "png", "quality": None},
            Resize(width=10, height=20, fit=Fit.COVER, saving=SaveOptions(format=ImageFormat.PNG)),
        ),
        ("imageCrop", {"aspectRatio": "16:9"}, Crop(ratio=(16, 9))),
        ("imageCrop", {"width": 5, "height": 6}, Crop(size=(5, 6))),
        (
            "imageCrop",
            {"x": 0, "y": 2, "width": 5, "height": 6},
            Crop(size=(5, 6), corner=(0, 2)),
        ),
        (
            "imageCrop",
            {"aspectRatio": "1:1", "anchor": "top"},
            Crop(ratio=(1, 1), anchor=Anchor.TOP),
        ),
        ("imageCompose", {}, Compose()),
        (
            "imageCompose",
            {"anchor": "center", "scale": 1, "margin": 0, "opacity": 0.5, "background": "#000"},
            Compose(
                anchor=Anchor.CENTER,
                scale=1,
                margin=0,
                opacity=0.5,
                saving=SaveOptions(background="#000"),
            ),
        ),
        (
            "imageConvert",
            {"format": "jpeg", "quality": 80, "background": "#fff000"},
            Convert(saving=SaveOptions(format=ImageFormat.JPEG, quality=80, background="#fff000")),
        ),
    ],
)
def test_settings_become_the_edit(kind: str, data: dict[str, Any], edit: Edit) -> None:
    assert parse(kind, data) == edit


@pytest.mark.parametrize(
    ("kind", "data", "reasons"),
    [
        ("imageResize", {}, ["width or height must be there"]),
        ("imageResize", {"width": 0, "height": "5"}, [f"width {SIDE}", f"height {SIDE}"]),
        ("imageResize", {"width": 10_001}, [f"width {SIDE}"]),
        ("imageResize", {"width": True}, [f"width {SIDE}"]),
        ("imageResize", {"width": 1.5}, [f"width {SIDE}"]),
        ("imageResize", {"width": 10_000, "height": 5_001}, [AREA]),
        ("imageResize", {"width": 1, "fit": "fill"}, [FITS]),
        ("imageResize", {"width": 1, "format": "gif"}, [FORMATS]),
        ("imageResize", {"width": 1, "quality": 101}, [QUALITY]),
        ("imageResize", {"width": 1, "background": "red"}, [f"background {COLOR}"]),
        ("imageCrop", {}, [PART]),
        ("imageCrop", {"aspectRatio": "1:1", "width": 1, "height": 1}, [PART]),
        ("imageCrop", {"aspectRatio": "1:1", "x": 1, "y": 1}, [PART]),
        ("imageCrop", {"width": 1}, ["width and height go together", PART]),
        ("imageCrop", {"width": 1, "height": 1, "x": 1}, ["x and y go together"]),
        ("imageCrop", {"aspectRatio": "16/9"}, ["aspectRatio must be two numbers like 16:9"]),
        ("imageCrop", {"aspectRatio": "0:9"}, ["aspectRatio must be two numbers like 16:9"]),
        ("imageCrop", {"aspectRatio": "9999:1"}, ["aspectRatio must be two numbers like 16:9"]),
        ("imageCrop", {"aspectRatio": "1:1", "anchor": "middle"}, [ANCHORS]),
        (
            "imageCompose",
            {"scale": 0, "margin": 0.6, "opacity": 2},
            [
                "scale must be a number from 0.01 to 1",
                "margin must be a number from 0 to 0.5",
                "opacity must be a number from 0 to 1",
            ],
        ),
        ("imageCaption", {"text": 5}, ["text: must be a text"]),
        ("imageCaption", {"text": "{{"}, ["text: the '{{' at character 1 has no '}}'"]),
        ("imageCaption", {"text": "{{ text-in }}"}, [TAKEN]),
        (
            "imageCaption",
            {"anchor": "left", "size": 51, "color": "#12345"},
            [
                "anchor must be one of top, center, bottom",
                "size must be a number from 1 to 50",
                f"color {COLOR}",
            ],
        ),
        ("imageConvert", {}, [FORMATS]),
    ],
)
def test_settings_that_are_not_right_are_refused_with_every_reason(
    kind: str, data: dict[str, Any], reasons: list[str]
) -> None:
    with pytest.raises(SettingsError) as raised:
        parse(kind, data)

    assert list(raised.value.reasons) == reasons


@pytest.mark.parametrize(
    ("kind", "data", "sockets"),
    [
        ("imageResize", {"width": 1}, {"image-in"}),
        ("imageCrop", {"aspectRatio": "1:1"}, {"image-in"}),
        ("imageCompose", {}, {"image-in", "overlay-in"}),
        ("imageConvert", {"format": "png"}, {"image-in"}),
    ],
)
def test_images_must_be_wired(kind: str, data: dict[str, Any], sockets: set[str]) -> None:
    found = node_type(kind)
    assert found is not None

    assert found.inputs(parse(kind, data)) == dict.fromkeys(
        sockets, Socket(type=SocketType.IMAGE, required=True)
    )
    assert found.outputs(None) == {"image-out": Socket(type=SocketType.IMAGE)}


def test_a_caption_must_be_typed_or_wired() -> None:
    images = node("l", "list", kind="image", items=[])
    empty, typed = node("c", "imageCaption"), node("c", "imageCaption", text="Hi {{ who }}")
    text = node("t", "textBox", text="x")
    wire = edge("l.items-out", "c.image-in")

    assert [each.reason for each in check_graph([images, empty], [wire])] == [
        "Nothing is wired to the input socket 'text-in'"
    ]
    assert [each.reason for each in check_graph([images, typed], [wire])] == [
        "Nothing is wired to the input socket 'who'"
    ]
    assert check_graph([images, empty, text], [wire, edge("t.text-out", "c.text-in")]) == []


async def test_one_image_is_fetched_worked_on_and_kept() -> None:
    context = FakeContext()

    outputs = await make("imageResize", {"width": 5}, {"image-in": A}, context)

    assert outputs == {"image-out": "https://kept.example/1"}
    assert context.fetched == [A]
    assert context.edits == [(Resize(width=5, height=None), A.encode())]
    assert context.kept == [A.encode()]


@pytest.mark.parametrize("items", [[], [A], [A, B, A]])
async def test_a_list_gives_an_image_for_each_item_in_order(items: list[str]) -> None:
    context = FakeContext()

    outputs = await make("imageConvert", {"format": "png"}, {"image-in": items}, context)

    assert len(outputs["image-out"]) == len(items)
    assert [sources[1] for sources in context.edits] == [url.encode() for url in items]


async def test_what_is_the_same_for_all_items_is_fetched_once() -> None:
    context = FakeContext()

    await make("imageCompose", {}, {"image-in": [A, B], "overlay-in": LOGO}, context)

    assert sorted(context.fetched) == sorted([A, B, LOGO])
    assert [sources[1:] for sources in context.edits] == [
        (A.encode(), LOGO.encode()),
        (B.encode(), LOGO.encode()),
    ]


async def captions(data: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[str]:
    context = FakeContext()
    await make("imageCaption", data, inputs, context)
    edits = [each[0] for each in context.edits]
    assert all(isinstance(each, Caption) for each in edits)
    return [each.text for each in edits]


async def test_a_caption_is_a_template_which_a_wired_text_overrides() -> None:
    data = {"text": "Hi {{ who }}"}
    inputs = {"image-in": A, "who": "{{ image-in }}"}

    assert await captions(data, inputs) == ["Hi {{ image-in }}"]
    assert await captions(data, {**inputs, "text-in": "wired {{ who }}"}) == ["wired {{ who }}"]
    assert await captions(data, {**inputs, "text-in": None}) == ["Hi {{ image-in }}"]


async def test_captions_go_with_their_images() -> None:
    texts = ["one", 2]

    assert await captions({}, {"image-in": [A, B], "text-in": texts}) == ["one", "2"]
    assert await captions({}, {"image-in": A, "text-in": texts}) == ["one", "2"]
    assert await captions({}, {"image-in": [A, B], "text-in": "same"}) == ["same", "same"]


@pytest.mark.parametrize(
    ("kind", "data", "inputs", "message"),
    [
        ("imageConvert", {"format": "png"}, {}, "'image-in' takes the URL of an image, not null"),
        (
            "imageConvert",
            {"format": "png"},
            {"image-in": 5},
            "'image-in' takes the URL of an image, not a number",
        ),
        (
            "imageConvert",
            {"format": "png"},
            {"image-in": [A, None]},
            "Item 2: 'image-in' takes the URL of an image, not null",
        ),
        (
            "imageCompose",
            {},
            {"image-in": A, "overlay-in": None},
            "'overlay-in' takes the URL of an image, not null",
        ),
        (
            "imageCompose",
            {},
            {"image-in": [A], "overlay-in": [A, B]},
            "Wired lists must be equally long, but there are 1 at 'image-in', 2 at 'overlay-in'",
        ),
        (
            "imageCaption",
            {"text": "x" * 2_001},
            {"image-in": A},
            "A caption has at most 2000 characters, not 2001",
        ),
    ],
)
async def test_what_does_not_fit_fails_the_node_before_anything_is_fetched(
    kind: str, data: dict[str, Any], inputs: dict[str, Any], message: str
) -> None:
    context = FakeContext()

    with pytest.raises(NodeFailed) as raised:
        await make(kind, data, inputs, context)

    assert (raised.value.code, raised.value.message) == ("invalid_value", message)
    assert context.fetched == []
