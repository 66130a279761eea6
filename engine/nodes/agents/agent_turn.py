"""Turn of an agent: one call of its model with the chat so far and the tools that it may call."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.models.calls.chat import Chat, ChatTurn, read_chat, to_plain
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.nodes.agents.chat_model import (
    ChatModelSettings,
    chat_values,
    has_schema,
    max_turn_usage,
    read_chat_model,
)
from engine.nodes.agents.parts import MESSAGES, SCHEMA, SYSTEM, TOOLS, TURN_OUT
from engine.nodes.agents.turn_files import with_documents, with_images_alone
from engine.nodes.assistant import SCHEMA_SENTENCE
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.fan_out import MODEL
from engine.nodes.support.settings import VALUES, Faults
from engine.values.json_schemas import read_answer
from engine.values.sockets import Socket, SocketType
from engine.values.templates import to_json

FIELDS: Sequence[str] = (SYSTEM, MESSAGES, TOOLS, SCHEMA)


class AgentTurn(NodeType):
    """Calls the model for one turn; the values of its fields are in `values`."""

    type = "agentTurn"
    category = "LLMs"
    label = "Turn of an agent"
    description = "Calls the model of an agent once."
    kind = WorkKind.IO
    is_inner = True
    members = (MODEL, VALUES)

    def read(self, data: Mapping[str, Any], faults: Faults) -> ChatModelSettings | None:
        return read_chat_model(data.get(MODEL.name), VALUES.read(data, faults), faults)

    def inputs(self, settings: ChatModelSettings) -> Mapping[str, Socket]:
        return {
            f"{name}-in": Socket(type=SocketType.ANY, required=name == MESSAGES) for name in FIELDS
        }

    def outputs(self, settings: ChatModelSettings) -> Mapping[str, Socket]:
        return {TURN_OUT: Socket(type=SocketType.ANY)}

    def model(self, settings: ChatModelSettings) -> str:
        return settings.model.internal_name

    def max_usage(
        self,
        settings: ChatModelSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Usage:
        try:
            chat = None if unknown else _instruct(settings.model, _read(inputs))
        except NodeFailed:  # such a turn fails before its call
            chat = None
        return max_turn_usage(settings, chat)

    async def run(
        self, settings: ChatModelSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        model, _ = chat_values(settings)
        chat = _read(inputs)
        turn = await self._ask(settings, _instruct(model, chat), context)
        if chat.schema is not None and not turn.calls:
            await _check_answer(dict(chat.schema), turn, context)
        return {TURN_OUT: to_plain(turn)}

    async def _ask(self, settings: ChatModelSettings, chat: Chat, context: Context) -> ChatTurn:
        """Call the model; documents are charged within the bound of the price."""
        model, values = chat_values(settings)
        whole = await with_documents(chat, model, context)
        if whole is chat:
            found = await context.call_model(model, values, chat=chat)
        else:
            images = with_images_alone(chat, whole)
            most = max_turn_usage(settings, images, has_documents=True)
            found = await context.call_model(model, values, chat=whole, most=most)
        return cast(ChatTurn, found)


async def _check_answer(schema: dict[str, Any], turn: ChatTurn, context: Context) -> None:
    """Check the text of the last turn by its schema. Raises NodeFailed."""
    try:
        await context.compute(read_answer, schema, turn.text)
    except NodeFailed as failure:
        if failure.code == BAD_RESPONSE:
            await context.refuse_answer()
        raise


def _read(inputs: Mapping[str, Any]) -> Chat:
    """Return the chat at the sockets. Raises NodeFailed (invalid_value)."""
    given = {name: inputs.get(f"{name}-in") for name in FIELDS}
    try:
        return read_chat({name: value for name, value in given.items() if value is not None})
    except ValueError as error:
        raise NodeFailed("invalid_value", f"The chat cannot be read: {error}") from None


def _instruct(model: Model, chat: Chat) -> Chat:
    """Return the chat with the schema of the answer as a sentence, for models that take none."""
    if chat.schema is None or has_schema(model):
        return chat
    sentence = SCHEMA_SENTENCE + to_json(chat.schema)
    system = f"{chat.system}\n\n{sentence}" if chat.system else sentence
    return replace(chat, system=system, schema=None)
