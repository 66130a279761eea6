"""Calls of tools in answers of models: read with care, since models and providers err."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.models.calls.chat import NO_EXTRA, Chat, ToolCall
from engine.values.plain import fault, kind_of

MAX_CALLS = 64
"""Calls of one turn; an agent makes at most 50 steps."""
MAX_NAME = 64
OUTER_LEVELS = 12
"""Levels of lists and objects around arguments, in the inputs of the next turn."""
UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
UNNAMED = "unnamed"
NO_NAME = "The call names no tool. Call one of the tools by its name."
NOT_JSON = "The arguments are not JSON. Call the tool again with one JSON object."
CUT = (
    "The arguments broke off at the limit of tokens of an answer. Call the tool with shorter ones."
)
UNREADABLE = "The arguments cannot be read: they are JSON that {reason}."


class RawCall(Struct, frozen=True, kw_only=True):
    """Call of a tool as the provider sent it."""

    id: Any
    name: Any
    arguments: Any
    """JSON as a text, or a value; null and an empty text are an empty object."""
    extra: Mapping[str, Any] = NO_EXTRA


def read_calls(
    raw: Sequence[RawCall], chat: Chat, redact: Callable[[str], str], *, is_cut: bool
) -> tuple[ToolCall, ...]:
    """Return the calls, with ids that are new in the chat. Raises NodeFailed.

    A call that the provider repeats with the same id counts once. `is_cut`: the answer ended at
    its limit of tokens.
    """
    if len(raw) > MAX_CALLS:
        message = f"The provider's answer calls tools more than {MAX_CALLS} times at once"
        raise NodeFailed(BAD_RESPONSE, message, retryable=True)
    ids = _Ids(chat)
    return tuple(_read(each, ids, redact, is_cut) for each in _without_repeats(raw))


def _without_repeats(raw: Sequence[RawCall]) -> Iterator[RawCall]:
    seen: list[RawCall] = []
    for each in raw:
        has_id = isinstance(each.id, str) and bool(each.id)
        if not has_id or each not in seen:
            seen.append(each)
            yield each


class _Ids:
    """Ids of the calls of a chat."""

    def __init__(self, chat: Chat) -> None:
        self._taken = {call.id for message in chat.messages for call in message.calls}

    def make(self, raw: Any) -> str:
        """Return the provider's id, or a new one where that is missing or taken."""
        made = raw if isinstance(raw, str) else ""
        number = len(self._taken)
        while not made or made in self._taken:
            number += 1
            made = f"call_{number}"
        self._taken.add(made)
        return made


def _read(raw: RawCall, ids: _Ids, redact: Callable[[str], str], is_cut: bool) -> ToolCall:
    name = UNFIT.sub("_", redact(raw.name))[:MAX_NAME] if isinstance(raw.name, str) else ""
    arguments, reason = _read_arguments(raw.arguments, redact, is_cut)
    return ToolCall(
        id=ids.make(raw.id),
        name=name or UNNAMED,
        arguments=arguments,
        fault=reason if name else NO_NAME,
        extra=raw.extra,
    )


def _read_arguments(
    raw: Any, redact: Callable[[str], str], is_cut: bool
) -> tuple[Mapping[str, Any], str]:
    """Return the arguments, and their fault or an empty text."""
    if raw is None:
        return {}, ""
    text = redact(raw if isinstance(raw, str) else msgspec.json.encode(raw).decode())
    if not text.strip():
        return {}, ""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}, CUT if is_cut else NOT_JSON
    if value is None:
        return {}, ""
    if not isinstance(value, dict):
        return {}, f"The arguments are {kind_of(value)}, not an object. Call the tool again."
    reason = fault(_wrap(value))
    return ({}, UNREADABLE.format(reason=reason)) if reason else (value, "")


def _wrap(value: Any) -> Any:
    """Return the value as deep as it stands in the inputs of the next turn."""
    for _ in range(OUTER_LEVELS):
        value = [value]
    return value
