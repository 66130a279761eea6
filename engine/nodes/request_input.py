"""Request Input: fields of the workflow's form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.values.fields import SOCKETS, Field, parse_fields
from engine.values.sockets import Socket, SocketType

PARAMS = "params"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInputSettings:
    """Fields, values saved in the document, and whether unknown inputs are refused."""

    fields: tuple[Field, ...]
    values: Mapping[str, Any]
    strict: bool


class RequestInput(NodeType):
    """Outputs each text and media field on its own socket, and the others as one object."""

    type = "requestInput"
    category = "Inputs"
    kind = WorkKind.PURE

    def parse(self, data: Mapping[str, Any]) -> RequestInputSettings:
        fields, reasons = _read_fields(data.get("fields"))
        values = {} if data.get("values") is None else data["values"]
        if not isinstance(values, dict):
            reasons.append("values must be an object with a value per field")
        strict = data.get("strict", False)
        if not isinstance(strict, bool):
            reasons.append("strict must be true or false")
        if reasons:
            raise SettingsError(*reasons)
        saved = {field.name: values[field.name] for field in fields if field.name in values}
        return RequestInputSettings(fields=fields, values=saved, strict=strict)

    def inputs(self, settings: RequestInputSettings) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: RequestInputSettings) -> Mapping[str, Socket]:
        own = {
            field.name: Socket(type=SOCKETS[field.type])
            for field in settings.fields
            if field.type in SOCKETS
        }
        return own | {PARAMS: Socket(type=SocketType.ANY)}

    async def run(
        self, settings: RequestInputSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        return outputs_of(settings.fields, context.inputs)


def outputs_of(fields: Sequence[Field], inputs: Mapping[str, Any]) -> Outputs:
    """Return the outputs of a Request Input with these fields for the inputs of a run."""
    values = {field.name: inputs.get(field.name) for field in fields}
    own = {field.name: values.pop(field.name) for field in fields if field.type in SOCKETS}
    return own | {PARAMS: values}


def _read_fields(raw: object) -> tuple[tuple[Field, ...], list[str]]:
    try:
        fields = parse_fields(raw)
    except SettingsError as error:
        return (), list(error.reasons)
    taken = any(field.name == PARAMS and field.type in SOCKETS for field in fields)
    return fields, [f"fields: the name '{PARAMS}' is taken by the socket '{PARAMS}'"] * taken
