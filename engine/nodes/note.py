"""Note: a comment on the canvas."""

from collections.abc import Mapping
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, text
from engine.values.sockets import Socket

TEXT = text("text", "The note.", is_nullable=False)


class Note(NodeType):
    """Has no sockets, so nothing leads to it and it never runs."""

    type = "note"
    category = "Utilities"
    label = "Note"
    description = "Comment on the canvas; it never runs."
    kind = WorkKind.PURE
    can_fail = False
    members = (TEXT,)

    def read(self, data: Mapping[str, Any], faults: Faults) -> None:
        TEXT.read(data, faults)

    def inputs(self, settings: None) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: None) -> Mapping[str, Socket]:
        return {}

    async def run(self, settings: None, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return {}
