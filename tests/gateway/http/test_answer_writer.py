"""Writes of a connection: which bytes go out together, and when."""

import asyncio

import pytest

from gateway.http.answer_writer import JOINED_BYTES, AnswerWriter

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Written(asyncio.Transport):
    """Keeps each write by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


@pytest.fixture
async def written() -> Written:
    return Written()


@pytest.fixture
async def writer(written: Written) -> AnswerWriter:
    return AnswerWriter(written, asyncio.get_running_loop())


async def test_a_head_and_its_body_are_one_write(written: Written, writer: AnswerWriter) -> None:
    for body in (b"one", b"two"):
        writer.write(HEAD)
        writer.write(body)
    await asyncio.sleep(0)

    assert written.writes == [HEAD + b"one", HEAD + b"two"]


async def test_a_head_without_a_body_goes_out_at_once(
    written: Written, writer: AnswerWriter
) -> None:
    writer.write(HEAD)
    await asyncio.sleep(0)
    assert written.writes == [HEAD]

    writer.write(b"event")
    writer.write(b"event")
    assert written.writes == [HEAD, b"event", b"event"]


async def test_a_large_body_is_not_copied_behind_its_head(
    written: Written, writer: AnswerWriter
) -> None:
    body = b"x" * (JOINED_BYTES + 1)

    writer.write(HEAD)
    writer.write(body)

    assert written.writes == [HEAD, body]


async def test_nothing_kept_is_lost_when_the_connection_closes(
    written: Written, writer: AnswerWriter
) -> None:
    writer.write(HEAD)
    writer.close()
    await asyncio.sleep(0)

    assert written.writes == [HEAD]
    assert written.is_closed
    assert writer.is_closing()
