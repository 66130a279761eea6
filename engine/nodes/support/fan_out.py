"""Model calls for each item of lists, and the checks before them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from engine.errors import InvalidInputs
from engine.errors.nodes import NodeFailed, SettingFault, SettingsError
from engine.models.calls.call_checks import check_call, is_blank
from engine.models.manifest import PARAMS, Category, Model
from engine.models.pricing import Usage
from engine.models.registry import all_models, find_model
from engine.nodes.support.base import Context
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.policy import FALLBACK, uses_fallback
from engine.nodes.support.settings import VALUES, Faults, Setting, as_it_is
from engine.values.fields import Field
from engine.values.plain import kind_of

PARAMS_IN = f"{PARAMS}-in"
CALLS_AT_ONCE = 16
MAX_ITEMS = 10_000
NODE_MEMBERS = frozenset({"model", "values", "retry", "timeoutSeconds", "onError", "cache"})
"""Members of `data` common to all node types, which name no field of a model."""

MODEL = Setting(
    name="model",
    about="Internal name of the model.",
    widget="model",
    value={"type": "string", "minLength": 1},
    parse=as_it_is,
    is_required=True,
    missing="must be the internal name of a model",
)

Values = Mapping[str, Any]


def refuse_none(model: Model) -> str:
    """Return no reason against a model."""
    return ""


def direct_values(data: Values, own: Collection[str] = ()) -> Values:
    """Return the members of `data` that may be values of a model's fields, but for `own` ones."""
    taken = NODE_MEMBERS.union(own, [FALLBACK.name] if uses_fallback(data) else ())
    return {key: value for key, value in data.items() if key not in taken}


def find_usable(name: object) -> Model:
    """Return the model named by a node. Raises SettingsError."""
    if not isinstance(name, str) or not name:
        raise SettingsError(SettingFault(f"{MODEL.name} {MODEL.missing}", MODEL.name))
    model = find_model(name)
    if model is None:
        raise _unusable(f"There is no model '{name[:64]}' here")
    if not model.enabled:
        raise _unusable(f"The model '{name}' is disabled")
    return model


def _unusable(reason: str) -> SettingsError:
    return SettingsError(SettingFault(reason, MODEL.name, is_beyond_schema=True))


def missing_model(
    category: Category | None = None, refuses: Callable[[Model], str] = refuse_none
) -> str | None:
    """Return the reason why no model of the category, or of any, is usable; None: one is."""
    models = (each for each in all_models() if each.enabled and not refuses(each))
    if any(category in (None, each.category) for each in models):
        return None
    return "There is no model here" if category is None else f"No model here gives {category}"


def typed_values(data: Mapping[str, Any]) -> Values:
    """Return the object `values` of a node, or an empty one. Raises SettingsError."""
    faults = Faults()
    typed: Values = VALUES.read(data, faults)
    faults.finish()
    return typed


def missing_fields(data: Mapping[str, Any]) -> Sequence[Field]:
    """Return the required fields without a typed value, even if other settings are invalid."""
    try:
        model = find_usable(data.get("model"))
    except SettingsError:
        return ()
    listed = data.get("values")
    present = known_values(model, {**data, **(listed if isinstance(listed, dict) else {})})
    required = (field for field in model.fields if field.required and field.default is None)
    return [field for field in required if field.name not in present]


def find_current(saved: Model) -> Model:
    """Return the current version of a model, which may differ from the compiled one.

    Raises NodeFailed if it cannot be called any more.
    """
    model = find_model(saved.internal_name)
    if model is None or not model.enabled or not model.answers_like(saved):
        message = f"The model '{saved.internal_name}' is no longer available"
        raise NodeFailed("model_gone", message)
    return model


def latest_model(saved: Model) -> Model:
    """Return the current version of a model, or the compiled one if it is gone."""
    return find_model(saved.internal_name) or saved


