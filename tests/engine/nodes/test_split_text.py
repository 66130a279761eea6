"""Split Text: its settings, lists of texts, and long ones in a child process."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes import node_type
from engine.nodes.split_text import SHORT
from engine.nodes.support.base import WorkKind
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"splitText": NodeSample(WorkKind.CPU, "Utilities", {"size": 100, "overlap": 10})}


def parse(data: dict[str, Any]) -> Any:
    kind = node_type("splitText")
    assert kind is not None
    return kind.parse(data)


class Counted(FakeContext):
    """Counts the functions that a child process gets."""

    computed = 0

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        self.computed += 1
        return await super().compute(function, *args)


def test_by_default_it_packs_sentences_into_a_thousand_characters() -> None:
    settings = parse({})

    assert (settings.size, settings.overlap, settings.by) == (1_000, 0, "sentences")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"size": 0}, "size must be a whole number from 1 to 100000"),
        ({"overlap": -1}, "overlap must be a whole number from 0 to 99999"),
        ({"size": 10, "overlap": 10}, "overlap must be less than size, which is 10"),
        ({"overlap": 1_000}, "overlap must be less than size, which is 1000"),
        ({"by": "pages"}, "by must be one of characters, sentences, headings"),
    ],
)
def test_settings_that_fit_no_text_are_refused(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(data)

    assert caught.value.reasons == (reason,)


@pytest.mark.parametrize(
    ("value", "chunks"),
    [
        ("abcdef", ["abcd", "ef"]),
        (["abcdef", "gh"], ["abcd", "ef", "gh"]),
        ([], []),
        ("", []),
        (None, []),
        (12345, ["1234", "5"]),
        ([{"a": 1}], ['{"a"', ":1}"]),
    ],
)
async def test_a_text_and_a_list_of_texts_give_one_list_of_chunks(
    value: Any, chunks: list[str]
) -> None:
    data = {"size": 4, "by": "characters"}

    assert await run_node("splitText", data, {"text-in": value}) == {"chunks-out": chunks}


@pytest.mark.parametrize(("length", "computed"), [(SHORT, 0), (SHORT + 1, 1)])
async def test_a_long_text_is_split_in_a_child_process(length: int, computed: int) -> None:
    context = Counted()

    outputs = await run_node("splitText", {}, {"text-in": "x" * length}, context=context)

    assert "".join(outputs["chunks-out"]) == "x" * length
    assert context.computed == computed


async def test_more_chunks_than_a_list_may_have_fail_the_node() -> None:
    with pytest.raises(NodeFailed, match="more than 10,000 chunks") as caught:
        await run_node("splitText", {"size": 1}, {"text-in": "x" * 10_001})

    assert (caught.value.code, caught.value.retryable) == ("invalid_value", False)
