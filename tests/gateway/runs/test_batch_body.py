"""Bodies of new batches, parsed in steps."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors import InvalidBody
from engine.executions.batches import DEFAULT_CONCURRENCY
from gateway.runs.batch_body import ParsedBatch, parse_batch


async def run_here(steps: Iterator[int]) -> None:
    for _ in steps:
        pass


async def parse(body: Any) -> ParsedBatch:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await parse_batch(data, run_here)


async def test_a_body_has_items_with_tags_of_their_own() -> None:
    parsed = await parse(
        {
            "items": [{"inputs": {"a": 1}, "tags": ["x", "y", "x"]}, {"inputs": {}}],
            "tags": ["z"],
            "concurrency": 3,
        }
    )

    assert [each.item.inputs for each in parsed.items] == [{"a": 1}, {}]
    assert [each.item.tags for each in parsed.items] == [("x", "y"), ()]
    assert (parsed.body.tags, parsed.body.concurrency, parsed.warnings) == (["z"], 3, ())


async def test_members_that_may_be_left_out_have_defaults() -> None:
    parsed = await parse({"items": [{"inputs": {}}]})

    assert (parsed.body.tags, parsed.body.concurrency) == ([], DEFAULT_CONCURRENCY)


async def test_the_steps_are_the_body_and_then_each_item() -> None:
    items = [{"inputs": {"text": "x" * size}} for size in (10, 100_000)]
    sizes: list[int] = []

    async def note(steps: Iterator[int]) -> None:
        sizes.extend(steps)

    data = json.dumps({"items": items}).encode()
    parsed = await parse_batch(data, note)

    assert sizes == [len(data), *(len(json.dumps(each)) for each in items)]
    assert [each.size for each in parsed.items] == sizes[1:]


async def test_unknown_members_are_named_once() -> None:
    parsed = await parse({"items": [{"inputs": {}, "tag": 1}] * 3, "more": {}})

    assert len(parsed.warnings) == 2
    assert all(name in text for name, text in zip(("more", "tag"), parsed.warnings, strict=True))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "must be a JSON object"),
        (b"{", "is not valid JSON"),
        (b'{"items": [{"inputs": {}}], "a": 1', "is not valid JSON"),
        (b'{"items": [{"inputs": {]}]}', "is not valid JSON"),
        (b'{"items": [{"inputs": {"a": "\xff"}}]}', "UTF-8"),
        (b'{"items": [{"inputs": {"a": NaN}}]}', "is not valid JSON"),
        (b'{"items": [{"inputs": {"a": 12345678901234567890123}}]}', "beyond 64 bits"),
        (b'{"items": [{"inputs": {"a": ' + b"[" * 70 + b"]" * 70 + b"}}]}", "deeper than"),
        (b'{"items": [{"inputs": {}}], "a": ' + b"[" * 70 + b"]" * 70 + b"}", "deeper than"),
        (b'{"items": [{"inputs": {"a": [' + b"1," * 100_001 + b"1]}}]}", "100,000 values"),
        (b"[" * 200_000, "100,000 values"),
    ],
    ids=range(11),
)
async def test_what_is_no_json_of_a_body_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidBody, match=reason):
        await parse(data)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"inputs": {}}, []], "'items[1]' must be a JSON object"),
        ([{"inputs": {}}, {"inputs": 5}], "'items[1].inputs' must be an object"),
        ([{"inputs": {}}, {}], "'items[1].inputs' must be an object"),
    ],
)
async def test_a_wrong_item_is_named_by_its_index(items: Any, message: str) -> None:
    with pytest.raises(InvalidBody) as refusal:
        await parse({"items": items})

    assert refusal.value.message == message
    assert refusal.value.context["field"] == message.split("'")[1]
