"""Assistant: calls a text model, and outputs the answer as text, list or JSON."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.models.calls.call_checks import JSON_SCHEMA
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage
from engine.nodes.support.base import NO_MEDIA, Context, NodeType, Outputs, WorkKind
from engine.nodes.support.fan_out import CALLS_AT_ONCE, call_each, missing_model, unknown_list
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.model_calls import (
    IMAGE_INLET,
    PROMPT,
    PROMPT_INLET,
    SYSTEM,
    SYSTEM_INLET,
    ModelCalls,
    ModelNodeKind,
    ModelSettings,
    Values,
    max_model_usage,
    model_calls,
    model_members,
    model_needs,
    model_reads,
    model_sockets,
    prompt_count,
    read_model_settings,
    sketch_model_sockets,
)
from engine.nodes.support.model_files import (
    FILE_IN,
    FILE_SOCKET,
    ask_with_files,
    links_at,
    without_files,
)
from engine.nodes.support.settings import Faults, Setting, choice
from engine.values.json_schemas import read_answer, read_schema
from engine.values.model_text import NotJson, list_in, read_items
from engine.values.sockets import Socket, Sockets, SocketType
from engine.values.templates import to_json

TEXT_OUT, ANALYSIS_OUT, ITEMS_OUT = "text-out", "analysis-out", "items-out"
JSON_OUT = "json-out"
EXPORT_MODE = "exportMode"
NO_SCHEMA = f"it gives the parsed answer where '{JSON_SCHEMA}' is set, and it is not"
LIST_SCHEMA = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"type": "string"}}},
    "required": ["items"],
    "additionalProperties": False,
}
LIST_SENTENCE = "Answer with a JSON array of texts, and with nothing else."
SCHEMA_SENTENCE = "Answer with JSON that fits this JSON Schema, and with nothing else: "
NODE_KIND = ModelNodeKind(
    category=Category.TEXT,
    inlets=(PROMPT_INLET, IMAGE_INLET, SYSTEM_INLET),
    options=("temperature", "maxTokens"),
    own=frozenset({EXPORT_MODE, JSON_SCHEMA}),
    templates=(PROMPT, SYSTEM),
    takes_params=False,
    sockets=frozenset({FILE_IN}),
)


MODE = choice(
    EXPORT_MODE,
    "The answer as one text, or as a list of items.",
    ("text", "list"),
    default="text",
    words="must be 'text' or 'list'",
)


def _read_schema(raw: Any, path: str, faults: Faults) -> Mapping[str, Any] | None:
    try:
        return read_schema(raw)
    except ValueError as error:
        faults.add_rule(f"{path} {error}", path)
        return None


ANSWER_SCHEMA = Setting(
    name=JSON_SCHEMA,
    about="JSON Schema of the answer, as an object or as a text.",
    widget="json",
    value={"type": ["object", "string"]},
    parse=_read_schema,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantSettings:
    """Model call, and format of the answer."""

    call: ModelSettings
    exports_list: bool
    schema: Mapping[str, Any] | None
    wired: frozenset[str] = frozenset()
    """Outputs with edges."""


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """One answer of the model in the format of the node."""

    text: str
    items: list[Any]
    value: Any = None
    """Parsed JSON, where the node has a schema."""


class Assistant(NodeType):
    """Calls the model once, or for each item of wired lists, with a list of texts as output."""

    type = "assistant"
    category = "LLMs"
    label = "Assistant"
    description = (
        "Calls a text model, with files too, and outputs the answer as a text, a list or JSON."
    )
    kind = WorkKind.IO
    is_dynamic = True
    members = model_members(NODE_KIND, MODE, ANSWER_SCHEMA)

    def read(self, data: Mapping[str, Any], faults: Faults) -> AssistantSettings | None:
        mode, schema = MODE.read(data, faults), ANSWER_SCHEMA.read(data, faults)
        call = read_model_settings(data, NODE_KIND, faults)
        if call is None:
            return None
        return AssistantSettings(call=call, exports_list=mode == "list", schema=schema)

    def unavailable_reason(self) -> str | None:
        return missing_model(NODE_KIND.category, NODE_KIND.refuses)

    def sketch(self, data: Mapping[str, Any]) -> Sockets:
        settings = self.read(data, Faults())
        if settings is not None:
            return Sockets(self.inputs(settings), self.outputs(settings))
        has_schema = bool(data.get(JSON_SCHEMA))
        inputs = {**sketch_model_sockets(data, NODE_KIND), FILE_IN: FILE_SOCKET}
        return Sockets(inputs, _outputs(has_schema=has_schema))

    def inputs(self, settings: AssistantSettings) -> Mapping[str, Socket]:
        return {**model_sockets(settings.call, NODE_KIND), FILE_IN: FILE_SOCKET}

    def reads(self, settings: AssistantSettings, socket: str) -> Collection[str] | None:
        return model_reads(settings.call, socket)

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        return model_needs(data, NODE_KIND)

    def outputs(self, settings: AssistantSettings) -> Mapping[str, Socket]:
        return _outputs(has_schema=settings.schema is not None)

    def model(self, settings: AssistantSettings) -> str:
        return settings.call.model.internal_name

    def max_usage(
        self,
        settings: AssistantSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Usage:
        rest, unknown = without_files(inputs, unknown)
        return max_model_usage(
            settings.call, NODE_KIND, rest, unknown, partial(_instruct, settings)
        )

    def estimate_outputs(
        self, settings: AssistantSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        length = prompt_count(settings.call, NODE_KIND, inputs)
        single = (TEXT_OUT, ANALYSIS_OUT, JSON_OUT)
        outputs: dict[str, Any] = dict.fromkeys(single, unknown_list(length))
        if settings.exports_list or settings.schema is not None:
            return outputs  # the number of items is not known before the call
        return {**outputs, ITEMS_OUT: unknown_list(1 if length is None else length)}

    def bind(
        self,
        settings: AssistantSettings,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> AssistantSettings:
        return replace(settings, wired=wired)

    async def run(
        self, settings: AssistantSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        calls = model_calls(settings.call, NODE_KIND, inputs, partial(_instruct, settings))
        answers = await _ask(calls, links_at(inputs), context)
        readings = await run_each(
            lambda item, answer: _read(settings, item, answer, context),
            answers,
            CALLS_AT_ONCE,
            context.is_final,
        )
        texts = [reading.text for reading in readings]
        text = texts if calls.is_list else texts[0]
        items = [item for reading in readings for item in reading.items]
        values = [reading.value for reading in readings]
        value = values if calls.is_list else values[0]
        outputs = {TEXT_OUT: text, ANALYSIS_OUT: text, ITEMS_OUT: items, JSON_OUT: value}
        return {
            name: outputs[name] for name in outputs if name == TEXT_OUT or name in settings.wired
        }


async def _ask(calls: ModelCalls, links: Sequence[str], context: Context) -> list[Any]:
    """Make the calls, each with all files."""
    if links:
        return await ask_with_files(calls, links, context)
    return await call_each(calls.model, calls.values, context)


def _outputs(*, has_schema: bool) -> dict[str, Socket]:
    text = Socket(type=SocketType.TEXT)
    items = Socket(type=SocketType.ANY) if has_schema else text
    value = Socket(type=SocketType.ANY, refusal="" if has_schema else NO_SCHEMA)
    return {TEXT_OUT: text, ANALYSIS_OUT: text, ITEMS_OUT: items, JSON_OUT: value}


def _instruct(settings: AssistantSettings, model: Model, values: Values) -> Values:
    """Add the required format of the answer to the values, as a schema or a sentence."""
    schema = settings.schema or (LIST_SCHEMA if settings.exports_list else None)
    if schema is None:
        return values
    names = {field.name for field in model.fields}
    if JSON_SCHEMA in names:
        return {**values, JSON_SCHEMA: schema}
    sentence = SCHEMA_SENTENCE + to_json(schema) if settings.schema else LIST_SENTENCE
    name = SYSTEM if SYSTEM in names else PROMPT
    before = values.get(name)
    if name == PROMPT and before is None:
        return values
    return {**values, name: f"{before}\n\n{sentence}" if before else sentence}


async def _read(
    settings: AssistantSettings, item: int, answer: str, context: Context
) -> ParsedAnswer:
    try:
        return await _parse(settings, answer, context)
    except NodeFailed as failure:
        if failure.code == BAD_RESPONSE:
            await context.refuse_answer(item)
        raise


async def _parse(settings: AssistantSettings, answer: str, context: Context) -> ParsedAnswer:
    if settings.schema is not None:
        value = await context.compute(read_answer, settings.schema, answer)
        listed = list_in(value)
        return ParsedAnswer(to_json(value), [value] if listed is None else listed, value)
    if not settings.exports_list:
        return ParsedAnswer(answer, [answer])
    items = _read_list(answer)
    return ParsedAnswer("\n".join(items), items)


def _read_list(answer: str) -> list[str]:
    try:
        items = read_items(answer)
    except NotJson:
        message = "The model's answer is JSON that breaks off"
        raise NodeFailed(BAD_RESPONSE, message, retryable=True) from None
    if not items and not answer.strip():
        raise NodeFailed(BAD_RESPONSE, "The model's answer has no items", retryable=True)
    return items
