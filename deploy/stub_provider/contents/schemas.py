"""Values that match a JSON Schema, for answers in a form that the caller dictates."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploy.stub_provider.contents.prompt_values import PromptValues, named_count
from deploy.stub_provider.errors import StubRefused

MAX_DEPTH = 24
LEAST_DEPTH = 18
"""Values below this level have required members alone, which ends recursive schemas."""
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "stub@example.org",
    "hostname": "stub.example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/stub",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
CANDIDATES = (
    *("stub", "Stub", "STUB", "S", "s", "stub-1", "stub_1", "st", "ST", "0", "1", "12", "123"),
    *("1234", "12345", "#aabbcc", "a1", "A1", "ABC-123", "1.0", "1.0.0", "12:00", "yes", ""),
    *FORMATS.values(),
)
"""Candidates for a `pattern`; most common patterns match one of them."""


USUAL_COUNT = 2
LISTED = 60
"""Characters of `text` in each item of a list of texts."""
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_CHECKED_FORMATS = {"date": re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])")}
"""Formats whose values are taken from the prompt, where they match."""


def make_value(schema: Any, text: str, prompt: str = "", system: str = "") -> Any:
    """Return a value that matches the schema. Raises StubRefused.

    Properties that the prompt names, as `total: 7`, have its values, and an `enum` is chosen by its
    words; other texts are taken from `text`. Lists are as long as the instructions say, or have two
    items.
    """
    values, count = PromptValues(text=prompt), named_count(system) or USUAL_COUNT
    maker = _Maker(root=schema, text=text, values=values, count=count)
    return maker.make(schema, MAX_DEPTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    root: Any
    text: str
    values: PromptValues
    count: int
    """Items of a list, where the schema allows."""

    def make(self, schema: Any, depth: int, name: str = "") -> Any:
        if schema is True or schema == {}:
            return self.text
        if not isinstance(schema, Mapping):
            raise StubRefused(400, "(stub) that is not a JSON Schema.", param="response_format")
        if depth <= 0:
            raise StubRefused(
                400, "(stub) the schema is nested too deeply.", param="response_format"
            )
        schema = self._merged(schema, depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._choose(schema, name)
        return self._typed(schema, depth, name)

    def _choose(self, schema: Mapping[str, Any], name: str) -> Any:
        options, said = schema["enum"], (self.values.labelled(name) or "").lower()
        named = next((each for each in options if said and str(each).lower() == said), None)
        if named is not None:
            return named
        return self.values.choose(options, str(schema.get("description", "")))

    def _merged(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        for part in self._parts(schema, depth):
            if depth <= 0:
                raise StubRefused(
                    400, "(stub) the schema refers to itself.", param="response_format"
                )
            rest = {k: v for k, v in schema.items() if k not in _COMBINERS}
            schema = _joined(rest, self._merged(part, depth - 1))
        return schema

    def _parts(self, schema: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
        if "$ref" in schema:
            yield self._referred(schema["$ref"])
        yield from schema.get("allOf", ())
        for name in ("anyOf", "oneOf"):
            if schema.get(name):
                yield min(schema[name], key=_usual if depth > LEAST_DEPTH else _shortest)

    def _referred(self, reference: Any) -> Any:
        target = self.root
        for step in str(reference).removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            target = target.get(name) if isinstance(target, Mapping) else None
        if not isinstance(target, Mapping):
            raise StubRefused(400, f"(stub) '{reference}' leads nowhere.", param="response_format")
        return target

    def _typed(self, schema: Mapping[str, Any], depth: int, name: str) -> Any:
        match _type_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema, name)
            case "integer":
                return int(_number(schema, round(self._said(name, 1))))
            case "number":
                return _number(schema, self._said(name, 0.5))
            case "boolean":
                return True
            case "null":
                return None
        raise StubRefused(400, "(stub) the schema has an unknown type.", param="response_format")

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        names = [name for name in properties if name in required or depth > LEAST_DEPTH]
        made = {name: self.make(properties[name], depth - 1, name) for name in names}
        more = schema.get("additionalProperties", True)
        for name in required:
            if name not in made:
                made[name] = self.make(more, depth - 1)
        return made

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = [self.make(each, depth - 1) for each in schema.get("prefixItems", ())]
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least, self.count))
        wanted = min(max(least, self.count if depth > LEAST_DEPTH else 0), most)
        items = schema.get("items", True)
        if items is False or len(first) >= wanted:
            return first[:most]
        rows = self._rows(items, depth)
        if not first and least <= len(rows) <= schema.get("maxItems", len(rows)) and rows:
            return rows
        return first + [self._item(items, index, depth) for index in range(len(first), wanted)]

    def _rows(self, schema: Any, depth: int) -> list[Any]:
        """Return an object for each line of the prompt that has several of its properties."""
        properties = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
        rows = self.values.rows(list(properties))
        return [replace(self, values=row).make(schema, depth - 1) for row in rows]

    def _item(self, schema: Any, index: int, depth: int) -> Any:
        made = self.make(schema, depth - 1)
        is_free = isinstance(schema, Mapping) and schema.keys() <= {"type", "title", "description"}
        return f"{_begin(made)} {index + 1}" if is_free and isinstance(made, str) else made

    def _said(self, name: str, usual: float) -> float:
        said = self.values.number(name)
        return usual if said is None else said

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        if "pattern" in schema:
            return _matching(schema)
        said, form = self.values.labelled(name), schema.get("format")
        pattern = _CHECKED_FORMATS.get(form) if form else re.compile(".*")
        if said and pattern and pattern.fullmatch(said) and _has_length(said, schema):
            return said
        is_short = "sentence" in str(schema.get("description", "")).lower()
        text = FORMATS.get(form or "", _SENTENCE.split(self.text)[0] if is_short else self.text)
        text = text.ljust(schema.get("minLength", 0), ".")
        return text[: schema.get("maxLength", len(text))]


def _begin(text: str) -> str:
    """Return the first line of a text, whole words up to a length."""
    line = text.partition("\n")[0]
    return line if len(line) <= LISTED else line[:LISTED].rpartition(" ")[0] or line[:LISTED]


def _has_length(text: str, schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)))


_COMBINERS = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> Mapping[str, Any]:
    """Merge two schemas: properties and required names of both, else the second's members."""
    joined = {**first, **second}
    if "properties" in first and "properties" in second:
        joined["properties"] = {**first["properties"], **second["properties"]}
    if "required" in first and "required" in second:
        joined["required"] = [*first["required"], *second["required"]]
    return joined


