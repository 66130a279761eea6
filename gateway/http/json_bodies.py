"""Decoding of JSON bodies: limits, and a thread for large documents."""

import asyncio
import gc
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from engine.errors import InvalidBody

MAX_DEPTH = 64
MAX_VALUES = 100_000
"""Most JSON values in one body: each text, number, true, false, null, list and object is one."""
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
LARGE_BYTES = 32_768
"""Bodies from this size on are decoded and checked by a thread, one at a time."""
PIECE_BYTES = 1_048_576
"""Bytes that are counted at once: meanwhile no other thread runs."""
NO_OBJECT = "The body must be a JSON object"
TOO_MANY_VALUES = f"The body has more than {MAX_VALUES:,} values"

T = TypeVar("T")

ANY = msgspec.json.Decoder()
_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")


async def decode_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in the bytes. Raises InvalidBody."""
    return await run_off_loop(len(data), lambda: parse_object(data))


async def run_off_loop(size: int, work: Callable[[], T]) -> T:
    """Do the work, in a thread from LARGE_BYTES on, so that the event loop is not blocked."""
    if size < LARGE_BYTES:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_executor, work)


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in the bytes. Raises InvalidBody."""
    check_count(data)
    value = parse_json(data, ANY)
    if not isinstance(value, dict):
        raise InvalidBody(NO_OBJECT)
    check_values(value)
    return value


def parse_json(data: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """Return the value of a JSON text. Raises InvalidBody."""
    # A collection during decoding would traverse every value made so far, again and again.
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        return decoder.decode(data)
    except RecursionError:
        raise InvalidBody(f"The body is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeDecodeError:
        raise InvalidBody("The body is not UTF-8") from None
    except msgspec.ValidationError:
        raise InvalidBody(NO_OBJECT) from None
    except msgspec.DecodeError as error:
        raise InvalidBody(f"The body is not valid JSON: {error}") from None
    finally:
        if was_collecting:
            gc.enable()


def check_count(data: bytes) -> None:
    """Refuse a body of more than MAX_VALUES values before one is created. Raises InvalidBody.

    Commas and brackets give the number: every value but the first of a list or object follows a
    comma. They are first counted including those in texts, which is fast and mostly enough.
    """
    if len(data) < 2 * MAX_VALUES or _count_values(data) <= MAX_VALUES:
        return
    # At least half of the texts are values, the others are names.
    if data.count(b'"') > 4 * MAX_VALUES + 2 * data.count(b'\\"'):
        raise InvalidBody(TOO_MANY_VALUES)
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if _count_values(b'""'.join(plain.split(b'"')[::2])) > MAX_VALUES:
        raise InvalidBody(TOO_MANY_VALUES)


def _count_values(data: bytes) -> int:
    """Count the values of a JSON document with empty texts; for any other, at least as many."""
    count, before = 1, b""
    for start in range(0, len(data), PIECE_BYTES):
        packed = data[start : start + PIECE_BYTES].translate(None, b" \t\r\n")
        opened = packed.count(b"[") + packed.count(b"{")
        empty = packed.count(b"[]") + packed.count(b"{}")
        across = before + packed[:1] in (b"[]", b"{}")
        count += packed.count(b",") + opened - empty - across
        before = packed[-1:] or before
    return count


def check_values(value: Mapping[str, Any]) -> None:
    """Refuse values that are nested too deep, and integers beyond 64 bits. Raises InvalidBody."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise InvalidBody(f"The body is nested deeper than {MAX_DEPTH} levels")


def _children(container: Any) -> list[Any]:
    members = container.values() if type(container) is dict else container
    containers = []
    for member in members:
        kind = type(member)
        if kind is dict or kind is list:
            containers.append(member)
        elif kind is int and not MIN_INTEGER <= member <= MAX_INTEGER:
            raise InvalidBody("The body has an integer beyond 64 bits")
    return containers
