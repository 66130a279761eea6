"""Shared parts of nodes that call a model of one category: sockets, settings and calls."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed, SettingFault, SettingsError
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage
from engine.nodes.support.fan_out import (
    MODEL,
    PARAMS_IN,
    check_values,
    direct_values,
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
from engine.nodes.support.settings import (
    VALUES,
    Faults,
    Schema,
    Setting,
    as_it_is,
    read_template,
)
from engine.values.fields import SOCKETS, Field, FieldType
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, members_read, placeholder_names, to_text

PROMPT, SYSTEM = "prompt", "system"
SPOKEN, VOICE, LANGUAGE = "text", "voice", "language"

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSocket:
    """Socket of a model's field: the first of `fields` that the model has."""

    socket: str
    type: SocketType
    fields: tuple[str, ...]

    def field(self, model: Model) -> Field | None:
        """Return the model's field of this socket, or None."""
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
TEXT_INLET = FieldSocket(socket="text-in", type=SocketType.TEXT, fields=(SPOKEN,))
AUDIO_INLET = FieldSocket(socket="audio-in", type=SocketType.AUDIO, fields=("audio",))
VIDEO_INLET = FieldSocket(socket="video-in", type=SocketType.VIDEO, fields=("video", "videos"))


def refuse_transcribers(model: Model) -> str:
    """Return the reason why a model that makes texts of sounds answers no prompts."""
    return "transcribes sounds, and answers no prompts" if model.is_transcriber else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNodeKind:
    """Properties of a node type that calls models."""

    category: Category
    inlets: tuple[FieldSocket, ...]
    options: tuple[str, ...]
    """Settings that must be fields of the model."""
    own: frozenset[str] = frozenset()
    """Settings handled by the node itself."""
    templates: tuple[str, ...] = (PROMPT,)
    takes_params: bool = True
    sockets: frozenset[str] = frozenset()
    """Names of further sockets, which no placeholder has."""
    refuses: Callable[[Model], str] = refuse_transcribers
    """Returns the reason why the nodes do not call a model of the category, empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Typed settings: model, templates, and values of fields."""

    model: Model
    templates: Mapping[str, Template]
    values: Values

    @property
    def names(self) -> list[str]:
        """Names of all placeholders, in their order."""
        return placeholder_names(self.templates.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCalls:
    """Model and values of all calls, in order."""

    model: Model
    values: tuple[dict[str, Any], ...]
    is_list: bool
    """A list was wired, so the output is a list of any length."""


def read_model_settings(
    data: Mapping[str, Any], kind: ModelNodeKind, faults: Faults
) -> ModelSettings | None:
    """Read a node's `data`, and add its faults; None without a usable model."""
    try:
        model, typed = _read_model(data, kind)
    except SettingsError as error:
        faults.extend(error)
        return None
    direct = direct_values(data, kind.own)
    faults.found += _unknown_options(model, direct, kind)
    listed = {key: typed[key] for key in typed if key not in kind.own}
    values = known_values(model, direct) | known_values(model, listed)
    templates = dict(_read_templates(values, kind, faults))
    faults.found += [each for field in model.fields for each in value_faults(field, values)]
    settings = ModelSettings(model=model, templates=templates, values=values)
    if not faults.found:
        faults.found += _unreachable(settings, kind)
    return settings


def model_members(kind: ModelNodeKind, *own: Setting) -> tuple[Setting, ...]:
    """Return the settings of a node type that calls models, without the other fields of a model."""
    return (
        MODEL,
        *(_model_member(name) for name in (*kind.templates, *kind.options)),
        *own,
        VALUES,
    )


def _model_member(name: str) -> Setting:
    """Return a setting that is checked as the model's field of its name."""
    about, widget, kinds = MODEL_MEMBERS[name]
    value: Schema = {"anyOf": [{"type": kinds}, {"const": ""}]}
    return Setting(name=name, about=about, widget=widget, value=value, parse=as_it_is)


MODEL_MEMBERS: Mapping[str, tuple[str, str, list[str]]] = {
    PROMPT: ("The prompt; each {{ placeholder }} is an input socket.", "template", ["string"]),
    SYSTEM: ("Instructions for the model, a template.", "template", ["string"]),
    SPOKEN: ("The text to say; each {{ placeholder }} is an input socket.", "template", ["string"]),
    VOICE: ("Voice of the speech, of those that the model has.", "text", ["string"]),
    LANGUAGE: ("Language of the sound as two letters, such as en.", "text", ["string"]),
    "temperature": ("Randomness of the answers.", "number", ["number"]),
    "maxTokens": ("Limit of the answer, in tokens.", "number", ["number"]),
    "aspectRatio": ("Aspect ratio of the output, such as 16:9.", "text", ["string"]),
    "resolution": ("Resolution of the output.", "text", ["string", "number"]),
    "duration": ("Duration of the output, in seconds.", "number", ["string", "number"]),
    "seed": (
        "Seed; the same one repeats the output, if the model supports it.",
        "number",
        ["number"],
    ),
}
"""Description, control and JSON types of settings that are fields of models."""


def sketch_model_sockets(data: Mapping[str, Any], kind: ModelNodeKind) -> dict[str, Socket]:
    """Return the input sockets of a node without a usable model."""
    own = {each.socket: Socket(type=each.type) for each in kind.inlets}
    params = {PARAMS_IN: Socket(type=SocketType.ANY)} if kind.takes_params else {}
    texts = (data.get(name) for name in kind.templates)
    names = placeholder_names(Template.sketch(text) for text in texts if isinstance(text, str))
    return own | params | dict.fromkeys(names, Socket(type=SocketType.ANY, required=True))


def model_sockets(settings: ModelSettings, kind: ModelNodeKind) -> dict[str, Socket]:
    """Return the input sockets of the node type and of all placeholders."""
    missing = _missing(settings)
    sockets = {
        field_socket.socket: Socket(
            type=field_socket.type,
            required=field_socket.fields[0] in missing,
            refusal=_refusal(field_socket, settings.model),
        )
        for field_socket in kind.inlets
    }
    if kind.takes_params:
        is_needed = bool(missing - {field_socket.fields[0] for field_socket in kind.inlets})
        sockets[PARAMS_IN] = Socket(type=SocketType.ANY, required=is_needed)
    placeholder = Socket(type=SocketType.ANY, required=True)
    return sockets | dict.fromkeys(settings.names, placeholder)


def model_reads(settings: ModelSettings, socket: str) -> Collection[str] | None:
    """Return the members that templates read of an object at a socket; None: all."""
    return members_read(settings.templates.values(), socket) if socket in settings.names else None


def model_needs(data: Mapping[str, Any], kind: ModelNodeKind) -> dict[str, Socket]:
    """Return the required input sockets of invalid settings, as far as they are known."""
    missing = {field.name for field in missing_fields(data)}
    needed = (field_socket for field_socket in kind.inlets if field_socket.fields[0] in missing)
    return {
        field_socket.socket: Socket(type=field_socket.type, required=True)
        for field_socket in needed
    }


def model_calls(
    settings: ModelSettings,
    kind: ModelNodeKind,
    inputs: Mapping[str, Any],
    finish: Callable[[Model, Values], Values] = lambda _, values: values,
) -> ModelCalls:
    """Return the calls for these inputs; `finish` adjusts values before they are checked.

    Raises NodeFailed.
    """
    model = find_current(settings.model)
    filled, is_list = _fill(settings, model, kind, inputs)
    if not is_list:
        values = check_values(model, finish(model, filled[0]))
        return ModelCalls(model=model, values=(values,), is_list=False)
    rows = enumerate(filled, 1)
    checked = (check_values(model, finish(model, row), f"Item {n}: ") for n, row in rows)
    return ModelCalls(model=model, values=tuple(checked), is_list=True)


def max_model_usage(
    settings: ModelSettings,
    kind: ModelNodeKind,
    inputs: Mapping[str, Any],
    unknown: Collection[str],
    finish: Callable[[Model, Values], Values] = lambda _, values: values,
) -> Usage:
    """Return the most that `model_calls` can use; values of `unknown` sockets may change."""
    model = latest_model(settings.model)
    try:
        rows, _ = _fill(settings, model, kind, inputs)
    except NodeFailed:  # these inputs would fail before a call
        bundle = inputs.get(PARAMS_IN) if kind.takes_params else None
        params = bundle if isinstance(bundle, dict) else {}
        values = {**known_values(model, settings.values), **known_values(model, params)}
        usage = model.max_usage(finish(model, values), is_partial=True)
        return usage * (_length(model, kind, inputs) or 1)
    return max_usage_of_calls(model, [finish(model, row) for row in rows], inputs, unknown)


def prompt_count(
    settings: ModelSettings, kind: ModelNodeKind, inputs: Mapping[str, Any]
) -> int | None:
    """Return the number of items of wired lists, None without a list."""
    return _length(latest_model(settings.model), kind, inputs)


def _fill(
    settings: ModelSettings, model: Model, kind: ModelNodeKind, inputs: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the values of each call, and whether a list was wired. Raises NodeFailed."""
    rendered = {name: each.render(inputs) for name, each in settings.templates.items()}
    params = read_params(inputs) if kind.takes_params else {}
    singles, lists, sockets = _wired(model, kind, inputs)
    typed = known_values(model, {**settings.values, **rendered})
    base = {**typed, **known_values(model, params), **singles}
    if not lists:
        return [base], False
    return [base | row for row in zip_lists(lists, sockets)], True


def _read_model(data: Mapping[str, Any], kind: ModelNodeKind) -> tuple[Model, Values]:
    model = find_usable(data.get("model"))
    if model.category is not kind.category:
        message = f"The model '{model.internal_name}' gives {model.category}, not {kind.category}"
        raise SettingsError(SettingFault(message, MODEL.name, is_beyond_schema=True))
    if refusal := kind.refuses(model):
        message = f"The model '{model.internal_name}' {refusal}"
        raise SettingsError(SettingFault(message, MODEL.name, is_beyond_schema=True))
    return model, typed_values(data)


def _unknown_options(model: Model, direct: Values, kind: ModelNodeKind) -> Iterator[SettingFault]:
    names = [field.name for field in model.fields]
    for name in (*kind.templates, *kind.options):
        if direct.get(name) not in (None, "") and name not in names:
            listed = ", ".join(f"'{each}'" for each in names) or "no settings"
            reason = f"The model '{model.internal_name}' has no '{name}'; it has {listed}"
            yield SettingFault(reason, name, is_beyond_schema=True)


def _read_templates(
    values: dict[str, Any], kind: ModelNodeKind, faults: Faults
) -> Iterator[tuple[str, Template]]:
    """Yield the templates, and remove them and empty texts from the values."""
    taken = {field_socket.socket for field_socket in kind.inlets} | {PARAMS_IN} | kind.sockets
    for name in kind.templates:
        text = values.get(name)
        if text == "":
            del values[name]
        if not isinstance(text, str) or not text:
            continue
        template = read_template(name, text, faults, taken)
        if template.names or not template.parts:
            del values[name]
        if template.names:
            yield name, template


def _missing(settings: ModelSettings) -> set[str]:
    """Return the required fields without a value, which need an edge."""
    required = {field.name for field in settings.model.fields if field.required}
    filled = {field.name for field in settings.model.fields if field.default is not None}
    return required - filled - set(settings.values) - set(settings.templates)


def _unreachable(settings: ModelSettings, kind: ModelNodeKind) -> list[SettingFault]:
    if kind.takes_params:
        return []
    own = {field_socket.fields[0] for field_socket in kind.inlets}
    return [
        SettingFault(f"'{name}' is required", name, is_beyond_schema=True)
        for name in sorted(_missing(settings) - own)
    ]


def _refusal(field_socket: FieldSocket, model: Model) -> str:
    if field_socket.field(model) is not None:
        return ""
    return f"The model '{model.internal_name}' has no '{field_socket.fields[0]}'"


def _takes_many(field: Field) -> bool:
    """Return True if one call takes a whole list."""
    return field.type is FieldType.JSON


def _length(model: Model, kind: ModelNodeKind, inputs: Mapping[str, Any]) -> int | None:
    fields = ((field_socket.socket, field_socket.field(model)) for field_socket in kind.inlets)
    return longest_list(
        inputs.get(socket) for socket, field in fields if field and not _takes_many(field)
    )


def _wired(
    model: Model, kind: ModelNodeKind, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, list[Any]], dict[str, str]]:
    """Return by field the values for all calls, the lists of values per call, and their sockets."""
    singles: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    sockets: dict[str, str] = {}
    for field_socket in kind.inlets:
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
    """Return a value as text for a text field; null stays null."""
    is_text = SOCKETS.get(field.type) is SocketType.TEXT
    return to_text(value) if is_text and value is not None else value
