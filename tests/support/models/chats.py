"""Chats with tools that tests continue, and the models that continue them."""

from typing import Any

from engine.models.calls.chat import (
    Chat,
    ChatMessage,
    ChatRole,
    ChatTurn,
    ToolCall,
    ToolSpec,
    read_turn,
)
from engine.models.manifest import Model
from workers.providers.base import ModelCall, ignore_update
from workers.providers.model_caller import ModelCaller

ORDER = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
TOOLS = (
    ToolSpec(name="find-order", description="Finds an order by its number", parameters=ORDER),
    ToolSpec(name="refund", description="Refunds an order", parameters=ORDER),
)
QUESTION = ChatMessage(role=ChatRole.USER, text="Where is order A-7?")
ASKED = Chat(system="Be kind.", messages=(QUESTION,), tools=TOOLS)
FOUND = ToolCall(id="c1", name="find-order", arguments={"number": "A-7"})


def answered(*calls: ToolCall, text: str = "", model: str = "", extra: Any = ()) -> Chat:
    """Return the chat after a turn with these calls, each of which has a result."""
    turn = ChatTurn(text=text, calls=calls, model=model, extra=extra)
    results = [
        ChatMessage(role=ChatRole.TOOL, text=f"result of {call.id}", call_id=call.id)
        for call in calls
    ]
    return Chat(system="Be kind.", messages=(QUESTION, turn.message(), *results), tools=TOOLS)


async def continue_chat(
    models: ModelCaller, model: Model, chat: Chat, publish: Any = ignore_update, **values: Any
) -> ChatTurn:
    """Return the next turn."""
    answer = await models.call(model, values, ModelCall(chat=chat, publish_text=publish))
    return read_turn(answer.value)
