"""Transform: a CEL expression over the wired values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.expressions import (
    EXPRESSION,
    VARIABLES,
    read_expression,
    read_values,
    sockets,
)
from engine.nodes.support.settings import Faults, Setting, as_it_is, read_all
from engine.values.sockets import Socket, SocketType


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionSettings:
    """An expression and its variables beside `value`."""

    expression: str
    variables: tuple[str, ...]


def expression(about: str) -> Setting:
    """Return the setting `expression` of a node."""
    return Setting(
        name="expression",
        about=about,
        widget="expression",
        value=EXPRESSION,
        parse=as_it_is,
        is_required=True,
    )


def read_settings(
    settings: Iterable[Setting],
    data: Mapping[str, Any],
    faults: Faults,
    *,
    is_condition: bool = False,
) -> ExpressionSettings:
    """Read the `expression` and the `variables` of a node."""
    before = len(faults.found)
    given = read_all(settings, data, faults)
    text, variables = given["expression"], given["variables"]
    if len(faults.found) == before:  # a fault of the variables would recur here
        read_expression("expression", text, variables, faults, is_condition=is_condition)
    return ExpressionSettings(expression=str(text), variables=variables)


class Transform(NodeType):
    """Outputs the result of its CEL expression."""

    type = "transform"
    category = "Utilities"
    label = "Transform"
    description = "Outputs the result of an expression over the wired values."
    kind = WorkKind.CPU
    is_dynamic = True
    members = (expression("Expression in CEL."), VARIABLES)

    def read(self, data: Mapping[str, Any], faults: Faults) -> ExpressionSettings:
        return read_settings(self.members, data, faults)

    def inputs(self, settings: ExpressionSettings) -> Mapping[str, Socket]:
        return sockets(settings.variables)

    def outputs(self, settings: ExpressionSettings) -> Mapping[str, Socket]:
        return {"value-out": Socket(type=SocketType.ANY)}

    async def run(
        self, settings: ExpressionSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        values = read_values(settings.variables, inputs)
        return {"value-out": await context.evaluate(settings.expression, values)}
