"""Model of an agent: settings of its calls beside the chat, and the check that it takes tools."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import InvalidInputs
from engine.errors.nodes import NodeFailed, SettingFault, SettingsError
from engine.models.calls.call_checks import check_call
from engine.models.calls.chat import NO_TOOLS, Chat
from engine.models.dialects.anthropic import AnthropicSection
from engine.models.dialects.openai import OpenAISection
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage
from engine.nodes.agents.turn_files import may_have_documents
from engine.nodes.support.fan_out import (
    MODEL,
    find_current,
    find_usable,
    known_values,
    latest_model,
    value_faults,
)
from engine.nodes.support.settings import Faults
from engine.values.fields import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModelSettings:
    """Model, and values of its fields that a chat does not give."""

    model: Model
    values: Mapping[str, Any]


def read_chat_model(
    name: object, values: Mapping[str, Any], faults: Faults
) -> ChatModelSettings | None:
    """Read the model and its values, and add their faults; None without a usable model."""
    try:
        model = find_usable(name)
    except SettingsError as error:
        faults.extend(error)
        return None
    if model.category is not Category.TEXT or not model.takes_tools:
        reason = f"The model '{model.internal_name}' takes no tools"
        faults.found.append(SettingFault(reason, MODEL.name, is_beyond_schema=True))
        return None
    fields = own_fields(model)
    given = {field.name: values[field.name] for field in fields if field.name in values}
    known = known_values(model, given)
    for field in fields:
        faults.found += value_faults(field, known)
        if field.required and field.default is None and field.name not in known:
            reason = f"'{field.name}' is required"
            faults.found.append(SettingFault(reason, field.name, is_beyond_schema=True))
    return ChatModelSettings(model=model, values=known)


def own_fields(model: Model) -> list[Field]:
    """Return the fields of a model that a chat does not give: temperature, limits and others."""
    call = model.call
    if not isinstance(call, OpenAISection | AnthropicSection):
        return list(model.fields)
    parts = (call.prompt, call.system, call.images, call.files, call.schema)
    from_chat = frozenset[str]().union(*(part.names for part in parts))
    return [field for field in model.fields if field.name not in from_chat - call.body.names]


def has_schema(model: Model) -> bool:
    """Return whether the provider takes the JSON Schema of an answer."""
    call = model.call
    return isinstance(call, OpenAISection | AnthropicSection) and bool(call.schema.names)


def chat_values(settings: ChatModelSettings) -> tuple[Model, dict[str, Any]]:
    """Return the present version of the model, and the checked values of a call.

    Raises NodeFailed.
    """
    model = find_current(settings.model)
    if not model.takes_tools:
        raise NodeFailed(NO_TOOLS, f"The model '{model.internal_name}' takes no tools")
    fields = own_fields(model)
    try:
        return model, check_call(fields, known_values(model, settings.values), allow_http=True)
    except InvalidInputs as error:
        reason = f"'{error.context['field']}' {error.context['reason']}"
        raise NodeFailed("invalid_value", reason) from None


def max_turn_usage(
    settings: ChatModelSettings, chat: Chat | None = None, *, has_documents: bool = False
) -> Usage:
    """Return the most that one turn can use, before it reads the chat's files.

    Without a chat, and with documents or files that may be some, the bound of the model's price
    counts.
    """
    model = latest_model(settings.model)
    usage = model.max_chat_usage(settings.values, chat)
    if chat is None or not (has_documents or may_have_documents(chat)):
        return usage
    unknown = model.max_chat_usage(settings.values, None)
    return replace(usage, input_tokens=max(usage.input_tokens, unknown.input_tokens))
