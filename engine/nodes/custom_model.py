"""Custom Model: any model of the registry, as a node."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInputs
from engine.fields import SOCKETS, Field, check_inputs
from engine.models.manifest import PARAMS, Model
from engine.models.pricing import Usage
from engine.models.registry import find_model
from engine.nodes.base import Context, Kind, NodeFailed, NodeType, Outputs, SettingsError
from engine.sockets import Socket, SocketType
from engine.values import kind_of

PARAMS_IN = f"{PARAMS}-in"
RESERVED = frozenset({"model", "values", "retry", "timeoutSeconds", "onError", "cache"})
"""Members of `data` that are never the value of a field."""
CALLS_AT_ONCE = 8
MAX_ITEMS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomModelSettings:
    """The model, and the values typed on the node by field name."""

    model: Model
    values: Mapping[str, Any]


class CustomModel(NodeType):
    """Calls a model with the values typed on the node and those wired to it.

    A value is typed in `data` under its field's name, or in `data.values`, which counts more and
    which fields with a reserved name need. What is wired overrides what is typed: `params-in`,
    then the field's own socket; null counts as nothing. A list at a field's socket gives a call
    per item, and a list.
    """

    type = "customModel"
    category = "Custom"
    kind = Kind.IO

    def parse(self, data: Mapping[str, Any]) -> CustomModelSettings:
        model = _find(data.get("model"))
        typed = {} if data.get("values") is None else data["values"]
        if not isinstance(typed, dict):
            raise SettingsError("values must be an object with a value per field")
        direct = {key: value for key, value in data.items() if key not in RESERVED}
        values = _known(model, direct) | _known(model, typed)
        reasons = [reason for field in model.fields for reason in _faults(field, values)]
        if reasons:
            raise SettingsError(*reasons)
        return CustomModelSettings(model=model, values=values)

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
        return {_output(settings.model): Socket(type=settings.model.category.socket)}

    def model(self, settings: CustomModelSettings) -> str:
        return settings.model.internal_name

    def most(self, settings: CustomModelSettings, inputs: Mapping[str, Any]) -> Usage:
        model = find_model(settings.model.internal_name) or settings.model
        lists = _lists(model, inputs)
        count = max(map(len, lists.values())) if lists else 1
        return model.most(_merge(model, settings, inputs)) * count

    async def run(
        self, settings: CustomModelSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        model = _current(settings)
        params = inputs.get(PARAMS_IN)
        if params is not None and not isinstance(params, dict):
            message = f"'{PARAMS_IN}' takes an object with values by field, not {kind_of(params)}"
            raise NodeFailed("invalid_value", message)
        values = _merge(model, settings, inputs)
        lists = _lists(model, inputs)
        if not lists:
            given = await context.call_model(model, _check(model, values))
            return {_output(model): given}
        items = [
            _check(model, values | item, where=f"Item {number}: ")
            for number, item in enumerate(_zip(lists), 1)
        ]
        return {_output(model): await _call_each(model, items, context)}


def _find(name: object) -> Model:
    if not isinstance(name, str) or not name:
        raise SettingsError("model must be the internal name of a model")
    model = find_model(name)
    if model is None:
        raise SettingsError(f"There is no model '{name[:64]}' here")
    if not model.enabled:
        raise SettingsError(f"The model '{name}' is disabled")
    return model


def _current(settings: CustomModelSettings) -> Model:
    """The model as the registry has it now, not as it was when the workflow was compiled."""
    name, category = settings.model.internal_name, settings.model.category
    model = find_model(name)
    if model is None or not model.enabled or model.category is not category:
        raise NodeFailed("model_gone", f"The model '{name}' is not to be had any more")
    return model


def _known(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    given = ((field.name, values.get(field.name)) for field in model.fields)
    return {name: value for name, value in given if value is not None}


def _faults(field: Field, values: Mapping[str, Any]) -> Sequence[str]:
    if field.name not in values:
        return ()
    try:
        check_inputs([field], values, strict=False, allow_http=True)
    except InvalidInputs as error:
        return (_sentence(error),)
    return ()


def _sentence(error: InvalidInputs) -> str:
    return f"'{error.context['field']}' {error.context['reason']}"


def _is_missing(field: Field, settings: CustomModelSettings) -> bool:
    return field.required and field.default is None and field.name not in settings.values


def _socket(field: Field) -> str:
    return f"{field.name}-in"


def _output(model: Model) -> str:
    return f"{model.category}-out"


def _wired(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    own = ((f.name, inputs.get(_socket(f))) for f in model.fields if f.type in SOCKETS)
    return {name: value for name, value in own if value is not None}


def _lists(model: Model, inputs: Mapping[str, Any]) -> dict[str, list[Any]]:
    wired = _wired(model, inputs)
    return {name: value for name, value in wired.items() if isinstance(value, list)}


def _merge(
    model: Model, settings: CustomModelSettings, inputs: Mapping[str, Any]
) -> dict[str, Any]:
    """The values that hold for every call."""
    params = inputs.get(PARAMS_IN)
    bundle = _known(model, params) if isinstance(params, dict) else {}
    wired = _wired(model, inputs)
    single = {name: value for name, value in wired.items() if not isinstance(value, list)}
    return {**_known(model, settings.values), **bundle, **single}


def _zip(lists: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The values of each item. Raises NodeFailed."""
    lengths = {name: len(items) for name, items in lists.items()}
    count = max(lengths.values())
    if min(lengths.values()) < count:
        found = ", ".join(f"{length} at '{name}-in'" for name, length in lengths.items())
        message = f"Wired lists must be equally long, but there are {found}"
        raise NodeFailed("invalid_value", message)
    if count > MAX_ITEMS:
        message = f"A wired list has at most {MAX_ITEMS} items, not {count}"
        raise NodeFailed("invalid_value", message)
    rows = (zip(lists, row, strict=True) for row in zip(*lists.values(), strict=True))
    return [{name: value for name, value in row if value is not None} for row in rows]


def _check(model: Model, values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    try:
        return check_inputs(model.fields, values, strict=False, allow_http=True)
    except InvalidInputs as error:
        raise NodeFailed("invalid_value", where + _sentence(error)) from None


async def _call_each(
    model: Model, items: Sequence[Mapping[str, Any]], context: Context
) -> list[Any]:
    """One call per item, in order; the first that fails stops the others."""
    given: list[Any] = [None] * len(items)
    left = iter(enumerate(items))

    async def call_next() -> None:
        for position, values in left:
            given[position] = await context.call_model(model, values, position)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CALLS_AT_ONCE, len(items))):
                group.create_task(call_next())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return given
