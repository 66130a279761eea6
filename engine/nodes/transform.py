"""Transform: one expression over one value."""

from collections.abc import Mapping
from typing import Any

from engine import cel
from engine.nodes.base import Context, Kind, NodeType, Outputs, SettingsError
from engine.sockets import Socket, SocketType

VALUE_IN = "value-in"


class Transform(NodeType):
    """Gives what its CEL expression makes of the wired value."""

    type = "transform"
    category = "Utilities"
    kind = Kind.CPU

    def parse(self, data: Mapping[str, Any]) -> str:
        return read_expression(data)

    def inputs(self, settings: str) -> Mapping[str, Socket]:
        return {VALUE_IN: Socket(type=SocketType.ANY)}

    def outputs(self, settings: str) -> Mapping[str, Socket]:
        return {"value-out": Socket(type=SocketType.ANY)}

    async def run(self, settings: str, inputs: Mapping[str, Any], context: Context) -> Outputs:
        value = inputs.get(VALUE_IN)
        cel.check_size(value)
        return {"value-out": await context.evaluate(settings, value)}


def read_expression(data: Mapping[str, Any], *, is_condition: bool = False) -> str:
    """The checked `expression` of a node. Raises SettingsError."""
    expression = data.get("expression")
    if not isinstance(expression, str):
        raise SettingsError("expression must be a text: CEL over 'value', such as value.name")
    reason = cel.check(expression, is_condition=is_condition)
    if reason:
        raise SettingsError(reason)
    return expression
