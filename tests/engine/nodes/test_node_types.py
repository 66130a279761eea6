"""Properties of all node types."""

import re
from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.models.pricing import Usage
from engine.models.registry import find_model
from engine.nodes import NODE_TYPES, image_text, node_type, text_embedding
from engine.nodes.support.base import NodeType, WorkKind
from engine.values.plain import fault
from tests.support.node_context import FakeContext

ASSET = "Zr0sQm9yXk1dWc7uT2eHbL5a"
SETTINGS: dict[str, dict[str, Any]] = {
    "requestInput": {"fields": [{"name": "a", "type": "text"}, {"name": "b", "type": "json"}]},
    "upload": {"asset": ASSET, "kind": "image"},
    "textBox": {"text": "{{ a }}"},
    "list": {"items": [{"value": "a"}]},
    "httpRequest": {"url": "https://a.example/{{ a }}", "body": "{{ b }}"},
    "assistant": {"model": "echo", "prompt": "hello {{ a }}"},
    "imageGenerator": {"model": "nano-banana", "prompt": "hello {{ a }}"},
    "videoGenerator": {"model": "seedance", "prompt": "hello {{ a }}"},
    "musicGenerator": {"model": "suno", "prompt": "hello {{ a }}"},
    "customModel": {"model": "echo", "prompt": "hello"},
    "imageResize": {"width": 100},
    "imageCrop": {"aspectRatio": "1:1"},
    "imageCompose": {},
    "imageCaption": {"text": "hello {{ a }}"},
    "imageConvert": {"format": "webp"},
    "imageText": {},
    "textEmbedding": {"text": "hello {{ a }}"},
    "transform": {"expression": "value"},
    "condition": {"expression": "value == null"},
    "switch": {"cases": [{"name": "none", "when": "value == null"}]},
    "merge": {"mode": "all"},
    "responseOutput": {},
    "note": {"text": "hello"},
}
KINDS = {
    "requestInput": WorkKind.PURE,
    "textBox": WorkKind.PURE,
    "list": WorkKind.PURE,
    "responseOutput": WorkKind.PURE,
    "note": WorkKind.PURE,
    "upload": WorkKind.IO,
    "httpRequest": WorkKind.IO,
    "assistant": WorkKind.IO,
    "imageGenerator": WorkKind.IO,
    "videoGenerator": WorkKind.IO,
    "musicGenerator": WorkKind.IO,
    "customModel": WorkKind.IO,
    "imageResize": WorkKind.CPU,
    "imageCrop": WorkKind.CPU,
    "imageCompose": WorkKind.CPU,
    "imageCaption": WorkKind.CPU,
    "imageConvert": WorkKind.CPU,
    "imageText": WorkKind.CPU,
    "textEmbedding": WorkKind.CPU,
    "transform": WorkKind.CPU,
    "condition": WorkKind.CPU,
    "switch": WorkKind.CPU,
    "merge": WorkKind.PURE,
}
CATEGORIES = {
    "requestInput": "Inputs",
    "upload": "Inputs",
    "responseOutput": "Outputs",
    "customModel": "Custom",
    "assistant": "LLMs",
    "imageGenerator": "Image Models",
    "videoGenerator": "Video Models",
    "musicGenerator": "Music Models",
    "imageResize": "Image Tools",
    "imageCrop": "Image Tools",
    "imageCompose": "Image Tools",
    "imageCaption": "Image Tools",
    "imageConvert": "Image Tools",
    "imageText": "Image Tools",
}
IMAGES = {name: f"https://a.example/{name}.png" for name in ("image-in", "overlay-in")}
CHARGED = {"assistant", "imageGenerator", "videoGenerator", "musicGenerator", "customModel"}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the extras of node types count as installed."""
    for module in (image_text, text_embedding):
        monkeypatch.setattr(module, "is_installed", lambda: True)


every_node_type = pytest.mark.parametrize("kind", NODE_TYPES, ids=lambda kind: kind.type)


def test_the_registry_has_each_node_type_of_this_release_once() -> None:
    names = [kind.type for kind in NODE_TYPES]

    assert sorted(names) == sorted(SETTINGS) == sorted(KINDS)
    assert [node_type(name) for name in names] == list(NODE_TYPES)
    assert node_type("no-such-type") is None


@every_node_type
def test_its_kind_and_category_are_those_of_the_contract(kind: NodeType) -> None:
    assert kind.kind is KINDS[kind.type]
    assert kind.category == CATEGORIES.get(kind.type, "Utilities")


@every_node_type
def test_its_sockets_are_named_and_its_settings_are_equal_when_parsed_twice(kind: NodeType) -> None:
    settings = kind.parse(SETTINGS[kind.type])

    for name in [*kind.inputs(settings), *kind.outputs(settings)]:
        assert re.fullmatch(r"[a-z][a-z-]*", name)
    assert kind.parse(SETTINGS[kind.type]) == settings
    assert kind.bind(settings, frozenset()) == settings


@every_node_type
def test_what_it_charges_for_is_a_model_that_there_is(kind: NodeType) -> None:
    settings = kind.parse(SETTINGS[kind.type])

    name = kind.model(settings)

    assert (name is None) == (kind.type not in CHARGED)
    assert name is None or find_model(name) is not None
    assert (kind.max_usage(settings, {}) == Usage()) == (name is None)


@every_node_type
async def test_it_gives_plain_values_on_declared_sockets_only(kind: NodeType) -> None:
    settings = kind.parse(SETTINGS[kind.type])

    images = IMAGES if kind.category == "Image Tools" else {}
    context = FakeContext(assets={ASSET: "image"})

    outputs = await kind.run(settings, {"a": "A", "b": {"k": 1}, **images}, context)

    declared = set(kind.outputs(settings)) | (
        {"result"} if kind.type == "responseOutput" else set()
    )
    assert set(outputs) <= declared
    assert fault(dict(outputs)) is None


@every_node_type
def test_data_of_the_wrong_types_is_refused_or_taken_but_never_breaks(kind: NodeType) -> None:
    members = {*SETTINGS[kind.type], "kind", "mode", "values", "strict", "method", "headers"}
    members |= {"count", "seed", "aspectRatio", "exportMode", "jsonSchema", "system", "duration"}
    members |= {"width", "height", "x", "y", "format", "quality", "anchor", "scale", "color"}
    wrong: list[Any] = [None, 0, 1, -1, 1.5, True, "", "x", "{{", [], [1], {}, {"a": 1}, [[]]]

    for member in sorted({*members, "maxBytes", "timeoutSeconds", "fields", "items"}):
        for value in wrong:
            try:
                kind.parse({**SETTINGS[kind.type], member: value})
            except SettingsError as error:
                assert error.reasons and all(error.reasons)
