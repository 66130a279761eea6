"""Request Input: fields of the workflow's form."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors.nodes import SettingFault, SettingsError
from engine.nodes.support.base import NO_MEDIA, Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import VALUES, Faults, Setting, flag, read_all
from engine.values.field_settings import FIELDS_SCHEMA, sketch_fields
from engine.values.fields import SOCKETS, Field, parse_fields
from engine.values.sockets import Socket, SocketType

PARAMS = "params"
TAKEN = f"the name '{PARAMS}' is taken by the socket '{PARAMS}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInputSettings:
    """Fields, values saved in the document, and whether unknown inputs are refused."""

    fields: tuple[Field, ...]
    values: Mapping[str, Any]
    strict: bool
    wired: frozenset[str] = frozenset()
    """Outputs with edges."""


def _read_fields(raw: object, path: str, faults: Faults) -> tuple[Field, ...]:
    try:
        fields = parse_fields(raw)
    except SettingsError as error:
        faults.extend(error)
        return sketch_fields(raw)
    for position, field in enumerate(fields):
        if field.name == PARAMS and field.type in SOCKETS:
            faults.add_rule(f"{path}[{position}].name: {TAKEN}", f"{path}[{position}].name")
    return fields


class RequestInput(NodeType):
    """Outputs each field on its own socket, and as one object those that are no text or medium."""

    type = "requestInput"
    category = "Inputs"
    label = "Request Input"
    description = "The fields that callers fill in: one socket per field."
    kind = WorkKind.PURE
    can_fail = False
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
            field.name: Socket(type=SOCKETS.get(field.type, SocketType.ANY))
            for field in settings.fields
        }
        return {**own, PARAMS: Socket(type=SocketType.ANY)}

    def outdated(self, settings: RequestInputSettings) -> Iterator[SettingFault]:
        for position, field in enumerate(settings.fields):
            if field.name == PARAMS:
                place = f"fields[{position}].name"
                yield SettingFault(f"{place}: {TAKEN}", place)

    def bind(
        self,
        settings: RequestInputSettings,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> RequestInputSettings:
        return replace(settings, wired=wired)

    async def run(
        self, settings: RequestInputSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        outputs = outputs_of(settings.fields, context.inputs)
        # A value that is no text or medium is on record once: by its name, or within `params`.
        named = {each.name for each in settings.fields if each.type not in SOCKETS}
        unused = named - settings.wired - {PARAMS}
        if PARAMS not in settings.wired and named & settings.wired:
            unused.add(PARAMS)
        return {name: value for name, value in outputs.items() if name not in unused}


def outputs_of(fields: Sequence[Field], inputs: Mapping[str, Any]) -> Outputs:
    """Return the outputs of a Request Input with these fields for the inputs of a run."""
    own = {field.name: inputs.get(field.name) for field in fields}
    return {
        **own,
        PARAMS: {each.name: own[each.name] for each in fields if each.type not in SOCKETS},
    }
