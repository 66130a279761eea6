"""Chunks of a streamed chat by OpenAI's protocol, with pieces of texts and of calls of tools."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.models.calls.answer_paths import Path
from workers.providers.answers.streaming import EventJoiner, StreamedText
from workers.providers.provider_client import MAX_BYTES

FIRST = Path.parse("choices[0]")
CONTENT = Path.parse("content")
PARTS = Path.parse("content[].text")
CALLS = Path.parse("tool_calls[]")


class Chunks(EventJoiner):
    """Joins the chunks of a streamed chat."""

    def __init__(self) -> None:
        self.is_complete = False
        self.is_over = False
        self._content = StreamedText(MAX_BYTES)
        self._refusal = StreamedText(MAX_BYTES)
        self._finish_reason: Any = None
        self._usage: Any = None
        self._calls = _Calls()
        self._thoughts = _Thoughts()

    def join_event(self, event: Mapping[str, Any]) -> str:
        self._usage = event.get("usage") or self._usage
        choice = FIRST.first(event)
        if not isinstance(choice, dict) or choice.get("index") not in (0, None):
            return ""
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        self.is_complete = bool(self._finish_reason)
        delta = choice.get("delta")
        refusal = delta.get("refusal") if isinstance(delta, dict) else None
        if isinstance(refusal, str):
            self._refusal.add(refusal)
        self._thoughts.add(delta)
        for each in CALLS.find(delta):
            self._calls.add(each)
        text = text_of(delta)
        if text is None:
            return ""
        self._content.add(text)
        return text

    def reply(self) -> Any:
        message = {
            "content": self._content.value,
            "refusal": self._refusal.value,
            "tool_calls": self._calls.joined(),
            **self._thoughts.joined(),
        }
        choice = {"message": message, "finish_reason": self._finish_reason}
        return {"choices": [choice], "usage": self._usage}


class _Call:
    """Call of a tool that grows by pieces."""

    def __init__(self) -> None:
        self.id: Any = None
        self.name = ""
        self.whole: Any = None
        """Arguments that came as a value, not as JSON in pieces."""
        self._arguments = StreamedText(MAX_BYTES)
        self._others: dict[str, Any] = {}

    def add(self, piece: Mapping[str, Any]) -> None:
        """Take a piece; names and ids that are repeated in each piece count once."""
        self.id = self.id or piece.get("id")
        self._others |= {name: piece[name] for name in ("extra_content",) if piece.get(name)}
        function = piece.get("function")
        if not isinstance(function, dict):
            return
        name, arguments = function.get("name"), function.get("arguments")
        if isinstance(name, str) and name != self.name:
            self.name += name
        if isinstance(arguments, str):
            self._arguments.add(arguments)
        elif arguments is not None:
            self.whole = arguments

    @property
    def is_whole(self) -> bool:
        """True when its arguments are a whole value."""
        return self.whole is not None or _is_json(self._arguments.value or "")

    def joined(self) -> dict[str, Any]:
        arguments = self._arguments.value if self.whole is None else self.whole
        function = {"name": self.name, "arguments": arguments}
        return {"id": self.id, "function": function, **self._others}


class _Calls:
    """Calls of tools, by the index of their pieces."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._open: dict[Any, _Call] = {}

    def add(self, piece: Any) -> None:
        if not isinstance(piece, dict):
            return
        index = piece.get("index")
        call = self._open.get(index)
        if call is None or _begins_another(call, piece):
            call = self._open[index] = _Call()
            self._calls.append(call)
        call.add(piece)

    def joined(self) -> list[dict[str, Any]]:
        return [each.joined() for each in self._calls if each.name]


class _Thoughts:
    """Members of a message that go back with its calls."""

    def __init__(self) -> None:
        self._text = StreamedText(MAX_BYTES)
        self._details: list[Any] = []
        self._extra: Any = None

    def add(self, delta: Any) -> None:
        if not isinstance(delta, dict):
            return
        text, details = delta.get("reasoning_content"), delta.get("reasoning_details")
        if isinstance(text, str):
            self._text.add(text)
        if isinstance(details, list):
            self._details += details
        self._extra = delta.get("extra_content") or self._extra

    def joined(self) -> dict[str, Any]:
        found = {
            "reasoning_content": self._text.value,
            "reasoning_details": self._details,
            "extra_content": self._extra,
        }
        return {name: value for name, value in found.items() if value}


def _begins_another(call: _Call, piece: Mapping[str, Any]) -> bool:
    """Return whether a piece at the index of a call begins another call.

    Some providers send several calls at one index, or without any.
    """
    made, function = piece.get("id"), piece.get("function")
    if made and call.id and made != call.id:
        return True
    if not isinstance(function, dict):
        return False
    has_call = bool(function.get("name")) and bool(function.get("arguments"))
    return has_call and call.is_whole


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def text_of(message: Any) -> str | None:
    """Return the text of a message, or of a part of one."""
    content = CONTENT.first(message)
    if isinstance(content, str):
        return content
    parts = [part for part in PARTS.find(message) if isinstance(part, str)]
    return "".join(parts) if parts else None
