"""Chats with tools: messages, tools that a model may call, and the turn that it answers with.

A chat and a turn are plain values too (`to_plain`, `read_chat`, `read_turn`), so that they pass
through inputs, outputs and records of executions.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

NO_TOOLS = "model_takes_no_tools"
"""Code of a node whose model has no chats with tools."""
NO_EXTRA: Mapping[str, Any] = {}


class ChatRole(StrEnum):
    """Author of a message."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """The message is the result of a call."""


class ToolSpec(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Tool that a model may call."""

    name: str
    """1 to 64 characters out of letters, digits, `_` and `-`."""
    description: str = ""
    parameters: Mapping[str, Any] = {}
    """JSON Schema of the arguments, an object."""


class ToolCall(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Call of a tool that a model asks for."""

    id: str
    """Unique in its chat, even where the provider repeats ids."""
    name: str
    """As the model wrote it: perhaps of no tool."""
    arguments: Mapping[str, Any] = {}
    fault: str = ""
    """A sentence for the model: its arguments are no JSON object, and the tool is not called."""
    extra: Mapping[str, Any] = NO_EXTRA
    """Members that the provider wants back with the call, such as a signature of its thoughts."""


class ChatMessage(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Message of a chat."""

    role: ChatRole
    text: str = ""
    files: tuple[str, ...] = ()
    """URLs of images and documents of a user; of images alone once a model is called."""
    documents: tuple[str, ...] = ()
    """URLs of PDFs that go to the model as they are; set for the call alone."""
    calls: tuple[ToolCall, ...] = ()
    """Calls of an assistant; each is answered by a message of the role `tool`."""
    call_id: str = ""
    """Call that a result answers."""
    is_error: bool = False
    """The call that a result answers has failed."""
    model: str = ""
    """Internal name of the model that wrote it; `extra` goes back to that model alone."""
    extra: tuple[Mapping[str, Any], ...] = ()
    """Parts that the provider wants back before the text, such as signed thoughts."""


class Chat(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Chat that a model continues by one turn."""

    messages: tuple[ChatMessage, ...]
    system: str = ""
    tools: tuple[ToolSpec, ...] = ()
    schema: Mapping[str, Any] | None = None
    """JSON Schema of a turn without calls."""


class ChatTurn(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Turn of a model: its text, and the tools that it asks to call."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    """None: the turn is the answer."""
    model: str = ""
    extra: tuple[Mapping[str, Any], ...] = ()

    def message(self) -> ChatMessage:
        """Return the turn as a message of the chat that it continues."""
        return ChatMessage(
            role=ChatRole.ASSISTANT,
            text=self.text,
            calls=self.calls,
            model=self.model,
            extra=self.extra,
        )


def written_texts(chat: Chat) -> list[str]:
    """Return the texts of a chat, without those of its tools."""
    return [chat.system, *(message.text for message in chat.messages)]


def to_plain(value: Chat | ChatTurn | Sequence[ChatMessage] | Sequence[ToolSpec]) -> Any:
    """Return the value as JSON has it, with lists alone, which pass an edge."""
    return msgspec.json.decode(msgspec.json.encode(value))


def read_chat(plain: object) -> Chat:
    """Return a chat of its plain form. Raises ValueError."""
    return msgspec.convert(plain, Chat)


def read_turn(plain: object) -> ChatTurn:
    """Return a turn of its plain form. Raises ValueError."""
    return msgspec.convert(plain, ChatTurn)
