"""The parser of answers: the one place that uses parts of aiohttp beside its documented interface.

`tests/workers/outbound/test_answer_parser.py` holds each of them to what connections expect, and
the dependency is pinned to the version with which that was read.
"""

import asyncio
from typing import Any

from aiohttp import EMPTY_PAYLOAD, StreamReader
from aiohttp.http import HttpResponseParser, HttpVersion11, RawResponseMessage

__all__ = ["EMPTY_PAYLOAD", "HttpVersion11", "RawResponseMessage", "StreamReader", "make_parser"]

MAX_HEADERS = 256
MAX_LINE_BYTES = 8_190
"""Of the first line of an answer, and of each header."""
READ_BYTES = 262_144
"""Bytes of a body that may wait for their reader; twice as many stop the transport."""


def make_parser(source: Any, loop: asyncio.AbstractEventLoop, *, is_head_call: bool) -> Any:
    """Return a parser of one answer, whose body's reader calls `source`, a connection.

    `feed_data` returns the heads that have become complete, each with the reader of its body, and
    two more values. `feed_eof` returns None after a whole answer and raises for one cut off.
    `pause_reading`, called while it parses, makes it hold the rest back until data are fed again.
    """
    return HttpResponseParser(
        source,
        loop,
        READ_BYTES,
        response_with_body=not is_head_call,
        read_until_eof=True,
        auto_decompress=False,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        max_headers=MAX_HEADERS,
    )
