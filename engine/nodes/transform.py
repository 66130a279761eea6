"""Transform: a CEL expression over the wired values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.expressions import check_expression, read_values, read_variables, sockets
from engine.values.sockets import Socket, SocketType


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionSettings:
    """An expression and its variables beside `value`."""

    expression: str
    variables: tuple[str, ...]


class Transform(NodeType):
    """Outputs the result of its CEL expression."""

    type = "transform"
    category = "Utilities"
    kind = WorkKind.CPU

    def parse(self, data: Mapping[str, Any]) -> ExpressionSettings:
        return read_settings(data)

    def inputs(self, settings: ExpressionSettings) -> Mapping[str, Socket]:
        return sockets(settings.variables)

    def outputs(self, settings: ExpressionSettings) -> Mapping[str, Socket]:
        return {"value-out": Socket(type=SocketType.ANY)}

    async def run(
        self, settings: ExpressionSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        values = read_values(settings.variables, inputs)
        return {"value-out": await context.evaluate(settings.expression, values)}


def read_settings(data: Mapping[str, Any], *, is_condition: bool = False) -> ExpressionSettings:
    """Read the `expression` and the `variables` of a node. Raises SettingsError."""
    variables = read_variables(data)
    expression = check_expression(
        "expression", data.get("expression"), variables, is_condition=is_condition
    )
    return ExpressionSettings(expression=expression, variables=variables)
