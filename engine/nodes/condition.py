"""Condition: passes a value to one of two outputs."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.expressions import VALUE_IN, VARIABLES, read_values, sockets
from engine.nodes.support.settings import Faults
from engine.nodes.transform import ExpressionSettings, expression, read_settings
from engine.values import cel
from engine.values.sockets import Socket, SocketType


class Condition(NodeType):
    """Passes the wired value to the output that its CEL expression selects."""

    type = "condition"
    category = "Utilities"
    label = "Condition"
    description = "Passes a value to one of two outputs, which an expression selects."
    kind = WorkKind.CPU
    is_dynamic = True
    members = (expression("Condition in CEL, true or false."), VARIABLES)

    def read(self, data: Mapping[str, Any], faults: Faults) -> ExpressionSettings:
        return read_settings(self.members, data, faults, is_condition=True)

    def inputs(self, settings: ExpressionSettings) -> Mapping[str, Socket]:
        return sockets(settings.variables)

    def outputs(self, settings: ExpressionSettings) -> Mapping[str, Socket]:
        return {"true-out": Socket(type=SocketType.ANY), "false-out": Socket(type=SocketType.ANY)}

    def estimate_outputs(
        self,
        settings: ExpressionSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Outputs:
        value = inputs.get(VALUE_IN)
        return {"true-out": value, "false-out": value}

    async def run(
        self, settings: ExpressionSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        values = read_values(settings.variables, inputs)
        verdict = await context.evaluate(settings.expression, values)
        if not isinstance(verdict, bool):
            raise cel.not_a_verdict(verdict)
        return {"true-out" if verdict else "false-out": inputs.get(VALUE_IN)}
