"""Switch: passes a value to one of several named outputs."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.expressions import (
    VALUE_IN,
    check_expression,
    read_values,
    read_variables,
    sockets,
)
from engine.values.sockets import Socket, SocketType

ELSE_OUT = "else-out"
MAX_CASES = 20
CASE_NAME = re.compile(r"\w{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSettings:
    """Names and conditions of the cases, in order, and the variables of the conditions."""

    names: tuple[str, ...]
    conditions: tuple[str, ...]
    variables: tuple[str, ...]


class Switch(NodeType):
    """Passes the wired value to the output of the first case whose condition is true."""

    type = "switch"
    category = "Utilities"
    kind = WorkKind.CPU

    def parse(self, data: Mapping[str, Any]) -> SwitchSettings:
        variables = read_variables(data)
        cases = data.get("cases")
        if not isinstance(cases, list) or not 1 <= len(cases) <= MAX_CASES:
            raise SettingsError(f"cases must be a list of 1 to {MAX_CASES} objects: name and when")
        names: list[str] = []
        conditions: list[str] = []
        reasons: list[str] = []
        for position, case in enumerate(cases):
            try:
                name, condition = _read_case(f"cases[{position}]", case, names, variables)
            except SettingsError as error:
                reasons += error.reasons
                continue
            names.append(name)
            conditions.append(condition)
        if reasons:
            raise SettingsError(*reasons)
        return SwitchSettings(names=tuple(names), conditions=tuple(conditions), variables=variables)

    def inputs(self, settings: SwitchSettings) -> Mapping[str, Socket]:
        return sockets(settings.variables)

    def outputs(self, settings: SwitchSettings) -> Mapping[str, Socket]:
        return {name: Socket(type=SocketType.ANY) for name in (*settings.names, ELSE_OUT)}

    def estimate_outputs(
        self, settings: SwitchSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return dict.fromkeys((*settings.names, ELSE_OUT), inputs.get(VALUE_IN))

    async def run(
        self, settings: SwitchSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        values = read_values(settings.variables, inputs)
        taken = await context.choose(settings.conditions, values)
        name = ELSE_OUT if taken is None else settings.names[taken]
        return {name: inputs.get(VALUE_IN)}


def _read_case(
    member: str, case: object, taken: Collection[str], variables: tuple[str, ...]
) -> tuple[str, str]:
    if not isinstance(case, dict):
        raise SettingsError(f"{member} must be an object with name and when")
    name = case.get("name")
    if not isinstance(name, str) or not CASE_NAME.fullmatch(name):
        raise SettingsError(f"{member}.name must be a text of 1 to 64 letters, digits and _")
    if name in taken:
        raise SettingsError(f"{member}.name: '{name}' is the name of another case")
    when = check_expression(f"{member}.when", case.get("when"), variables, is_condition=True)
    return name, when
