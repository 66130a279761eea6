"""Values that fit a JSON Schema, and values that may not, for tests of node types."""

from typing import Any

from hypothesis import strategies as st

TEXTS = st.sampled_from(
    ["", "a", "{{ a }}", "{{ oops", "https://a.example/", "value == 1", "echo", "16:9", "POST"]
)
OTHERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 30),
    st.floats(-2, 1_000, allow_nan=False),
    TEXTS,
    st.just([]),
    st.just({}),
    st.lists(TEXTS, max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
)


def members(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that fit, half of them with a few members of another kind, or without them."""
    fitting = {name: _fitting(each) for name, each in schema["properties"].items()}
    needed = {name: fitting.pop(name) for name in schema.get("required", ())}
    right = st.fixed_dictionaries(needed, optional=fitting)
    names = st.sampled_from(sorted(schema["properties"]))
    wrong = st.dictionaries(names, st.one_of(OTHERS, st.just(ABSENT)), min_size=1, max_size=2)
    return st.one_of(right, st.builds(_spoil, right, wrong))


ABSENT = object()


def _spoil(right: dict[str, Any], wrong: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in {**right, **wrong}.items() if each is not ABSENT}


def _fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if "anyOf" in schema:
        return st.one_of(*map(_fitting, schema["anyOf"]))
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return st.one_of(*(_of_kind(kind, schema) for kind in kinds)) if kinds else OTHERS


def _of_kind(kind: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            least = schema.get("minimum", 0)
            return st.integers(least, schema.get("maximum", least + 100))
        case "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            return st.floats(least, schema.get("maximum", least + 100), allow_nan=False)
        case "string":
            return st.from_regex(schema["pattern"]) if "pattern" in schema else TEXTS
        case "array":
            least = schema.get("minItems", 0)
            items = _fitting(schema.get("items", {}))
            return st.lists(
                st.one_of(items, items, items, OTHERS), min_size=least, max_size=least + 2
            )
        case "object" if "properties" in schema:
            return members(schema)
    return st.dictionaries(TEXTS, _fitting(schema.get("additionalProperties", {})), max_size=2)
