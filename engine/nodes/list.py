"""List: typed items, wired items, or both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, Setting, choice, read_all
from engine.values.sockets import MEDIA_TYPES, Socket, SocketType

ITEMS_IN = "items-in"


ITEM = {
    "type": "object",
    "properties": {"value": {}, "included": {"type": "boolean", "default": True}},
    "required": ["value"],
}


def _read_items(raw: object, path: str, faults: Faults) -> Sequence[Any] | None:
    if not isinstance(raw, list):
        faults.add(path, "must be a list of objects with value and included")
        return None
    for position, item in enumerate(raw):
        if not isinstance(item, dict) or "value" not in item:
            faults.add(f"{path}[{position}]", "must be an object with value and included")
        elif not isinstance(item.get("included", True), bool):
            faults.add(f"{path}[{position}].included", "must be true or false")
    return raw


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
    label = "List"
    description = "Outputs one flat list: its own items, then the wired ones."
    kind = WorkKind.PURE
    can_fail = False
    is_dynamic = True
    members = (
        choice("kind", "Type of the items.", tuple(SocketType), default=SocketType.ANY),
        choice(
            "mode",
            "Keep the own items beside wired ones, or replace them.",
            ("keep", "replace"),
            default="keep",
            words="must be 'keep' or 'replace'",
        ),
        Setting(
            name="items",
            about="Own items; only included ones are output.",
            widget="items",
            value={"type": "array", "items": ITEM},
            parse=_read_items,
        ),
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> ListSettings:
        given = read_all(self.members, data, faults)
        items = given["items"] or ()
        if given["kind"] in MEDIA_TYPES:
            for position, item in enumerate(items):
                if isinstance(item, dict) and not isinstance(item.get("value", ""), str):
                    path = f"items[{position}].value"
                    faults.add_rule(f"{path} must be the URL of the {given['kind']}", path)
        included = (item for item in items if isinstance(item, dict) and item.get("included", True))
        return ListSettings(
            kind=given["kind"],
            items=tuple(item.get("value") for item in included),
            replaces=given["mode"] == "replace",
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
