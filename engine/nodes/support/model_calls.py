"""What the nodes share that ask a model of one category: prompts, sockets, and one call or many."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed, SettingsError
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage
from engine.nodes.support.fan_out import (
    NODE_MEMBERS,
    PARAMS_IN,
    check_values,
    find_current,
    find_usable,
    known_values,
    latest_model,
    longest_list,
    max_usage_of_calls,
    missing_fields,
    read_params,
    typed_values,
    value_faults,
    zip_lists,
)
from engine.nodes.support.templates import read_template
from engine.values.fields import SOCKETS, Field, FieldType
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, members_read, to_text

PROMPT, SYSTEM = "prompt", "system"

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSocket:
    """A socket for one of the model's fields: the first of these names that the model has."""

    socket: str
    type: SocketType
    fields: tuple[str, ...]

    def field(self, model: Model) -> Field | None:
        """The field that it fills, None where the model has none."""
        known = {field.name: field for field in model.fields}
        return next((known[name] for name in self.fields if name in known), None)


PROMPT_INLET = FieldSocket(socket="prompt-in", type=SocketType.TEXT, fields=(PROMPT,))
SYSTEM_INLET = FieldSocket(socket="system-in", type=SocketType.TEXT, fields=(SYSTEM,))
IMAGE_INLET = FieldSocket(
    socket="image-in", type=SocketType.IMAGE, fields=("image", "images", "startImage")
)
IMAGE_INLETS = (
    IMAGE_INLET,
    FieldSocket(socket="style-in", type=SocketType.IMAGE, fields=("style", "styles")),
    FieldSocket(socket="character-in", type=SocketType.IMAGE, fields=("character", "characters")),
    FieldSocket(socket="start-image-in", type=SocketType.IMAGE, fields=("startImage", "image")),
    FieldSocket(socket="end-image-in", type=SocketType.IMAGE, fields=("endImage",)),
)
VIDEO_INLET = FieldSocket(socket="video-in", type=SocketType.VIDEO, fields=("video", "videos"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNodeKind:
    """What distinguishes a node type that asks models."""

    category: Category
    inlets: tuple[FieldSocket, ...]
    options: tuple[str, ...]
    """Settings that are fields of the model, and wrong where it has no such field."""
    own: frozenset[str] = frozenset()
    """Settings that the node itself sees to."""
    templates: tuple[str, ...] = (PROMPT,)
    takes_params: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What is typed on a node: its model, texts with placeholders, and values of fields."""

    model: Model
    templates: Mapping[str, Template]
    values: Values

    @property
    def names(self) -> list[str]:
        """All placeholders."""
        return sorted({name for each in self.templates.values() for name in each.names})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCalls:
    """What is asked of a model, in order."""

    model: Model
    values: tuple[dict[str, Any], ...]
    is_list: bool
    """Whether a list was wired, so that a list is given, however long."""


def read_model_settings(data: Mapping[str, Any], way: ModelNodeKind, *faults: str) -> ModelSettings:
    """Read a node's `data`. Raises SettingsError with every reason, `faults` first."""
    try:
        model, typed = _read_model(data, way)
    except SettingsError as error:
        raise SettingsError(*faults, *error.reasons) from None
    direct = {key: data[key] for key in data if key not in NODE_MEMBERS | way.own}
    reasons = [*faults, *_unknown_options(model, direct, way)]
    listed = {key: typed[key] for key in typed if key not in way.own}
    values = known_values(model, direct) | known_values(model, listed)
    templates = dict(_read_templates(values, way, reasons))
    reasons += [reason for field in model.fields for reason in value_faults(field, values)]
    ask = ModelSettings(model=model, templates=templates, values=values)
    if not reasons:
        reasons += _unreachable(ask, way)
    if reasons:
        raise SettingsError(*reasons)
    return ask


def model_sockets(ask: ModelSettings, way: ModelNodeKind) -> dict[str, Socket]:
    """The input sockets of a node type, and one for each placeholder."""
    missing = _missing(ask)
    sockets = {
        field_socket.socket: Socket(
            type=field_socket.type,
            required=field_socket.fields[0] in missing,
            refusal=_refusal(field_socket, ask.model),
        )
        for field_socket in way.inlets
    }
    if way.takes_params:
        is_needed = bool(missing - {field_socket.fields[0] for field_socket in way.inlets})
        sockets[PARAMS_IN] = Socket(type=SocketType.ANY, required=is_needed)
    placeholder = Socket(type=SocketType.ANY, required=True)
    return sockets | dict.fromkeys(ask.names, placeholder)


def model_reads(ask: ModelSettings, socket: str) -> Collection[str] | None:
    """The members of an object at this socket that are asked with; None: all of it."""
    return members_read(ask.templates.values(), socket) if socket in ask.names else None


def model_needs(data: Mapping[str, Any], way: ModelNodeKind) -> dict[str, Socket]:
    """The input sockets that need a wire, as far as wrong settings tell."""
    missing = {field.name for field in missing_fields(data)}
    needed = (field_socket for field_socket in way.inlets if field_socket.fields[0] in missing)
    return {
        field_socket.socket: Socket(type=field_socket.type, required=True)
        for field_socket in needed
    }


def model_calls(
    ask: ModelSettings,
    way: ModelNodeKind,
    inputs: Mapping[str, Any],
    finish: Callable[[Model, Values], Values] = lambda _, values: values,
) -> ModelCalls:
    """The calls for these inputs; `finish` has the last word on values before they are checked.

    Raises NodeFailed.
    """
    model = find_current(ask.model)
    filled, is_list = _fill(ask, model, way, inputs)
    if not is_list:
        values = check_values(model, finish(model, filled[0]))
        return ModelCalls(model=model, values=(values,), is_list=False)
    rows = enumerate(filled, 1)
    checked = (check_values(model, finish(model, row), f"Item {n}: ") for n, row in rows)
    return ModelCalls(model=model, values=tuple(checked), is_list=True)


def max_model_usage(
    ask: ModelSettings,
    way: ModelNodeKind,
    inputs: Mapping[str, Any],
    unknown: Collection[str],
    finish: Callable[[Model, Values], Values] = lambda _, values: values,
) -> Usage:
    """The most that the calls of `ask_calls` can use, where `unknown` sockets bring others."""
    model = latest_model(ask.model)
    try:
        rows, _ = _fill(ask, model, way, inputs)
    except NodeFailed:  # as it stands it does not come to a call
        given = inputs.get(PARAMS_IN) if way.takes_params else None
        params = given if isinstance(given, dict) else {}
        values = {**known_values(model, ask.values), **known_values(model, params)}
        usage = model.max_usage(finish(model, values), is_partial=True)
        return usage * (_length(model, way, inputs) or 1)
    return max_usage_of_calls(model, [finish(model, row) for row in rows], inputs, unknown)


def longest_prompt(ask: ModelSettings, way: ModelNodeKind, inputs: Mapping[str, Any]) -> int | None:
    """For how many items `ask_calls` asks, None where no list is wired."""
    return _length(latest_model(ask.model), way, inputs)


def _fill(
    ask: ModelSettings, model: Model, way: ModelNodeKind, inputs: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """The values of each call, and whether a list was wired. Raises NodeFailed."""
    rendered = {name: each.render(inputs) for name, each in ask.templates.items()}
    params = read_params(inputs) if way.takes_params else {}
    singles, lists, sockets = _wired(model, way, inputs)
    typed = known_values(model, {**ask.values, **rendered})
    base = {**typed, **known_values(model, params), **singles}
    if not lists:
        return [base], False
    return [base | row for row in zip_lists(lists, sockets)], True


def _read_model(data: Mapping[str, Any], way: ModelNodeKind) -> tuple[Model, Values]:
    model = find_usable(data.get("model"))
    if model.category is not way.category:
        message = f"The model '{model.internal_name}' gives {model.category}, not {way.category}"
        raise SettingsError(message)
    return model, typed_values(data)


def _unknown_options(model: Model, direct: Values, way: ModelNodeKind) -> Iterator[str]:
    names = [field.name for field in model.fields]
    for name in (*way.templates, *way.options):
        if direct.get(name) not in (None, "") and name not in names:
            listed = ", ".join(f"'{each}'" for each in names) or "no settings"
            yield f"The model '{model.internal_name}' has no '{name}'; it has {listed}"


def _read_templates(
    values: dict[str, Any], way: ModelNodeKind, reasons: list[str]
) -> Iterator[tuple[str, Template]]:
    """Takes texts with placeholders, and empty ones, out of the values."""
    taken = {field_socket.socket for field_socket in way.inlets} | {PARAMS_IN}
    for name in way.templates:
        text = values.get(name)
        if text == "":
            del values[name]
        if not isinstance(text, str) or not text:
            continue
        template = read_template(name, text, reasons, taken)
        if template.names or not template.parts:
            del values[name]
        if template.names:
            yield name, template


def _missing(ask: ModelSettings) -> set[str]:
    """The fields that must be wired."""
    required = {field.name for field in ask.model.fields if field.required}
    filled = {field.name for field in ask.model.fields if field.default is not None}
    return required - filled - set(ask.values) - set(ask.templates)


def _unreachable(ask: ModelSettings, way: ModelNodeKind) -> list[str]:
    if way.takes_params:
        return []
    own = {field_socket.fields[0] for field_socket in way.inlets}
    return [f"'{name}' is required" for name in sorted(_missing(ask) - own)]


def _refusal(field_socket: FieldSocket, model: Model) -> str:
    if field_socket.field(model) is not None:
        return ""
    return f"The model '{model.internal_name}' has no '{field_socket.fields[0]}'"


def _takes_many(field: Field) -> bool:
    """Whether one call takes a whole list."""
    return field.type is FieldType.JSON


def _length(model: Model, way: ModelNodeKind, inputs: Mapping[str, Any]) -> int | None:
    fields = ((field_socket.socket, field_socket.field(model)) for field_socket in way.inlets)
    return longest_list(
        inputs.get(socket) for socket, field in fields if field and not _takes_many(field)
    )


def _wired(
    model: Model, way: ModelNodeKind, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, list[Any]], dict[str, str]]:
    """Wired values by field: those for all calls, lists of one for each, and their sockets."""
    singles: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    sockets: dict[str, str] = {}
    for field_socket in way.inlets:
        value = inputs.get(field_socket.socket)
        if value is None:
            continue
        field = field_socket.field(model)
        if field is None:
            raise NodeFailed("invalid_value", _refusal(field_socket, model))
        if field.name in sockets:
            message = (
                f"'{sockets[field.name]}' and '{field_socket.socket}' are both '{field.name}' here"
            )
            raise NodeFailed("invalid_value", message)
        sockets[field.name] = field_socket.socket
        if _takes_many(field):
            singles[field.name] = [each for each in _listed(value) if each is not None]
        elif isinstance(value, list):
            lists[field.name] = [_fitting(field, each) for each in value]
        else:
            singles[field.name] = _fitting(field, value)
    return singles, lists, sockets


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _fitting(field: Field, value: Any) -> Any:
    """A value for a text field as it reads in a template; null stays nothing."""
    is_text = SOCKETS.get(field.type) is SocketType.TEXT
    return to_text(value) if is_text and value is not None else value
