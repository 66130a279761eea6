"""Models that release 0.2.0 lacks: beside it, its workers would fail executions that call them.

A worker of 0.2.0 leaves node types, settings and saved manifests that it does not know to others,
yet not a model that ships with a later release alone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from engine.models.registry import ModelOrigin, find_model, find_origin
from engine.nodes.support.transcripts import SEGMENTS_OUT
from engine.store.schema import FILES_SCHEMA, StoreSchema
from engine.values.fields import FieldType

SHIPPED_BEFORE = frozenset(
    {
        *("claude-haiku", "claude-opus", "claude-sonnet", "echo", "gemini-flash", "gpt"),
        *("gpt-image", "gpt-mini", "kling", "local-embedding", "local-text", "nano-banana"),
        *("seedance", "seedream", "suno", "text-embedding"),
    }
)
"""Models that ship with 0.2.0, which has no field of the type `file`."""
CUSTOM = "customModel"
LEFT_TYPES = frozenset({"transcribe", "speak"})
"""Node types that its workers do not know, and leave with whatever model."""
SOCKET_END = "-in"


def check_model_run(schema: StoreSchema, name: str, inputs: Mapping[str, Any]) -> None:
    """Raise Unavailable for a run of a model with a part that 0.2.0 lacks, which may be there."""
    part = None if schema.allows(FILES_SCHEMA) else later_part(name, inputs)
    if part is not None:
        schema.require(FILES_SCHEMA, f"Runs with {part}")


def later_parts(
    node: Mapping[str, Any], edges: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, str | None]]:
    """Yield words for each part that 0.2.0 lacks of a node's model, and the setting at fault."""
    kind, data = node.get("type"), node.get("data")
    name = data.get("model") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(name, str) or kind in LEFT_TYPES:
        return
    values = data.get("values")
    used = {*data, *(values if isinstance(values, dict) else ())}
    is_cut = False
    for edge in edges:
        if edge.get("target") == node["id"]:
            used.add(str(edge.get("targetHandle")).removesuffix(SOCKET_END))
        is_cut |= edge.get("source") == node["id"] and edge.get("sourceHandle") == SEGMENTS_OUT
    part = later_part(name, used)
    if part is not None:
        yield part, "model"
    elif is_cut and kind == CUSTOM:
        yield f"the socket '{SEGMENTS_OUT}' of the model '{name}'", None


def later_part(name: str, used: Collection[str]) -> str | None:
    """Return words for what 0.2.0 lacks of a shipped model, with the fields that are used."""
    model = find_model(name)
    if model is None or find_origin(name) is not ModelOrigin.SHIPPED:
        return None  # its workers leave saved manifests that they cannot read
    if name not in SHIPPED_BEFORE:
        return f"the model '{name}'"
    files = (each.name for each in model.fields if each.type is FieldType.FILE)
    field = next((each for each in files if each in used), None)
    return None if field is None else f"the field '{field}' of the model '{name}'"