def known_values(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the model's fields without nulls and blank required texts."""
    values_by_field = ((field, values.get(field.name)) for field in model.fields)
    present = ((field, value) for field, value in values_by_field if value is not None)
    return {field.name: value for field, value in present if not is_blank(field, value)}


def value_faults(field: Field, values: Mapping[str, Any]) -> Sequence[SettingFault]:
    """Return the faults of a field's value, if present."""
    if field.name not in values:
        return ()
    try:
        check_call([field], values, allow_http=True)
    except InvalidInputs as error:
        return (SettingFault(_sentence(error), field.name, is_beyond_schema=True),)
    return ()


def check_values(model: Model, values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return the checked values of one call, with defaults. Raises NodeFailed."""
    try:
        return check_call(model.fields, values, allow_http=True)
    except InvalidInputs as error:
        raise NodeFailed("invalid_value", where + _sentence(error)) from None


def read_params(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object at `params-in`, or an empty one. Raises NodeFailed."""
    params = inputs.get(PARAMS_IN)
    if params is not None and not isinstance(params, dict):
        message = f"'{PARAMS_IN}' takes an object with values by field, not {kind_of(params)}"
        raise NodeFailed("invalid_value", message)
    return params or {}


def check_lengths(lists: Mapping[str, Sequence[Any]], sockets: Mapping[str, str]) -> None:
    """Check that lists are equally long and not too long. Raises NodeFailed."""
    lengths = {name: len(items) for name, items in lists.items()}
    count = max(lengths.values())
    if min(lengths.values()) < count:
        found = ", ".join(f"{length} at '{sockets[name]}'" for name, length in lengths.items())
        message = f"Wired lists must be equally long, but there are {found}"
        raise NodeFailed("invalid_value", message)
    if count > MAX_ITEMS:
        message = f"A wired list has at most {MAX_ITEMS} items, not {count}"
        raise NodeFailed("invalid_value", message)


def zip_lists(
    lists: Mapping[str, Sequence[Any]], sockets: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the values of each item by field, without nulls. Raises NodeFailed.

    `sockets` maps fields to the sockets of their lists.
    """
    check_lengths(lists, sockets)
    rows = (zip(lists, row, strict=True) for row in zip(*lists.values(), strict=True))
    return [{name: value for name, value in row if value is not None} for row in rows]


def max_usage_of_calls(
    model: Model, calls: Sequence[Values], inputs: Mapping[str, Any], unknown: Collection[str]
) -> Usage:
    """Return the most that calls with these values can use.

    Calls differ in their input tokens only. Non-null items of `unknown` lists are known.
    """
    if not calls:
        return Usage()
    if model.input_price is None:
        return model.max_usage(calls[0], is_partial=bool(unknown)) * len(calls)
    lists = [value for name in unknown if isinstance(value := inputs.get(name), list)]
    is_partial = len(lists) < len(unknown)
    nulls = {n for value in lists for n, item in enumerate(value) if item is None}
    each = (model.max_usage(v, is_partial=is_partial or n in nulls) for n, v in enumerate(calls))
    return sum(each, start=Usage())


def unknown_list(length: int | None) -> list[None] | None:
    """Return a list of unknown items, or None for a single unknown value."""
    return None if length is None else [None] * min(length, MAX_ITEMS)


def longest_list(values: Iterable[Any]) -> int | None:
    """Return the length of the longest list among the values, None without a list."""
    return max((len(value) for value in values if isinstance(value, list)), default=None)


async def call_each(
    model: Model, items: Sequence[Mapping[str, Any]], context: Context
) -> list[Any]:
    """Call the model for each item; return the answers in order.

    If a failed call leads to another attempt, the other calls continue: their answers are kept for
    that attempt. Otherwise they are cancelled.
    """
    return await run_each(
        lambda position, values: context.call_model(model, values, position),
        items,
        CALLS_AT_ONCE,
        context.is_final,
    )


def _sentence(error: InvalidInputs) -> str:
    return f"'{error.context['field']}' {error.context['reason']}"
