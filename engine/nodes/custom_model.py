"""Custom Model: calls any model of the registry."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed, SettingsError
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.fan_out import (
    MODEL,
    PARAMS_IN,
    call_each,
    check_values,
    direct_values,
    find_current,
    find_usable,
    known_values,
    latest_model,
    longest_list,
    max_usage_of_calls,
    missing_fields,
    missing_model,
    read_params,
    typed_values,
    unknown_list,
    value_faults,
    zip_lists,
)
from engine.nodes.support.settings import VALUES, Faults
from engine.nodes.support.transcripts import TRANSCRIPT_SOCKETS, outputs_of, outputs_of_all
from engine.values.fields import SOCKETS, Field, FieldType
from engine.values.sockets import Socket, Sockets, SocketType


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomModelSettings:
    """Model, and values typed on the node, by field name."""

    model: Model
    values: Mapping[str, Any]


class CustomModel(NodeType):
    """Calls a model with typed and wired values.

    A value is typed in `data` under its field's name, or in `data.values`, which takes precedence
    and is required for fields with a reserved name. Wired values override typed ones: `params-in`,
    then the field's own socket. Null counts as absent, and so does a blank text in a required
    field. A list at a field's socket makes a call for each item and a list of outputs; a list of
    files goes with one call.
    """

    type = "customModel"
    category = "Custom"
    label = "Custom Model"
    description = "Calls any model of the registry with the values of its fields."
    kind = WorkKind.IO
    is_dynamic = True
    members = (MODEL, VALUES)

    def read(self, data: Mapping[str, Any], faults: Faults) -> CustomModelSettings | None:
        try:
            model, typed = find_usable(data.get("model")), typed_values(data)
        except SettingsError as error:
            faults.extend(error)
            return None
        values = known_values(model, direct_values(data)) | known_values(model, typed)
        faults.found += [each for field in model.fields for each in value_faults(field, values)]
        return CustomModelSettings(model=model, values=values)

    def unavailable_reason(self) -> str | None:
        return missing_model()

    def sketch(self, data: Mapping[str, Any]) -> Sockets:
        settings = self.read({**data, "values": None}, Faults()) or self.read(data, Faults())
        if settings is None:
            return Sockets({PARAMS_IN: Socket(type=SocketType.ANY)}, {})
        return Sockets(self.inputs(settings), self.outputs(settings))

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        return {
            _socket(field): Socket(type=SOCKETS[field.type], required=True)
            for field in missing_fields(data)
            if field.type in SOCKETS
        }

    def inputs(self, settings: CustomModelSettings) -> Mapping[str, Socket]:
        missing = {field.name for field in settings.model.fields if _is_missing(field, settings)}
        own = {
            _socket(field): Socket(type=SOCKETS[field.type], required=field.name in missing)
            for field in settings.model.fields
            if field.type in SOCKETS
        }
        rest = {field.name for field in settings.model.fields if field.type not in SOCKETS}
        return own | {PARAMS_IN: Socket(type=SocketType.ANY, required=bool(rest & missing))}

    def outputs(self, settings: CustomModelSettings) -> Mapping[str, Socket]:
        if settings.model.is_transcriber:
            return TRANSCRIPT_SOCKETS
        return {_output(settings.model): Socket(type=settings.model.category.socket)}

    def model(self, settings: CustomModelSettings) -> str:
        return settings.model.internal_name

    def max_usage(
        self,
        settings: CustomModelSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Usage:
        model = latest_model(settings.model)
        values, lists = _merge(model, settings, inputs), _lists(model, inputs)
        try:
            rows = _rows(model, lists) if lists else [{}]
        except NodeFailed:  # these inputs would fail before a call
            return model.max_usage(values, is_partial=True) * max(map(len, lists.values()))
        return max_usage_of_calls(model, [values | row for row in rows], inputs, unknown)

    def estimate_outputs(
        self,
        settings: CustomModelSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Outputs:
        model = latest_model(settings.model)
        length = longest_list(_lists(model, inputs).values())
        if length is None and model.category is Category.IMAGE:
            images = model.max_usage(_merge(model, settings, inputs), is_partial=True).images
            length = images if images > 1 else None  # one call returns all images
        names = TRANSCRIPT_SOCKETS if model.is_transcriber else [_output(model)]
        return dict.fromkeys(names, unknown_list(length))

    async def run(
        self, settings: CustomModelSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        model = find_current(settings.model)
        read_params(inputs)
        values = _merge(model, settings, inputs)
        lists = _lists(model, inputs)
        if not lists:
            answer = await context.call_model(model, check_values(model, values))
            return outputs_of(answer) if model.is_transcriber else {_output(model): answer}
        calls = [
            check_values(model, values | item, f"Item {number}: ")
            for number, item in enumerate(_rows(model, lists), 1)
        ]
        answers = await call_each(model, calls, context)
        return outputs_of_all(answers) if model.is_transcriber else {_output(model): answers}


def _is_missing(field: Field, settings: CustomModelSettings) -> bool:
    return field.required and field.default is None and field.name not in settings.values


def _socket(field: Field) -> str:
    return f"{field.name}-in"


def _output(model: Model) -> str:
    return f"{model.category}-out"


def _wired(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    own = {f.name: inputs.get(_socket(f)) for f in model.fields if f.type in SOCKETS}
    for name in _file_fields(model):
        value = own[name]
        if isinstance(value, list):
            own[name] = [each for each in value if each is not None]
    return known_values(model, own)


def _lists(model: Model, inputs: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the wired lists by field, but for those of files, which one call takes."""
    wired, files = _wired(model, inputs), _file_fields(model)
    return {
        name: value
        for name, value in wired.items()
        if isinstance(value, list) and not (name in files and _is_flat(value))
    }


def _file_fields(model: Model) -> frozenset[str]:
    return frozenset(each.name for each in model.fields if each.type is FieldType.FILE)


def _is_flat(value: list[Any]) -> bool:
    return not any(isinstance(each, list) for each in value)


def _rows(model: Model, lists: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return zip_lists(lists, {field.name: _socket(field) for field in model.fields})


def _merge(
    model: Model, settings: CustomModelSettings, inputs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values common to all calls."""
    params = inputs.get(PARAMS_IN)
    bundle = known_values(model, params) if isinstance(params, dict) else {}
    lists = _lists(model, inputs)
    single = {name: each for name, each in _wired(model, inputs).items() if name not in lists}
    return {**known_values(model, settings.values), **bundle, **single}
