"""Events of a streamed message of Anthropic's API, joined to the blocks of its content."""

from collections.abc import Mapping
from typing import Any

from engine.models.calls.answer_paths import Path
from workers.providers.answers.errors import bad_response
from workers.providers.answers.streaming import EventJoiner, StreamedText
from workers.providers.provider_client import MAX_BYTES

STOPPED = Path.parse("delta.stop_reason")
MAX_BLOCKS = 1_000
DELTAS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
"""Members of deltas with text, by type."""
INPUT = "partial_json"


class MessageEvents(EventJoiner):
    """Joins the events of a streamed message; unknown types are ignored."""

    def __init__(self) -> None:
        self.is_complete = False
        self.is_over = False
        self._blocks: list[_Block] = []
        self._stop_reason: Any = None
        self._usage: dict[str, Any] = {}

    def join_event(self, event: Mapping[str, Any]) -> str:
        match event:
            case {"type": "message_start", "message": {"usage": dict(usage)}}:
                self._usage |= usage
            case {"type": "content_block_start", "content_block": dict(block)}:
                return self._begin(block)
            case {"type": "content_block_delta", "delta": dict(delta)}:
                return self._grow(delta)
            case {"type": "message_delta"}:
                self._take_ending(event)
            case {"type": "message_stop"}:
                self.is_over = True
        return ""

    def reply(self) -> Any:
        content = [each.joined() for each in self._blocks]
        return {"content": content, "stop_reason": self._stop_reason, "usage": self._usage}

    def _begin(self, block: Mapping[str, Any]) -> str:
        if len(self._blocks) >= MAX_BLOCKS:
            raise bad_response(f"has more than {MAX_BLOCKS} blocks")
        made = _Block(block)
        self._blocks.append(made)
        text = block.get("text")
        return text if made.is_text and isinstance(text, str) else ""

    def _grow(self, delta: Mapping[str, Any]) -> str:
        """Add to the last block: blocks come one after the other."""
        kind = delta.get("type")
        name = DELTAS.get(kind) if isinstance(kind, str) else None
        piece = delta.get(name) if name else None
        if name is None or not isinstance(piece, str):
            return ""
        if name == "text" and not (self._blocks and self._blocks[-1].is_text):
            self._begin({"type": "text"})
        if self._blocks:
            self._blocks[-1].add(name, piece)
        return piece if name == "text" else ""

    def _take_ending(self, event: Mapping[str, Any]) -> None:
        usage, reason = event.get("usage"), STOPPED.first(event)
        if isinstance(usage, dict):
            self._usage |= {name: number for name, number in usage.items() if number is not None}
        if reason:
            self._stop_reason, self.is_complete = reason, True


class _Block:
    """Block of the content, which grows by pieces of its texts."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        self._block = block
        self._texts: dict[str, StreamedText] = {}
        for name in set(DELTAS.values()):
            if isinstance(block.get(name), str):
                self.add(name, block[name])

    @property
    def is_text(self) -> bool:
        """True for a block of the answer's text."""
        return self._block.get("type") == "text"

    def add(self, name: str, piece: str) -> None:
        """Append to a text of the block. Raises NodeFailed above the maximum."""
        self._texts.setdefault(name, StreamedText(MAX_BYTES)).add(piece)

    def joined(self) -> dict[str, Any]:
        """Return the block; the input of a call is JSON as a text where it came in pieces."""
        texts = {name: text.value for name, text in self._texts.items()}
        arguments = texts.pop(INPUT, None)
        return {**self._block, **texts, **({"input": arguments} if arguments else {})}
