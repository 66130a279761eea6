"""Vectors: cosine scores of many against one."""

import json
import math
from collections.abc import Iterator, Sequence
from operator import mul
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.values.plain import kind_of

BLOCK_NUMBERS = 50_000
"""About as many numbers are read at a time, so that an event loop goes on within milliseconds."""
JSON_CHARACTERS = 10
"""Characters of JSON that count as a number."""


def blocks(vectors: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield parts of a list of vectors, each with the position of its first one."""
    begin, numbers = 0, 0
    for position, vector in enumerate(vectors):
        numbers += _weight(vector)
        if numbers >= BLOCK_NUMBERS:
            yield begin, vectors[begin : position + 1]
            begin, numbers = position + 1, 0
    if begin < len(vectors):
        yield begin, vectors[begin:]


def is_small(vectors: Sequence[Any]) -> bool:
    """Return whether these vectors together have no more numbers than a block."""
    return sum(map(_weight, vectors)) <= BLOCK_NUMBERS


def _weight(vector: Any) -> int:
    if isinstance(vector, str):
        return len(vector) // JSON_CHARACTERS + 1
    return len(vector) if isinstance(vector, list) else 1


def read_vector(value: Any, name: str) -> tuple[list[float], float]:
    """Return the numbers of a vector, or of its JSON, and its length in space.

    Raises NodeFailed (invalid_value) with `name` for anything but a list of finite numbers.
    """
    numbers = _parse_json(value, name) if isinstance(value, str) else value
    if not isinstance(numbers, list) or not numbers:
        kind = "an empty list" if numbers == [] else kind_of(numbers)
        raise _invalid(f"{name} must be a list of numbers, not {kind}")
    if not set(map(type, numbers)) <= {int, float}:
        place, other = next((i, n) for i, n in enumerate(numbers) if type(n) not in (int, float))
        raise _invalid(f"{name} has {kind_of(other)} at {place}, where a number must be")
    try:
        length = math.hypot(*numbers)
        if math.isinf(length):  # of numbers near the largest one
            numbers = [number / 2**64 for number in numbers]
            length = math.hypot(*numbers)
    except OverflowError:  # an integer without end
        length = math.inf
    if not math.isfinite(length):
        raise _invalid(f"{name} has a number that is not finite")
    return numbers, length


def _parse_json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid(f"{name} is a text, but not JSON of a list of numbers") from None


def cosines(query: Any, vectors: Sequence[Any], first: int = 0) -> list[float]:
    """Return the cosine of the angle between the query and each vector; 0 for a zero vector.

    `first` is the number of the first vector in messages. Raises NodeFailed (invalid_value).
    """
    direction, length = read_vector(query, "The vector at query-in")
    unit = [number / length for number in direction] if length else direction
    return [
        _cosine(unit, each, f"Vector {first + position} at vectors-in")
        for position, each in enumerate(vectors)
    ]


def _cosine(unit: Sequence[float], value: Any, name: str) -> float:
    numbers, length = read_vector(value, name)
    if len(numbers) != len(unit):
        raise _invalid(f"{name} has {len(numbers)} numbers, and that at query-in has {len(unit)}")
    if not length:
        return 0.0
    cosine: float = sum(map(mul, unit, numbers)) / length
    return max(-1.0, min(1.0, cosine))


def _invalid(message: str) -> NodeFailed:
    return NodeFailed("invalid_value", message)
