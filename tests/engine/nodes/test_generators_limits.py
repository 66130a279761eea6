"""Generators: faults at save and at run time, and maximum usage."""

from decimal import Decimal
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.models.pricing import Usage
from engine.models.registry import use_models
from tests.support.models.generator_models import A, B, found
from tests.support.nodes.node_context import FakeContext, run_node

pytestmark = pytest.mark.usefixtures("painters")


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
    assert context.model_values == []


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

    most = generator.max_usage(settings, inputs)

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

    most = generator.max_usage(generator.parse({"model": "filmer", **data}), inputs)

    assert most.seconds == seconds
