"""Estimate of the memory of packed values."""

import tracemalloc
from typing import Any

import pytest

from engine.store.redis.record_packing import pack, unpack, unpacked_size


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(["x" * 1_000] * 100, id="texts"),
        pytest.param(["ж" * 1_000] * 100, id="texts beyond ASCII"),
        pytest.param(["ab"] * 20_000, id="short texts"),
        pytest.param([1] * 50_000, id="small numbers"),
        pytest.param([1.5] * 20_000, id="numbers"),
        pytest.param([[]] * 20_000, id="lists"),
        pytest.param([[[[1]]]] * 10_000, id="lists in lists"),
        pytest.param([{"a": 1}] * 20_000, id="objects"),
        pytest.param([{f"k{number}": number} for number in range(10_000)], id="keys"),
    ],
)
def test_it_is_not_thought_smaller_than_it_is(value: Any) -> None:
    data = pack(value)
    # The interpreter's table of member names may grow in one of them.
    taken = min(memory_of_unpacking(data) for _ in range(3))

    assert unpack(data) == value
    assert unpacked_size(data) > 0.75 * taken


def memory_of_unpacking(data: bytes) -> int:
    """Return the bytes that the unpacked value takes."""
    tracemalloc.start()
    unpacked = unpack(data)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del unpacked
    return taken
