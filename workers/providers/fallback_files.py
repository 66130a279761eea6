"""Files of a call that a fallback makes: as they are where it takes them, else as text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from engine.models.calls.chat import ChatMessage
from engine.models.manifest import Model
from engine.nodes.support.model_calls import PROMPT
from engine.nodes.support.model_files import MarkedTexts, with_text
from engine.values.fields import FieldType
from workers.providers.base import ModelCall


def can_fit(fallback: Model, model: Model, values: Mapping[str, Any]) -> bool:
    """Return whether a fallback of the model takes the files of a call, or a text."""
    return not _missing(fallback, model, values) or PROMPT in {
        each.name for each in fallback.fields
    }


async def fit_files(
    fallback: Model, model: Model, values: Mapping[str, Any], model_call: ModelCall
) -> tuple[Mapping[str, Any], ModelCall]:
    """Return values and call with the text of files that the fallback lacks. Raises NodeFailed."""
    chat = model_call.chat
    if chat is not None:
        if fallback.takes_documents or not any(each.documents for each in chat.messages):
            return values, model_call
        messages = [await _with_texts(each, model_call) for each in chat.messages]
        chat = structs.replace(chat, messages=tuple(messages))
        return values, replace(model_call, chat=chat)
    links = _missing(fallback, model, values)
    if not links:
        return values, model_call
    text = await _read(links, model_call)
    prompt = with_text(fallback, str(values.get(PROMPT) or ""), text)
    return {**values, PROMPT: prompt}, model_call


async def _with_texts(message: ChatMessage, model_call: ModelCall) -> ChatMessage:
    if not message.documents:
        return message
    text = await _read(message.documents, model_call) + message.text
    return structs.replace(message, text=text, documents=())


async def _read(links: Sequence[str], model_call: ModelCall) -> str:
    marked = MarkedTexts()
    parts = [
        marked.add(number, await model_call.read_document(link))
        for number, link in enumerate(links, 1)
    ]
    return "".join(parts)


def _missing(fallback: Model, model: Model, values: Mapping[str, Any]) -> list[str]:
    """Return the files at fields that the fallback does not have."""
    own = {each.name for each in fallback.fields if each.type is FieldType.FILE}
    lost = (each.name for each in model.fields if each.type is FieldType.FILE)
    return [link for name in lost if name not in own for link in _listed(values.get(name))]


def _listed(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each
