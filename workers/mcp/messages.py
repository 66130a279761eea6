"""Messages of a server, made small before the library reads them.

The library checks each value several times, at ten microseconds a value, on the event loop: an
answer of a few megabytes could hold up a worker for many seconds. It gets the frame alone; results
of tools are kept beside it.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import msgspec

from engine.errors.nodes import NodeFailed

MAX_VALUES = 200_000
"""Values of a structured result, or of a text that is read as one."""
MAX_FRAME_VALUES = 20_000
"""Values of a message without the structured result; a list of a thousand tools has fewer."""
MAX_BLOCKS = 1_000
"""Parts of the answer of a tool."""
MAX_REQUESTS = 100
"""Requests of a server to its caller, each of which the library answers by a call of its own."""
OF_TOOLS = ("name", "title", "description", "inputSchema")
UNREADABLE = b"{"
"""Stands for a message that is not JSON, as the library would find out."""
STRUCTURED = "structuredContent"


class MessageFilter:
    """Frames of messages for the library, and the last structured result."""

    def __init__(self) -> None:
        self.structured: Any = None
        self._requests = 0

    def frame(self, data: bytes) -> bytes | None:
        """Return a message for the library; None: nobody here reads it. Raises NodeFailed."""
        if data.count(b"[") + data.count(b"{") > MAX_VALUES:  # decoding alone would take seconds
            raise _too_many(MAX_VALUES)
        try:
            message = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return UNREADABLE
        if not isinstance(message, dict):
            return UNREADABLE
        if "method" in message:
            if "id" not in message:
                return None
            self._count_request()
        result = message.get("result")
        if isinstance(result, dict):
            message["result"] = self._frame_result(result)
        check_size(message, MAX_FRAME_VALUES)
        return msgspec.json.encode(message)

    def _count_request(self) -> None:
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            message = f"The server has asked its caller back more than {MAX_REQUESTS} times"
            raise NodeFailed("response_too_large", message)

    async def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield a stream of events with the frames of their messages. Raises NodeFailed."""
        rest: list[bytes] = []
        block: list[bytes] = []
        async for piece in pieces:
            rest.append(piece)
            if b"\n" not in piece:
                continue
            *lines, last = b"".join(rest).split(b"\n")
            rest = [last]
            for line in (each.removesuffix(b"\r") for each in lines):
                if line:
                    block.append(line)
                    continue
                event = b"".join(self._frame_event(block))
                block.clear()
                if event:
                    yield event

    def _frame_event(self, block: list[bytes]) -> Iterator[bytes]:
        data = [line[5:].removeprefix(b" ") for line in block if line.startswith(b"data:")]
        others = [line for line in block if line.startswith((b"id:", b"event:", b"retry:"))]
        framed = self.frame(b"\n".join(data)) if any(data) else b""
        if framed is None or not (data or others):
            return
        for line in others:
            yield line + b"\n"
        if data:
            yield b"data: " + framed + b"\n"
        yield b"\n"

    def _frame_result(self, result: Mapping[str, Any]) -> dict[str, Any]:
        framed = dict(result)
        if framed.get(STRUCTURED) is not None:
            check_size(framed[STRUCTURED], MAX_VALUES)
            self.structured, framed[STRUCTURED] = framed[STRUCTURED], {}
        content, tools = framed.get("content"), framed.get("tools")
        if isinstance(content, list) and len(content) > MAX_BLOCKS:
            message = f"The tool's answer has more than {MAX_BLOCKS} parts"
            raise NodeFailed("response_too_large", message)
        if isinstance(tools, list):
            framed["tools"] = [_frame_tool(each) for each in tools]
        return framed


def _frame_tool(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    framed = {name: tool[name] for name in OF_TOOLS if tool.get(name) is not None}
    annotations = tool.get("annotations")
    if "title" not in framed and isinstance(annotations, dict) and annotations.get("title"):
        framed["title"] = annotations["title"]
    return framed


def check_size(value: Any, most: int) -> None:
    """Raise NodeFailed for a value with too many values in it."""
    if not is_small(value, most):
        raise _too_many(most)


def _too_many(most: int) -> NodeFailed:
    return NodeFailed("response_too_large", f"The server's answer has more than {most} values")


def is_small(value: Any, most: int) -> bool:
    """Return whether a value has at most so many values in it."""
    left, level = most, [value]
    while level:
        left -= len(level)
        if left < 0:
            return False
        inner: list[Any] = []
        for each in level:
            if type(each) is list:
                inner.extend(each)
            elif type(each) is dict:
                inner.extend(each.values())
            if len(inner) > left:
                return False
        level = inner
    return True
