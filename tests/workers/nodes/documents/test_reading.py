"""The pool of documents: contents, and the reasons of those that cannot be read."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import MAX_CHARACTERS, DocumentOptions, DocumentText
from tests.support.documents.small_pdf import small_pdf
from workers.nodes.documents import DocumentPool, reading

PDF, PLAIN = "application/pdf", "text/plain"
PATIENCE_SECONDS = 60.0


@pytest.fixture
async def pool() -> AsyncIterator[DocumentPool]:
    pool = DocumentPool()
    yield pool
    await pool.close()


async def read(pool: DocumentPool, content_type: str, data: bytes, **options: Any) -> Any:
    seconds = options.pop("seconds", PATIENCE_SECONDS)
    return await pool.read(content_type, data, DocumentOptions(**options), seconds=seconds)


async def fail(pool: DocumentPool, content_type: str, data: bytes, **options: Any) -> str:
    with pytest.raises(NodeFailed) as caught:
        await read(pool, content_type, data, **options)
    assert caught.value.code == "document_unreadable"
    return caught.value.message


async def test_a_pdf_gives_a_text_for_each_page(pool: DocumentPool) -> None:
    contents = await read(pool, PDF, small_pdf("First line\nSecond line", "Third (page two)"))

    assert contents.content_type == PDF
    assert contents.pages == ("First line\nSecond line", "Third (page two)")
    assert contents.text == "First line\nSecond line\n\nThird (page two)"


async def test_a_text_is_given_as_it_is_without_its_byte_order_mark(pool: DocumentPool) -> None:
    contents = await read(pool, PLAIN, "\ufeffKönig\r\n".encode())

    assert contents.pages == ("König\r\n",)


async def test_reasons_of_failures_are_sentences(pool: DocumentPool) -> None:
    assert "broken" in await fail(pool, PDF, b"%PDF-1.7\nnothing of a PDF")
    assert "3 pages; at most 2" in await fail(pool, PDF, small_pdf("a", "b", "c"), max_pages=2)
    assert "UTF-8" in await fail(pool, PLAIN, b"\xff\xfe")
    assert "NUL" in await fail(pool, PLAIN, b"a\0b")
    assert "image/png are not read" in await fail(pool, "image/png", b"")


def sleep(*_: object) -> None:
    time.sleep(PATIENCE_SECONDS)


def take_memory(*_: object) -> None:
    bytearray(1 << 40)


async def test_a_document_that_takes_too_long_ends_with_its_process(
    pool: DocumentPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "read_packed", sleep)

    assert "not read within 0.2 s" in await fail(pool, PDF, b"", seconds=0.2)

    monkeypatch.undo()
    assert (await read(pool, PLAIN, b"next")).pages == ("next",)


async def test_a_document_that_takes_too_much_memory_ends_with_its_process(
    pool: DocumentPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "read_packed", take_memory)

    assert "more memory than it may have" in await fail(pool, PDF, b"")


def test_an_error_that_nobody_expects_of_a_document_is_its_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> DocumentText:
        raise IndexError("a secret of the document")

    monkeypatch.setattr(reading, "TEXTS", {PLAIN: fail})

    with pytest.raises(NodeFailed, match="it cannot be read$") as caught:
        reading.read(PLAIN, b"x", DocumentOptions())

    assert caught.value.code == "document_unreadable"


class Gate:
    """A gate that closes as often as told while a caller takes its turn."""

    def __init__(self, closings: int = 0) -> None:
        self.waits = 0
        self._closings = closings

    @property
    def may_grow(self) -> bool:
        return self.waits > self._closings

    async def wait(self) -> None:
        self.waits += 1


@pytest.mark.A91j
async def test_an_account_has_two_files_in_memory_and_others_go_on_beside_it(
    pool: DocumentPool,
) -> None:
    inside: list[str] = []
    stop = asyncio.Event()

    async def hold(account_id: str) -> None:
        async with pool.turn(account_id, None):
            inside.append(account_id)
            await stop.wait()

    async with asyncio.TaskGroup() as group:
        for account_id in ("greedy",) * 5 + ("neighbour",):
            group.create_task(hold(account_id))
        while "neighbour" not in inside:
            await asyncio.sleep(0)
        at_once = sorted(inside)
        stop.set()

    assert at_once == ["greedy", "greedy", "neighbour"]
    assert len(inside) == 6


async def test_a_turn_that_a_gate_has_ended_is_taken_again(pool: DocumentPool) -> None:
    gate = Gate(closings=2)

    async with pool.turn("a", gate):
        waits = gate.waits

    assert waits == 3


async def test_a_text_that_is_too_long_is_refused_where_it_is_read(pool: DocumentPool) -> None:
    data = b"x" * (MAX_CHARACTERS + 1)

    assert "more than 50,000,000 characters" in await fail(pool, PLAIN, data)
    assert len((await read(pool, PLAIN, data[1:])).text) == MAX_CHARACTERS