def _usual(schema: Any) -> int:
    """Return the branch to take: plain types first, null last."""
    if not isinstance(schema, Mapping):
        return 3
    if schema.get("type") == "null":
        return 4
    return 2 if "$ref" in schema or schema.get("type") == "array" else 1


def _shortest(schema: Any) -> int:
    """Return the branch to take, with null first."""
    return _usual(schema) % 4


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _number(schema: Mapping[str, Any], usual: float) -> float:
    step = schema.get("multipleOf") or (1 if schema.get("type") == "integer" else None)
    low, high = _bounds(schema, step or 0.001)
    number = min(max(usual, low), high)
    if step is None:
        return int(number) if number == int(number) else number
    up = -(-number // step) * step
    return up if up <= high else number // step * step


def _bounds(schema: Mapping[str, Any], step: float) -> tuple[float, float]:
    lows = [schema["minimum"]] if "minimum" in schema else [-(2**53)]
    highs = [schema["maximum"]] if "maximum" in schema else [2**53]
    if "exclusiveMinimum" in schema:
        lows.append(schema["exclusiveMinimum"] + step)
    if "exclusiveMaximum" in schema:
        highs.append(schema["exclusiveMaximum"] - step)
    return max(lows), min(highs)


def _matching(schema: Mapping[str, Any]) -> str:
    try:
        pattern = re.compile(schema["pattern"])
    except (re.error, TypeError):
        raise StubRefused(
            400, "(stub) a pattern does not parse.", param="response_format"
        ) from None
    least, most = schema.get("minLength", 0), schema.get("maxLength", 2**53)
    for each in CANDIDATES:
        if pattern.search(each) and least <= len(each) <= most:
            return each
    raise StubRefused(
        400, f"(stub) no text is known for the pattern {schema['pattern']!r}.", param="pattern"
    )
