"""Response Output: builds the result of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import Context, InEdge, NodeType, Outputs, WorkKind
from engine.values.fields import NAME_RULE, is_name
from engine.values.sockets import MEDIA_TYPES, Socket, SocketType

RESULT_IN = "result-in"
RESULT = "result"
MAX_NAMES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseOutputSettings:
    """Names of the inputs; empty: all values at `result-in`."""

    names: tuple[str, ...]


class ResponseOutput(NodeType):
    """Builds the result; its output `result` is no socket."""

    type = "responseOutput"
    category = "Outputs"
    kind = WorkKind.PURE

    def parse(self, data: Mapping[str, Any]) -> ResponseOutputSettings:
        raw = data.get("fields")
        if raw is None:
            return ResponseOutputSettings(names=())
        if not isinstance(raw, list) or len(raw) > MAX_NAMES:
            raise SettingsError(f"fields must be a list of at most {MAX_NAMES} objects with a name")
        names = [item.get("name") if isinstance(item, dict) else None for item in raw]
        reasons = [
            f"fields[{position}].name {NAME_RULE}"
            for position, name in enumerate(names)
            if not is_name(name)
        ]
        if not reasons and len(set(names)) < len(names):
            reasons.append("fields has a name more than once")
        if reasons:
            raise SettingsError(*reasons)
        return ResponseOutputSettings(names=tuple(str(name) for name in names))

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
            return {RESULT: {name: _name_one(inputs.get(name, ())) for name in settings.names}}
        return {RESULT: _collect(context.delivered)}


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
    kinds: dict[str, list[Any]] = {"images": [], "videos": [], "audios": [], "texts": []}
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
