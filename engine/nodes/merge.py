"""Merge: the first delivered value of its edges, or all of them."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, choice
from engine.values.sockets import Socket, SocketType

VALUE_IN = "value-in"
MODES = ("first", "all")
MODE = choice("mode", "The first delivered value, or a list of all.", MODES, default=MODES[0])


class Merge(NodeType):
    """Brings branches together; its settings are the mode."""

    type = "merge"
    category = "Utilities"
    label = "Merge"
    description = "Outputs the first delivered value in the order of the edges, or all of them."
    kind = WorkKind.PURE
    can_fail = False
    members = (MODE,)

    def read(self, data: Mapping[str, Any], faults: Faults) -> str:
        return str(MODE.read(data, faults))

    def inputs(self, settings: str) -> Mapping[str, Socket]:
        return {VALUE_IN: Socket(type=SocketType.ANY, many=True, required=True)}

    def outputs(self, settings: str) -> Mapping[str, Socket]:
        return {"value-out": Socket(type=SocketType.ANY)}

    async def run(self, settings: str, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return self.estimate_outputs(settings, inputs)

    def estimate_outputs(
        self, settings: str, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        values = inputs.get(VALUE_IN, [])
        if settings == "all":
            return {"value-out": list(values)}
        if VALUE_IN in unknown:  # any value may come first; the longest list costs most
            return {"value-out": max(values, key=_length, default=None)}
        return {"value-out": values[0] if values else None}


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 1
