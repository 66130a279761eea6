"""Condition: lets a value through on one of two ways."""

from collections.abc import Mapping
from typing import Any

from engine import cel
from engine.nodes.base import Context, Kind, NodeFailed, NodeType, Outputs
from engine.nodes.transform import VALUE_IN, read_expression
from engine.sockets import Socket, SocketType
from engine.values import kind_of


class Condition(NodeType):
    """Passes the wired value on at the output its CEL expression decides for."""

    type = "condition"
    category = "Utilities"
    kind = Kind.CPU

    def parse(self, data: Mapping[str, Any]) -> str:
        return read_expression(data, is_condition=True)

    def inputs(self, settings: str) -> Mapping[str, Socket]:
        return {VALUE_IN: Socket(type=SocketType.ANY)}

    def outputs(self, settings: str) -> Mapping[str, Socket]:
        return {"true-out": Socket(type=SocketType.ANY), "false-out": Socket(type=SocketType.ANY)}

    def foresee(self, settings: str, inputs: Mapping[str, Any]) -> Outputs:
        value = inputs.get(VALUE_IN)
        return {"true-out": value, "false-out": value}

    async def run(self, settings: str, inputs: Mapping[str, Any], context: Context) -> Outputs:
        value = inputs.get(VALUE_IN)
        cel.check_size(value)
        verdict = await context.evaluate(settings, value)
        if not isinstance(verdict, bool):
            reason = f"The expression gave {kind_of(verdict)}; a condition needs true or false"
            raise NodeFailed(cel.ERROR, reason)
        return {"true-out" if verdict else "false-out": value}
