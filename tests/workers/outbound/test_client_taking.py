"""Bodies that are taken as they come."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import structs

from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.raw_server import OK, Holding, Stub, answer, failure, redirect, serving
from workers.outbound.client import Egress

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Of: head\r\n\r\n"
ONE, TWO, END = b"3\r\none\r\n", b"3\r\ntwo\r\n", b"0\r\n\r\n"


@dataclass
class Taker:
    """Remembers received pieces, and takes at most a given number."""

    most: int = 1_000
    failure: Exception | None = None
    answers: list[HttpAnswer] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)

    async def take(self, answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
        self.answers.append(answer)
        async for piece in pieces:
            self.pieces.append(piece)
            if self.failure is not None:
                raise self.failure
            if len(self.pieces) == self.most:
                return


@pytest.fixture
def taker() -> Taker:
    return Taker()


def get(stub: Stub, taker: Taker, **more: Any) -> HttpCall:
    call = HttpCall(
        method="GET", url=stub.url, timeout_seconds=PATIENCE_SECONDS, consume=taker.take
    )
    return structs.replace(call, **more)


async def test_a_piece_is_given_before_the_next_one_has_come(egress: Egress) -> None:
    has_one = asyncio.Event()

    class Waiting(Stub):
        async def _answer(self, writer: asyncio.StreamWriter) -> None:
            writer.write(CHUNKED + ONE)
            await has_one.wait()
            writer.write(TWO + END)

    class Setting(Taker):
        async def take(self, answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
            async for piece in pieces:
                self.pieces.append(piece)
                has_one.set()

    taker = Setting()
    async with serving(Waiting()) as stub:
        given = await egress.fetch(get(stub, taker))

    assert taker.pieces == [b"one", b"two"]
    assert (given.status, given.headers["x-of"], given.body) == (200, "head", b"")


async def test_status_and_headers_are_given_before_the_body(
    stub: Stub, egress: Egress, taker: Taker
) -> None:
    stub.reply = answer("X-Of: head", "Content-Length: 2", body=b"no", status="503 No")

    given = await egress.fetch(get(stub, taker))

    assert taker.answers == [given]
    assert (given.status, given.headers["x-of"], taker.pieces) == (503, "head", [b"no"])


async def test_only_the_answer_after_redirects_is_taken(
    stub: Stub, egress: Egress, taker: Taker
) -> None:
    stub.reply, stub.pages = [redirect(302, "/there")], {"/there": OK}

    await egress.fetch(get(stub, taker, max_redirects=1))

    assert ([each.status for each in taker.answers], taker.pieces) == ([200], [b"ok"])


async def test_an_unexpectedly_compressed_body_is_inflated_and_given_in_one_piece(
    stub: Stub, egress: Egress, taker: Taker
) -> None:
    body = gzip.compress(b"hello", mtime=0)
    stub.reply = answer("Content-Encoding: gzip", f"Content-Length: {len(body)}", body=body)

    await egress.fetch(get(stub, taker))

    assert taker.pieces == [b"hello"]


@pytest.mark.parametrize(
    ("reply", "taken"),
    [
        ([CHUNKED, ONE, TWO, END], b"one"),
        (answer("Content-Length: 6", body=b"onetwo"), b""),
        ([answer("Connection: close")[0], b"one", b"two"], b"one"),
    ],
    ids=["chunks", "length", "neither"],
)
async def test_no_more_is_given_than_the_cap(
    stub: Stub, egress: Egress, taker: Taker, reply: list[bytes], taken: bytes
) -> None:
    stub.reply, stub.pause = reply, 0.03
    stub.then_close = b"close" in reply[0]

    failed = await failure(egress, get(stub, taker, max_bytes=5))

    assert failed.code == "response_too_large"
    assert b"".join(taker.pieces) == taken


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [
        ([CHUNKED + ONE, b"zz\r\n"], False),
        ([CHUNKED + ONE], True),
        (answer("Content-Length: 9", body=b"one"), True),
    ],
)
async def test_a_broken_body_fails_after_the_pieces_before(
    stub: Stub, egress: Egress, taker: Taker, reply: list[bytes], retryable: bool
) -> None:
    stub.reply, stub.pause, stub.then_close = reply, 0.03, True

    failed = await failure(egress, get(stub, taker))

    assert (failed.code, failed.retryable) == ("bad_response", retryable)
    assert taker.pieces == [b"one"]


# -- time -----------------------------------------------------------------------------------------


async def test_a_body_that_drips_for_ever_ends_at_the_deadline(
    stub: Stub, egress: Egress, taker: Taker
) -> None:
    stub.reply, stub.pause = [CHUNKED] + [ONE] * 1_000, 0.02
    began = time.monotonic()

    failed = await failure(egress, get(stub, taker, timeout_seconds=2.5, idle_seconds=2.0))

    assert (failed.code, failed.message) == ("timeout", "No answer within 2.5 s")
    assert 2 < time.monotonic() - began < 15  # all of it would take 20 s
    assert len(taker.pieces) > 1


async def test_a_body_that_is_silent_for_too_long_says_so(
    stub: Stub, egress: Egress, taker: Taker
) -> None:
    stub.reply = [CHUNKED + ONE]

    failed = await failure(egress, get(stub, taker, idle_seconds=1.0))

    assert (failed.code, failed.retryable) == ("timeout", True)
    assert failed.message == "Nothing more came for 1 s"
    assert taker.pieces == [b"one"]


async def test_one_that_is_never_silent_for_long_may_take_longer(
    stub: Stub, egress: Egress, taker: Taker
) -> None:
    stub.reply, stub.pause = [CHUNKED, *[ONE] * 10, END], 0.3

    await egress.fetch(get(stub, taker, idle_seconds=2.0))

    assert b"".join(taker.pieces) == b"one" * 10


# -- connections ----------------------------------------------------------------------------------


async def test_the_connection_is_used_again_after_the_rest_was_read(
    stub: Stub, egress: Egress
) -> None:
    stub.reply, stub.pause = [CHUNKED, ONE, TWO + END], 0.03

    for _ in range(2):
        await egress.fetch(get(stub, Taker(most=1)))

    assert stub.connections == 1


async def test_the_call_does_not_wait_for_a_slow_rest(stub: Stub, egress: Egress) -> None:
    stub.reply = [CHUNKED + ONE]
    began = time.monotonic()

    for _ in range(2):
        await egress.fetch(get(stub, Taker(most=1)))

    assert time.monotonic() - began < 10
    assert stub.connections == 2


async def test_a_rest_that_breaks_off_is_no_failure(stub: Stub, egress: Egress) -> None:
    stub.reply, stub.pause, stub.then_reset = [CHUNKED, ONE, b""], 0.03, True
    taker = Taker(most=1)

    await egress.fetch(get(stub, taker))

    assert taker.pieces == [b"one"]


async def test_an_error_of_the_taker_is_raised_and_the_connection_closed(egress: Egress) -> None:
    async with serving(Holding(CHUNKED, ONE)) as stub:
        with pytest.raises(KeyError):
            await egress.fetch(get(stub, Taker(failure=KeyError("mine"))))

        await asyncio.wait_for(stub.has_gone.wait(), PATIENCE_SECONDS)


async def test_a_cancelled_call_hangs_up_at_once(egress: Egress, taker: Taker) -> None:
    async with serving(Holding(CHUNKED, ONE)) as stub:
        call = asyncio.create_task(egress.fetch(get(stub, taker)))
        await eventually(_count(taker), lambda count: count == 1)
        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(stub.has_gone.wait(), PATIENCE_SECONDS)


def _count(taker: Taker) -> Any:
    async def count() -> int:
        return len(taker.pieces)

    return count
