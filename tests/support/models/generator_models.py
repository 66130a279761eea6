"""Models for tests of the Image, Video and Music Generator."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.models.manifest import Model
from engine.nodes import node_type
from engine.nodes.support.base import NodeType
from tests.support.manifests import PROMPT, field, model
from tests.support.nodes.node_context import FakeContext, run_node

A, B, C = (f"https://a.example/{name}.png" for name in "abc")


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


def all_models() -> list[Model]:
    """Return models with all fields, and models that lack some."""
    many = PROMPT + field("images", "json")
    return [
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


def found(kind: str) -> NodeType:
    generator = node_type(kind)
    assert generator is not None
    return generator


async def calls_of(
    data: Mapping[str, Any], inputs: Mapping[str, Any] | None = None, kind: str = "imageGenerator"
) -> list[Mapping[str, Any]]:
    """Return the values of each call, in order, without the default of the aspect ratio."""
    context = FakeContext()
    await run_node(kind, {"model": MODELS[kind], **data}, inputs, context=context)
    return [{k: v for k, v in each.items() if v not in ("1:1", 5)} for each in context.model_values]
