"""Image Text: its optional package, and its calls to the context."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes import image_text, node_type
from engine.nodes.support.base import WorkKind
from engine.process.extras import install_hint
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"imageText": NodeSample(WorkKind.CPU, "Image Tools", {})}


def use(monkeypatch: pytest.MonkeyPatch, *, installed: bool) -> None:
    monkeypatch.setattr(image_text, "is_installed", lambda: installed)


def test_without_the_extra_it_is_a_problem_at_save_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, installed=False)
    kind = node_type("imageText")
    assert kind is not None

    with pytest.raises(SettingsError) as caught:
        kind.parse({})

    assert install_hint("local-ocr") in caught.value.reasons[0]


async def test_an_image_is_fetched_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, installed=True)
    context = FakeContext()

    given = await run_node("imageText", {}, {"image-in": "https://a.example/1"}, context=context)

    assert given == {"text-out": "read https://a.example/1"}
    assert context.fetched == ["https://a.example/1"]


async def test_a_list_gives_a_text_for_each_image_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, installed=True)
    urls = [f"https://a.example/{number}" for number in range(5)]

    given = await run_node("imageText", {}, {"image-in": urls})

    assert given == {"text-out": [f"read {url}" for url in urls]}


@pytest.mark.parametrize(
    ("wired", "message"),
    [
        (None, "'image-in' takes the URL of an image, not null"),
        ({"a": 1}, "'image-in' takes the URL of an image, not an object"),
        (["https://a.example/1", 2], "Item 2: 'image-in' takes the URL of an image, not a number"),
        (["https://a.example/1"] * 1_001, "at most 1000 items, not 1001"),
    ],
)
async def test_what_is_no_image_fails_the_node(
    monkeypatch: pytest.MonkeyPatch, wired: Any, message: str
) -> None:
    use(monkeypatch, installed=True)

    with pytest.raises(NodeFailed) as caught:
        await run_node("imageText", {}, {"image-in": wired})

    assert caught.value.code == "invalid_value"
    assert message in caught.value.message
