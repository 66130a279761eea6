"""Arguments of a tool: typed values with templates, and wired values by the tool's schema."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.nodes.support.settings import Faults, Setting, read_template
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Placeholder, Template, placeholder_names, to_text

MAX_SCHEMA_BYTES = 65_536
MAX_NAME = 128
SCALARS: Mapping[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
}
"""Types of values by the names of JSON Schema, but for texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolArguments:
    """Typed arguments with templates in place of texts, and the schema of the tool."""

    typed: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def templates(self) -> Sequence[Template]:
        """All templates."""
        return list(_templates(self.typed))

    @property
    def properties(self) -> Mapping[str, Any]:
        """Schemas of the arguments that can be wired, by name.

        A name that a template has as a placeholder is that placeholder's socket.
        """
        taken = placeholder_names(self.templates)
        found = self.schema.get("properties")
        listed = found.items() if isinstance(found, dict) else ()
        return {name: each for name, each in listed if _is_name(name) and name not in taken}

    def sockets(self) -> Mapping[str, Socket]:
        """Return a socket for each property of the schema and each placeholder."""
        required = self.schema.get("required")
        names = required if isinstance(required, list) else ()
        placeholder = Socket(type=SocketType.ANY, required=True)
        of_properties = {
            name: Socket(type=SocketType.ANY, required=name in names and name not in self.typed)
            for name in self.properties
        }
        return of_properties | dict.fromkeys(placeholder_names(self.templates), placeholder)

    def fill(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call; a wired value takes the place of a typed one.

        Raises NodeFailed (template_error).
        """
        found: dict[str, Any] = {name: _fill(each, inputs) for name, each in self.typed.items()}
        properties = self.properties
        found |= {name: inputs[name] for name in properties if inputs.get(name) is not None}
        schemas = self.schema.get("properties")
        if not isinstance(schemas, dict):
            return found
        return {name: fit(value, schemas.get(name)) for name, value in found.items()}


def fit(value: Any, schema: Any) -> Any:
    """Return the value in the type that a schema names, where it can only mean that one.

    Templates and models give texts, expressions give doubles.
    """
    named = schema.get("type") if isinstance(schema, dict) else None
    kinds = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    if not kinds or value is None:
        return value
    if isinstance(value, float) and value.is_integer() and "integer" in kinds:
        return int(value)
    if not isinstance(value, str):
        return to_text(value) if set(kinds) <= {"string", "null"} else value
    return value if "string" in kinds else _read(value, kinds)


def _read(text: str, kinds: Sequence[Any]) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    is_bool = isinstance(value, bool)
    fits = (isinstance(value, SCALARS[each]) for each in kinds if each in SCALARS)
    return value if (("boolean" in kinds) if is_bool else any(fits)) else text


def _fill(value: Any, inputs: Mapping[str, Any]) -> Any:
    match value:
        case Template(parts=(Placeholder() as single,)):
            return single.read(inputs)
        case Template():
            return value.render(inputs)
        case dict():
            return {name: _fill(each, inputs) for name, each in value.items()}
        case list():
            return [_fill(each, inputs) for each in value]
    return value


def _templates(value: Any) -> Iterator[Template]:
    match value:
        case Template():
            yield value
        case dict():
            for each in value.values():
                yield from _templates(each)
        case list():
            for each in value:
                yield from _templates(each)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME


def _read_arguments(raw: Any, path: str, faults: Faults) -> Mapping[str, Any] | None:
    if not isinstance(raw, dict):
        faults.add(path, "must be an object with a value per argument")
        return None
    return {name: _read_value(each, f"{path}.{name}", faults) for name, each in raw.items()}


def _read_value(raw: Any, path: str, faults: Faults) -> Any:
    match raw:
        case str():
            return read_template(path, raw, faults)
        case dict():
            return {name: _read_value(each, f"{path}.{name}", faults) for name, each in raw.items()}
        case list():
            return [_read_value(each, f"{path}[{at}]", faults) for at, each in enumerate(raw)]
    return raw


def _read_schema(raw: Any, path: str, faults: Faults) -> Mapping[str, Any] | None:
    if not isinstance(raw, dict):
        faults.add(path, "must be the JSON Schema of the tool's arguments, an object")
    elif len(msgspec.json.encode(raw)) > MAX_SCHEMA_BYTES:
        faults.add_rule(f"{path} must have at most {MAX_SCHEMA_BYTES} bytes as JSON", path)
    else:
        return raw
    return None


ARGUMENTS = Setting(
    name="arguments",
    about="Values by argument; texts in them are templates, and a text that is one placeholder "
    "alone gives its value as it is. A wired argument takes the place of a typed one.",
    widget="toolArguments",
    value={"type": "object"},
    parse=_read_arguments,
    fallback={},
)
SCHEMA = Setting(
    name="schema",
    about="JSON Schema of the tool's arguments, as its server lists it; each property is a socket.",
    widget="hidden",
    value={"type": "object"},
    parse=_read_schema,
    fallback={},
)


def read_arguments(data: Mapping[str, Any], faults: Faults) -> ToolArguments:
    """Return the arguments in the `data` of a node; add their faults."""
    return ToolArguments(typed=ARGUMENTS.read(data, faults), schema=SCHEMA.read(data, faults))
