"""The parts of aiohttp that its documentation leaves out are as connections expect them."""

import asyncio
import tomllib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from workers.outbound.answer_parser import READ_BYTES, make_parser

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


class Source:
    """A connection that notes what the reader of a body asks of it."""

    connected = True

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self, resume_parser: bool = True) -> None:
        self.calls.append("resume")


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def parser(source: Source) -> Any:
    return make_parser(source, asyncio.get_running_loop(), is_head_call=False)


def test_the_installed_version_is_the_pinned_one() -> None:
    dependencies = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]

    assert f"aiohttp=={aiohttp.__version__}" in dependencies


async def test_a_head_comes_with_the_reader_of_its_body(parser: Any) -> None:
    assert not parser.feed_data(HEAD[:10])[0]
    [(message, body)], *_ = parser.feed_data(HEAD[10:] + b"Hel")

    assert (message.code, message.headers["content-length"]) == (200, "5")
    assert not body.is_eof()
    assert await body.readany() == b"Hel"
    parser.feed_data(b"lo")
    assert body.is_eof()
    assert (await body.readany(), body.total_bytes) == (b"lo", 5)


async def test_the_end_is_nothing_after_a_whole_answer_and_a_head_after_the_beginning_of_another(
    parser: Any,
) -> None:
    parser.feed_data(HEAD + b"Hello")
    assert parser.feed_eof() is None

    parser.feed_data(b"HTTP/1.1 200 OK\r\n")
    assert parser.feed_eof() is not None


async def test_the_end_within_a_body_is_an_error(parser: Any) -> None:
    parser.feed_data(HEAD + b"Hel")

    with pytest.raises(aiohttp.http_exceptions.HttpProcessingError):
        parser.feed_eof()


async def test_an_answer_to_head_has_no_body(source: Source) -> None:
    parser = make_parser(source, asyncio.get_running_loop(), is_head_call=True)

    [(message, _)], *_ = parser.feed_data(HEAD)

    assert message.code == 200
    assert parser.feed_eof() is None


async def test_a_slow_reader_pauses_its_source(source: Source, parser: Any) -> None:
    size = 3 * READ_BYTES
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()

    [(_, body)], *_ = parser.feed_data(head + bytes(size - 1))
    assert source.calls == ["pause"]
    assert len(await body.readany()) > 0
    assert source.calls == ["pause", "resume"]


async def test_a_parser_that_is_paused_while_it_parses_holds_the_rest_back() -> None:
    class Pausing(Source):
        def pause_reading(self) -> None:
            parser.pause_reading()

    parser = make_parser(Pausing(), asyncio.get_running_loop(), is_head_call=False)
    size = 3 * READ_BYTES
    chunk = f"{size:x}\r\n".encode() + bytes(size) + b"\r\n"

    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    [(_, body)], *_ = parser.feed_data(head + chunk + chunk)
    assert body.total_bytes == size

    body.read_nowait()
    parser.feed_data(b"")
    assert body.total_bytes == 2 * size


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x" * 9_000])
async def test_what_is_no_answer_is_an_error(parser: Any, data: bytes) -> None:
    with pytest.raises(aiohttp.http_exceptions.HttpProcessingError):
        parser.feed_data(data)
