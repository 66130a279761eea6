"""List: typed items, wired items, or both."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.values.sockets import MEDIA_TYPES, Socket, SocketType

ITEMS_IN = "items-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """Included items, their type, and whether wired items replace them."""

    kind: SocketType
    items: tuple[Any, ...]
    replaces: bool


class List(NodeType):
    """Outputs a flat list: its own items, then the wired ones in order of the edges."""

    type = "list"
    category = "Utilities"
    kind = WorkKind.PURE

    def parse(self, data: Mapping[str, Any]) -> ListSettings:
        reasons = list(_faults(data))
        if reasons:
            raise SettingsError(*reasons)
        items = data.get("items") or []
        return ListSettings(
            kind=SocketType(data.get("kind") or SocketType.ANY),
            items=tuple(item["value"] for item in items if item.get("included", True)),
            replaces=data.get("mode") == "replace",
        )

    def inputs(self, settings: ListSettings) -> Mapping[str, Socket]:
        return {ITEMS_IN: Socket(type=settings.kind, many=True)}

    def outputs(self, settings: ListSettings) -> Mapping[str, Socket]:
        return {"items-out": Socket(type=settings.kind)}

    async def run(
        self, settings: ListSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        return self.estimate_outputs(settings, inputs)

    def estimate_outputs(
        self, settings: ListSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        items = [] if settings.replaces and ITEMS_IN in inputs else list(settings.items)
        for value in inputs.get(ITEMS_IN, ()):
            items.extend(value if isinstance(value, list) else [value])
        return {"items-out": items}


def _faults(data: Mapping[str, Any]) -> Iterator[str]:
    kind = data.get("kind")
    if kind is not None and kind not in list(SocketType):
        yield f"kind must be one of {', '.join(SocketType)}"
    if data.get("mode") not in (None, "keep", "replace"):
        yield "mode must be 'keep' or 'replace'"
    items = [] if data.get("items") is None else data["items"]
    if not isinstance(items, list):
        yield "items must be a list of objects with value and included"
        return
    is_media = isinstance(kind, str) and kind in MEDIA_TYPES
    for position, item in enumerate(items):
        if not isinstance(item, dict) or "value" not in item:
            yield f"items[{position}] must be an object with value and included"
        elif not isinstance(item.get("included", True), bool):
            yield f"items[{position}].included must be true or false"
        elif is_media and not isinstance(item["value"], str):
            yield f"items[{position}].value must be the URL of the {kind}"
