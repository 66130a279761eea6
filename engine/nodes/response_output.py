"""Response Output: builds the result of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.nodes.support.base import Context, InEdge, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, Setting
from engine.values.field_settings import NAME_SCHEMA
from engine.values.fields import NAME_RULE, is_name
from engine.values.sockets import MEDIA_TYPES, Socket, SocketType

RESULT_IN = "result-in"
RESULT = "result"
MAX_NAMES = 100
LISTED = (
    *(SocketType.IMAGE, SocketType.VIDEO, SocketType.AUDIO, SocketType.FILE),
    SocketType.TEXT,
)
"""Types whose values are listed in the result by type, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseOutputSettings:
    """Names of the inputs; empty: all values at `result-in`."""

    names: tuple[str, ...]


def _read_names(raw: object, path: str, faults: Faults) -> tuple[str, ...] | None:
    if not isinstance(raw, list) or len(raw) > MAX_NAMES:
        faults.add(path, f"must be a list of at most {MAX_NAMES} objects with a name")
        return None
    names = [item.get("name") if isinstance(item, dict) else None for item in raw]
    wrong = [position for position, name in enumerate(names) if not is_name(name)]
    for position in wrong:
        faults.add(f"{path}[{position}].name", NAME_RULE)
    found = tuple(name for name in names if is_name(name))
    if not wrong and len(set(found)) < len(found):
        faults.add_rule(f"{path} has a name more than once", path)
    return found


FIELDS = Setting(
    name="fields",
    about="Names of the members of the result, each an input socket; none: result-in alone.",
    widget="names",
    value={
        "type": "array",
        "maxItems": MAX_NAMES,
        "items": {"type": "object", "properties": {"name": NAME_SCHEMA}, "required": ["name"]},
    },
    parse=_read_names,
    fallback=(),
)


class ResponseOutput(NodeType):
    """Builds the result; its output `result` is no socket."""

    type = "responseOutput"
    category = "Outputs"
    label = "Response Output"
    description = "Result for callers: the wired value, or an object with named members."
    kind = WorkKind.PURE
    can_fail = False
    is_dynamic = True
    members = (FIELDS,)

    def read(self, data: Mapping[str, Any], faults: Faults) -> ResponseOutputSettings:
        return ResponseOutputSettings(names=FIELDS.read(data, faults))

    def inputs(self, settings: ResponseOutputSettings) -> Mapping[str, Socket]:
        if not settings.names:
            return {RESULT_IN: Socket(type=SocketType.ANY, many=True)}
        return {name: Socket(type=SocketType.ANY, many=True) for name in settings.names}

    def outputs(self, settings: ResponseOutputSettings) -> Mapping[str, Socket]:
        return {}

    async def run(
        self, settings: ResponseOutputSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        if settings.names:
            return {RESULT: plain_result(settings, inputs, context.delivered)}
        return {RESULT: _collect(context.delivered)}


def plain_result(
    settings: ResponseOutputSettings,
    inputs: Mapping[str, Any],
    delivered: Sequence[tuple[InEdge, Any]],
) -> Any:
    """Return the result as the node of a parent gets it: plain, like the value of a named input.

    One wire gives its value as it is: a text as a string, one medium as its URL, a list as a list.
    """
    if settings.names:
        return {name: _name_one(inputs.get(name, ())) for name in settings.names}
    return delivered[0][1] if len(delivered) == 1 else _collect(delivered)


def _name_one(values: Sequence[Any]) -> Any:
    """Return the value of a named input; a list if several edges delivered one."""
    if len(values) > 1:
        return list(values)
    return values[0] if values else None


def _collect(delivered: Sequence[tuple[InEdge, Any]]) -> Any:
    if not delivered:
        return None
    if len(delivered) == 1:
        return _shape_one(delivered[0][0].type, delivered[0][1])
    kinds: dict[str, list[Any]] = {f"{kind}s": [] for kind in LISTED}
    values: list[Any] = []
    for wire, value in delivered:
        items = value if isinstance(value, list) else [value]
        if wire.type is not SocketType.ANY and all(isinstance(item, str) for item in items):
            kinds[f"{wire.type}s"].extend(items)
        else:
            values.append(value)
    return {key: found for key, found in (kinds | {"values": values}).items() if found}


def _shape_one(kind: SocketType, value: Any) -> Any:
    if kind is SocketType.TEXT and isinstance(value, str):
        return {"text": value}
    if kind in MEDIA_TYPES and value is not None:
        return {f"{kind}s": value if isinstance(value, list) else [value]}
    return value
