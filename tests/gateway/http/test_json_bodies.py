"""JSON bodies: their bounds."""

import contextlib
import gc
import json
import threading
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidBody
from gateway.http import json_bodies
from gateway.http.json_bodies import MAX_DEPTH, MAX_VALUES, parse_object
from tests.support.gateway.documents import greeting

TEXTS = st.text(alphabet='ab,[]{}":\\\\ \n\té', max_size=6)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 99), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(count(each) for each in value.values())
    if isinstance(value, list):
        return 1 + sum(count(each) for each in value)
    return 1


def test_a_body_may_be_nested_to_the_limit() -> None:
    assert parse_object(nested(MAX_DEPTH))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
def test_a_body_nested_deeper_is_refused(depth: int) -> None:
    with pytest.raises(InvalidBody):
        parse_object(nested(depth))


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0])
def test_an_integer_of_64_bits_is_kept_exactly(number: int) -> None:
    assert parse_object(b'{"a": [%d]}' % number) == {"a": [number]}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4_000])
def test_an_integer_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(InvalidBody):
        parse_object(b'{"a": [%d]}' % number)


@given(
    value=st.dictionaries(TEXTS, VALUES, max_size=5),
    indent=st.sampled_from([None, 1]),
    piece_bytes=st.sampled_from([1, 2, 3, json_bodies.PIECE_BYTES]),
)
def test_the_limit_counts_every_value_and_nothing_else(
    value: dict[str, Any], indent: int | None, piece_bytes: int
) -> None:
    data = json.dumps(value, indent=indent).encode()
    number = count(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_bodies, "PIECE_BYTES", piece_bytes)
        patch.setattr(json_bodies, "MAX_VALUES", number)
        assert parse_object(data) == value
        patch.setattr(json_bodies, "MAX_VALUES", number - 1)
        with pytest.raises(InvalidBody, match="values"):
            parse_object(data)


@pytest.mark.parametrize(
    "item", [b"1", b'"x"', b"[]", b"{}", b'{"a":1}', b"[[1]]", b'"\\\\"', b"null "]
)
def test_a_body_of_too_many_values_is_refused_whatever_they_are(item: bytes) -> None:
    body = b'{"a": [' + b",".join([item] * MAX_VALUES) + b"]}"

    with pytest.raises(InvalidBody, match="more than 100,000 values"):
        parse_object(body)


def test_a_long_text_full_of_commas_and_brackets_is_one_value() -> None:
    text = 'a,[],{"b":\\},' * 60_000

    assert parse_object(json.dumps({"a": text}).encode()) == {"a": text}


@pytest.mark.parametrize("body", [b"{}", b"{", nested(900)])
@pytest.mark.parametrize("is_collecting", [True, False])
def test_garbage_is_collected_after_a_body_as_before_it(body: bytes, is_collecting: bool) -> None:
    was_collecting = gc.isenabled()
    try:
        (gc.enable if is_collecting else gc.disable)()
        with contextlib.suppress(InvalidBody):
            parse_object(body)
        assert gc.isenabled() is is_collecting
    finally:
        (gc.enable if was_collecting else gc.disable)()


async def test_a_large_body_is_decoded_and_checked_beside_the_event_loop(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def parse(data: bytes) -> dict[str, Any]:
        threads.append(threading.current_thread() is threading.main_thread())
        return parse_object(data)

    monkeypatch.setattr(json_bodies, "parse_object", parse)
    await client.post("/api/workflows", json=greeting())

    await client.post("/api/workflows", json={**greeting(), "description": "x" * 40_000})

    assert threads == [True, False]


async def test_too_many_values_are_told_to_the_caller(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/workflows", json={"name": "x", "a": [0] * MAX_VALUES})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["error"] == "The body has more than 100,000 values"
