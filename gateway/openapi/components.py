"""Components of OpenAPI documents, made of the types of requests and answers."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_args

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, inspect, structs

from gateway.http.query import QueryParameters
from gateway.http.responses import encode_json
from gateway.http.types import Content, Instant, Payload, RequestBody, Schema, Shape, View

NAMES = {
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.DecimalType: "number",
    inspect.NoneType: "null",
}
NULL: Schema = {"type": "null"}
PLAIN = {"string", "boolean", "integer", "number", "array"}
VALUE_BOUNDS = {
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "ge": "minimum",
    "le": "maximum",
}
ITEM_BOUNDS = {"min_length": "minItems", "max_length": "maxItems"}


def schema_of(kind: Any) -> Schema:
    """Return the JSON Schema of any type; components in it are referred to."""
    return _Walk().schema(inspect.type_info(kind))


def name_of(shape: Shape) -> str:
    """Return the name of a component."""
    return shape.component if isinstance(shape, Content) else shape.__name__.removesuffix("View")


def components_of(shapes: Iterable[Shape]) -> dict[str, Shape]:
    """Return these components and all that they refer to, by name."""
    found: dict[str, Shape] = {}
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop()
        if name_of(shape) not in found:
            found[name_of(shape)] = shape
            waiting += _component(shape)[1]
    return dict(sorted(found.items()))


def schema_of_component(shape: Shape) -> Schema:
    """Return the JSON Schema of a component itself."""
    return _component(shape)[0]


def query_schemas(kind: type[QueryParameters]) -> Iterator[tuple[str, Schema]]:
    """Yield name and JSON Schema of each parameter of a query; it has no null."""
    for each in structs.fields(kind):
        schema = _without_null(schema_of(each.type))
        is_open = each.default in (None, UNSET, NODEFAULT, "")
        yield each.encode_name, schema if is_open else {**schema, "default": each.default}


def _without_null(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), list):
        [kind] = [each for each in schema["type"] if each != "null"]
        return {**schema, "type": kind}
    if "anyOf" not in schema:
        return schema
    bare = {name: value for name, value in schema.items() if name != "anyOf"}
    others = [each for each in schema["anyOf"] if each != NULL]
    return {**bare, **(others[0] if len(others) == 1 else {"anyOf": others})}


@cache
def examples_of(shape: Shape) -> tuple[Any, ...]:
    """Return the examples of a component, as JSON values."""
    return tuple(msgspec.json.decode(encode_json(each)) for each in _examples(shape))


def _examples(shape: Shape) -> tuple[Any, ...]:
    if isinstance(shape, Content):
        items = get_args(shape.kind)
        return shape.examples or ([each for item in items for each in _examples(item)],)
    examples: tuple[Any, ...] = vars(shape).get("examples", ())
    return examples


@cache
def _component(shape: Shape) -> tuple[Schema, list[type[Payload]]]:
    """Return the schema of a component, and the components that it refers to."""
    walk = _Walk()
    if isinstance(shape, Content):
        return walk.schema(inspect.type_info(shape.kind)), walk.referred
    return walk.members(shape), walk.referred


class _Walk:
    """One traversal of a type; it notes the components that are referred to."""

    def __init__(self) -> None:
        self.referred: list[type[Payload]] = []

    def schema(self, info: inspect.Type) -> Schema:
        match info:
            case inspect.Metadata(extra={"kind": kind}):
                return {**self.schema(inspect.type_info(kind)), **(info.extra_json_schema or {})}
            case inspect.Metadata():
                return {**self.schema(info.type), **(info.extra_json_schema or {})}
            case inspect.UnionType(types=types):
                return _union([self.schema(each) for each in types])
            case inspect.StructType(cls=cls):
                return self._object(cls)
            case inspect.ListType(item_type=items):
                return {"type": "array", "items": self.schema(items), **_bounds(info, ITEM_BOUNDS)}
            case inspect.DictType(value_type=values):
                # Without a word about its members, generators make one that has none.
                return {"type": "object", "additionalProperties": self.schema(values) or True}
            case inspect.EnumType(cls=enum):
                return {"type": "string", "enum": [each.value for each in enum]}
            case inspect.LiteralType(values=values):
                return {"const": values[0]} if len(values) == 1 else {"enum": list(values)}
        return _plain_schema(info)

    def members(self, kind: type[Struct]) -> Schema:
        choices = kind.choices if issubclass(kind, RequestBody) else ()
        chosen = {each.name for choice in choices for each in structs.fields(choice)}
        fields = [each for each in structs.fields(kind) if each.name not in chosen]
        return {
            "type": "object",
            "properties": {
                each.encode_name: self.schema(inspect.type_info(each.type)) for each in fields
            },
            "required": [each.encode_name for each in fields if each.required],
            **({"additionalProperties": False} if _is_closed(kind) else {}),
            **({"oneOf": [self.members(choice) for choice in choices]} if choices else {}),
        }

    def _object(self, kind: type[Struct]) -> Schema:
        if not issubclass(kind, View | RequestBody):
            return self.members(kind)
        self.referred.append(kind)
        return {"$ref": f"#/components/schemas/{name_of(kind)}"}


def _is_closed(kind: type[Struct]) -> bool:
    return issubclass(kind, RequestBody) and kind.__struct_config__.forbid_unknown_fields


def _plain_schema(info: inspect.Type) -> Schema:
    if isinstance(info, inspect.AnyType | inspect.RawType):
        return {}
    if isinstance(info, inspect.CustomType) and info.cls is Instant:
        return {"type": "string", "format": "date-time"}
    return {"type": NAMES[type(info)], **_bounds(info, VALUE_BOUNDS)}


def _union(schemas: list[Schema]) -> Schema:
    """Return the union of schemas; plain types are merged into one schema, null last."""
    others = [each for each in schemas if each != NULL]
    if not all(_is_plain(each) for each in others):
        return {"anyOf": schemas}
    merged = {name: bound for each in others for name, bound in each.items()}
    nulls = [NULL] if NULL in schemas else []
    return {**merged, "type": [each["type"] for each in (*others, *nulls)]}


def _is_plain(schema: Schema) -> bool:
    kind = schema.get("type")
    return isinstance(kind, str) and kind in PLAIN and "enum" not in schema


def _bounds(info: inspect.Type, names: Mapping[str, str]) -> Schema:
    bounds = ((name, getattr(info, attribute, None)) for attribute, name in names.items())
    return {name: bound for name, bound in bounds if bound is not None}
