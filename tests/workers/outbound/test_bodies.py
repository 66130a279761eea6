"""Large bodies over kept connections, on the loop of a real worker and on asyncio's."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.raw_server import Stub, answer, failure
from tests.support.process.event_loops import Loop
from workers.outbound.client import Egress

MEGABYTE = 1_048_576
SIZES = [600_000, MEGABYTE, 3 * MEGABYTE, 8 * MEGABYTE]


@pytest.fixture(scope="module", params=[Loop, None], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": request.param}


def whole(size: int) -> list[bytes]:
    return answer(f"Content-Length: {size}", body=bytes(size))


def chunked(size: int, of: int = 100_000) -> list[bytes]:
    body = b"".join(
        b"%x\r\n" % len(piece) + piece + b"\r\n"
        for piece in (bytes(min(of, size - start)) for start in range(0, size, of))
    )
    return answer("Transfer-Encoding: chunked", body=body + b"0\r\n\r\n")


def get(stub: Stub, path: str, **options: Any) -> HttpCall:
    return HttpCall(
        method="GET", url=f"{stub.url}{path}", timeout_seconds=PATIENCE_SECONDS, **options
    )


def lay_out(stub: Stub) -> list[tuple[str, int]]:
    for size in SIZES:
        stub.pages[f"/whole/{size}"] = whole(size)[0]
        stub.pages[f"/chunked/{size}"] = chunked(size)[0]
    return [(path, int(path.rpartition("/")[2])) for path in stub.pages]


async def test_a_large_body_over_a_connection_that_is_kept_is_read_to_its_end(
    stub: Stub, egress: Egress
) -> None:
    pages = lay_out(stub) * 3

    sizes = [len((await egress.fetch(get(stub, path))).body) for path, _ in pages]

    assert sizes == [size for _, size in pages]
    assert stub.connections == 1


async def test_many_large_bodies_at_once_are_read_to_their_ends(stub: Stub, egress: Egress) -> None:
    pages = lay_out(stub) * 2

    answers = await asyncio.gather(*(egress.fetch(get(stub, path)) for path, _ in pages))

    assert [len(each.body) for each in answers] == [size for _, size in pages]


async def test_a_large_body_that_is_taken_slowly_in_pieces_comes_to_its_end(
    stub: Stub, egress: Egress
) -> None:
    taken: list[int] = []

    async def take(answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
        taken.append(0)
        async for piece in pieces:
            taken[-1] += len(piece)
            for _ in range(5):  # so that more has come than is held, and the server waits
                await asyncio.sleep(0)

    pages = lay_out(stub)

    for path, _ in pages:
        await egress.fetch(get(stub, path, consume=take))

    assert taken == [size for _, size in pages]


async def test_a_large_body_that_drips_in_is_read_to_its_end(stub: Stub, egress: Egress) -> None:
    stub.reply = [piece for part in chunked(MEGABYTE) for piece in _cut(part, 70_001)]

    answer = await egress.fetch(get(stub, "/"))

    assert len(answer.body) == MEGABYTE


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("spread", [whole, chunked])
async def test_a_large_body_is_read_no_further_than_there_is_memory_for_it(
    stub: Stub, egress: Egress, spread: Callable[[int], list[bytes]]
) -> None:
    size, held, freed = 8 * MEGABYTE, [0], asyncio.Event()
    stub.pages["/large"] = spread(size)[0]

    async def reserve(more: int) -> None:
        held[0] += more
        if held[0] >= MEGABYTE:
            await freed.wait()

    reading = asyncio.create_task(egress.fetch(get(stub, "/large", reserve=reserve)))
    while held[0] < MEGABYTE:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert held[0] < 2 * MEGABYTE
    freed.set()

    assert len((await reading).body) == size
    assert size - MEGABYTE < held[0] <= size


@pytest.mark.parametrize("spread", [whole, chunked])
@pytest.mark.parametrize("size", [1_000, 600_000])
async def test_a_body_of_exactly_the_cap_may_come_in_pieces(
    stub: Stub, egress: Egress, size: int, spread: Callable[[int], list[bytes]]
) -> None:
    [reply] = spread(size)
    stub.reply = [reply[: -size // 2], reply[-size // 2 :]]
    stub.pause = 0.02

    got = await egress.fetch(get(stub, "/", max_bytes=size))
    failed = await failure(egress, get(stub, "/", max_bytes=size - 1))

    assert len(got.body) == size
    assert failed.code == "response_too_large"


async def test_no_memory_is_reserved_for_small_bodies(stub: Stub, egress: Egress) -> None:
    stub.pages["/small"] = whole(10_000)[0]

    async def reserve(more: int) -> None:
        raise AssertionError(more)

    assert len((await egress.fetch(get(stub, "/small", reserve=reserve))).body) == 10_000


async def test_a_body_that_was_compressed_is_held_as_it_is_when_inflated(
    stub: Stub, egress: Egress
) -> None:
    body = gzip.compress(bytes(MEGABYTE))
    length = f"Content-Length: {len(body)}"
    stub.pages["/packed"] = answer("Content-Encoding: gzip", length, body=body)[0]
    held = []

    async def reserve(more: int) -> None:
        held.append(more)

    await egress.fetch(get(stub, "/packed", reserve=reserve))

    assert held == [MEGABYTE]
