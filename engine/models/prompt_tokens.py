"""Upper bound of the input tokens of a call, from the values in its request.

A text has at most as many tokens as bytes in UTF-8, because tokenizers start with bytes, or fall
back to them, and merge them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.errors.nodes import NodeFailed
from engine.models.calls.body_templates import texts_in
from engine.models.calls.call_sections import Call
from engine.models.calls.chat import Chat
from engine.values.fields import MEDIA, Field, FieldType

OWN_TOKENS = 1_000
"""Tokens that providers add to a call, for roles and schemas."""
OWN_TOKENS_OF_PART = 50
"""Tokens that providers add to each message and each tool of a chat."""
UNMEASURED = frozenset({FieldType.VIDEO, FieldType.AUDIO, FieldType.FILE})
"""Types of fields whose values have a number of tokens that is not known before the call."""


def max_prompt_tokens(
    call: Call, fields: Sequence[Field], values: Mapping[str, Any], per_image: int
) -> int | None:
    """Return the most input tokens of a call. Raises NodeFailed.

    None if it has videos, sounds or documents, whose length is unknown.
    """
    types = {field.name: field.type for field in fields if values.get(field.name) is not None}
    if UNMEASURED.intersection(types.values()):
        return None
    texts = {name: value for name, value in values.items() if types.get(name) not in MEDIA}
    size = sum(len(text.encode(errors="replace")) for text in call.texts(texts))
    return OWN_TOKENS + size + per_image * _count_images(call, types, values)


def max_chat_tokens(
    call: Call, values: Mapping[str, Any], chat: Chat, per_image: int
) -> int | None:
    """Return the most input tokens of one turn of a chat.

    None if it has documents, whose length is unknown, or fails before it is sent. JSON has at
    least as many bytes as the texts in it.
    """
    if any(message.documents for message in chat.messages):
        return None
    try:
        size = sum(len(text.encode(errors="replace")) for text in call.texts(values))
        written = len(msgspec.json.encode(chat))
    except (NodeFailed, UnicodeEncodeError):
        return None
    files = [each for message in chat.messages for each in message.files]
    own = OWN_TOKENS + OWN_TOKENS_OF_PART * (len(chat.messages) + len(chat.tools))
    return own + size + written - sum(map(len, files)) + per_image * len(files)


def _count_images(call: Call, types: Mapping[str, FieldType], values: Mapping[str, Any]) -> int:
    images = call.image_values(values)
    if images is None:
        images = [values[name] for name, kind in types.items() if kind is FieldType.IMAGE]
    return sum(1 for _ in texts_in(images))
