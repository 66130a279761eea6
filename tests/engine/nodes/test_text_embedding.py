"""Text Embedding: its optional package, the embedded text, and lists."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes import node_type, text_embedding
from engine.nodes.support.base import WorkKind
from engine.process.extras import install_hint
from tests.support.nodes.node_context import run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"textEmbedding": NodeSample(WorkKind.CPU, "Utilities", {"text": "hello {{ a }}"})}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_embedding, "has_embeddings", lambda: True)


def parse(data: dict[str, Any]) -> Any:
    kind = node_type("textEmbedding")
    assert kind is not None
    return kind.parse(data)


def test_without_the_extra_it_is_a_problem_at_save_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_embedding, "has_embeddings", lambda: False)

    with pytest.raises(SettingsError) as caught:
        parse({})

    assert install_hint("local-embeddings") in caught.value.reasons[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (1, "text must be a text"),
        ("{{", "text: "),
        ("{{ text-in }}", "text: 'text-in' is a socket already"),
    ],
)
def test_a_text_that_is_none_is_refused(text: Any, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse({"text": text})

    assert caught.value.reasons[0].startswith(reason)


def test_without_a_typed_text_one_must_be_wired() -> None:
    kind = node_type("textEmbedding")
    assert kind is not None

    assert kind.inputs(parse({}))["text-in"].required
    assert not kind.inputs(parse({"text": "a {{ b }}"}))["text-in"].required
    assert kind.inputs(parse({"text": "a {{ b }}"}))["b"].required


@pytest.mark.parametrize(
    ("data", "inputs", "vectors"),
    [
        ({"text": "abc"}, {}, [3.0, 0.5]),
        ({"text": "abc {{ d }}"}, {"d": "de"}, [6.0, 0.5]),
        ({"text": "abc"}, {"text-in": "a"}, [1.0, 0.5]),
        ({}, {"text-in": ["a", "ab"]}, [[1.0, 0.5], [2.0, 0.5]]),
        ({}, {"text-in": []}, []),
    ],
)
async def test_a_text_gives_a_vector_and_a_list_a_list_of_them(
    data: dict[str, Any], inputs: dict[str, Any], vectors: list[Any]
) -> None:
    assert await run_node("textEmbedding", data, inputs) == {"vector-out": vectors}


async def test_a_list_that_is_too_long_fails_the_node() -> None:
    with pytest.raises(NodeFailed) as caught:
        await run_node("textEmbedding", {}, {"text-in": ["a"] * 1_001})

    assert caught.value.code == "invalid_value"
