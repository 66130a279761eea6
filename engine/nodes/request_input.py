"""Request Input: fields of the workflow's form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import VALUES, Faults, Setting, flag, read_all
from engine.values.field_settings import FIELDS_SCHEMA, sketch_fields
from engine.values.fields import SOCKETS, Field, parse_fields
from engine.values.sockets import Socket, SocketType

PARAMS = "params"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInputSettings:
    """Fields, values saved in the document, and whether unknown inputs are refused."""

    fields: tuple[Field, ...]
    values: Mapping[str, Any]
    strict: bool


def _read_fields(raw: object, path: str, faults: Faults) -> tuple[Field, ...]:
    try:
        fields = parse_fields(raw)
    except SettingsError as error:
        faults.extend(error)
        return sketch_fields(raw)
    if any(field.name == PARAMS and field.type in SOCKETS for field in fields):
        reason = f"{path}: the name '{PARAMS}' is taken by the socket '{PARAMS}'"
        faults.add_rule(reason, path)
    return fields


class RequestInput(NodeType):
    """Outputs each text and media field on its own socket, and the others as one object."""

    type = "requestInput"
    category = "Inputs"
    label = "Request Input"
    description = "The fields that callers fill in: one socket per text or media field."
    kind = WorkKind.PURE
    is_dynamic = True
    members = (
        Setting(
            name="fields",
            about="The fields, in the order of the form.",
            widget="fields",
            value=FIELDS_SCHEMA,
            parse=_read_fields,
            fallback=(),
        ),
        VALUES,
        flag("strict", "Unknown inputs are refused.", is_nullable=False),
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> RequestInputSettings:
        given = read_all(self.members, data, faults)
        fields, values = given["fields"], given["values"]
        saved = {field.name: values[field.name] for field in fields if field.name in values}
        return RequestInputSettings(fields=fields, values=saved, strict=given["strict"])

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
    given = {field.name: inputs.get(field.name) for field in fields}
    own = {field.name: given.pop(field.name) for field in fields if field.type in SOCKETS}
    return own | {PARAMS: given}
