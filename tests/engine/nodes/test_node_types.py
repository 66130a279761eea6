"""Properties of all node types."""

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.models.pricing import Usage
from engine.models.registry import find_model
from engine.nodes import NODE_TYPES, node_type
from engine.nodes.support.base import NodeType, WorkKind
from engine.values.plain import fault
from tests.engine.nodes.test_upload import ASSET
from tests.support.nodes.node_context import FakeContext
from tests.support.nodes.node_sample import NodeSample


def samples_of(kind: NodeType) -> dict[str, NodeSample]:
    """Return the samples in the test module of a node type; none when it has no test module."""
    folder, _, module = f"tests.{type(kind).__module__}".rpartition(".")
    name = f"{folder}.test_{module}"
    found: dict[str, NodeSample] = import_module(name).SAMPLES if find_spec(name) else {}
    return found


SAMPLES = {name: each for kind in NODE_TYPES for name, each in samples_of(kind).items()}
DOCUMENT = {"file-in": "https://a.example/1.pdf"}
IMAGES = {name: f"https://a.example/{name}.png" for name in ("image-in", "overlay-in")}


pytestmark = pytest.mark.usefixtures("installed")
every_node_type = pytest.mark.parametrize("kind", NODE_TYPES, ids=lambda kind: kind.type)


def test_each_node_type_is_in_the_registry_once_and_has_a_sample() -> None:
    names = [kind.type for kind in NODE_TYPES]

    assert sorted(names) == sorted(SAMPLES)
    assert [node_type(name) for name in names] == list(NODE_TYPES)
    assert node_type("no-such-type") is None


@every_node_type
def test_its_kind_and_category_are_those_of_the_contract(kind: NodeType) -> None:
    sample = SAMPLES[kind.type]

    assert (kind.kind, kind.category) == (sample.kind, sample.category)


@every_node_type
def test_its_sockets_are_named_and_its_settings_are_equal_when_parsed_twice(kind: NodeType) -> None:
    settings = kind.parse(SAMPLES[kind.type].settings)

    for name in [*kind.inputs(settings), *kind.outputs(settings)]:
        assert re.fullmatch(r"[a-z][a-z-]*", name)
    assert kind.parse(SAMPLES[kind.type].settings) == settings
    assert kind.bind(settings, frozenset()) == settings


@every_node_type
def test_what_it_charges_for_is_a_model_that_there_is(kind: NodeType) -> None:
    settings = kind.parse(SAMPLES[kind.type].settings)

    name = kind.model(settings)

    assert (name is None) == (not SAMPLES[kind.type].is_charged)
    assert name is None or find_model(name) is not None
    assert (kind.max_usage(settings, {}) == Usage()) == (name is None)


@pytest.mark.parametrize(
    "kind",
    [kind for kind in NODE_TYPES if kind.kind not in (WorkKind.CHILDREN, WorkKind.WAIT)],
    ids=lambda kind: kind.type,
)
async def test_it_gives_plain_values_on_declared_sockets_only(kind: NodeType) -> None:
    settings = kind.parse(SAMPLES[kind.type].settings)

    images = IMAGES if kind.category == "Image Tools" else DOCUMENT
    context = FakeContext(assets={ASSET: "image"})

    given = {"a": "A", "b": {"k": 1}, **images, **SAMPLES[kind.type].inputs}

    outputs = await kind.run(settings, given, context)

    declared = set(kind.outputs(settings)) | (
        {"result"} if kind.type == "responseOutput" else set()
    )
    assert set(outputs) <= declared
    assert fault(dict(outputs)) is None


@every_node_type
def test_data_of_the_wrong_types_is_refused_or_taken_but_never_breaks(kind: NodeType) -> None:
    members = {
        *SAMPLES[kind.type].settings,
        "kind",
        "mode",
        "body",
        "workflow",
        "values",
        "strict",
        "method",
        "headers",
    }
    members |= {"count", "seed", "aspectRatio", "exportMode", "jsonSchema", "system", "duration"}
    members |= {"width", "height", "x", "y", "format", "quality", "anchor", "scale", "color"}
    wrong: list[Any] = [None, 0, 1, -1, 1.5, True, "", "x", "{{", [], [1], {}, {"a": 1}, [[]]]

    for member in sorted({*members, "maxBytes", "timeoutSeconds", "fields", "items"}):
        for value in wrong:
            try:
                kind.parse({**SAMPLES[kind.type].settings, member: value})
            except SettingsError as error:
                assert error.reasons and all(error.reasons)
