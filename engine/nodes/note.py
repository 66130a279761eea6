"""Note: words for the people who read the canvas."""

from collections.abc import Mapping
from typing import Any

from engine.nodes.base import Context, Kind, NodeType, Outputs, SettingsError
from engine.sockets import Socket


class Note(NodeType):
    """Has no sockets, so nothing leads to it and it never runs."""

    type = "note"
    category = "Utilities"
    kind = Kind.PURE

    def parse(self, data: Mapping[str, Any]) -> None:
        if not isinstance(data.get("text", ""), str):
            raise SettingsError("text must be a text")

    def inputs(self, settings: None) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: None) -> Mapping[str, Socket]:
        return {}

    async def run(self, settings: None, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return {}
