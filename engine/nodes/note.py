"""Note: a comment on the canvas."""

from collections.abc import Mapping
from typing import Any

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.values.sockets import Socket


class Note(NodeType):
    """Has no sockets, so nothing leads to it and it never runs."""

    type = "note"
    category = "Utilities"
    kind = WorkKind.PURE

    def parse(self, data: Mapping[str, Any]) -> None:
        if not isinstance(data.get("text", ""), str):
            raise SettingsError("text must be a text")

    def inputs(self, settings: None) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: None) -> Mapping[str, Socket]:
        return {}

    async def run(self, settings: None, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return {}
