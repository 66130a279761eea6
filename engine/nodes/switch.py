"""Switch: passes a value to one of several named outputs."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.expressions import (
    EXPRESSION,
    VALUE_IN,
    VARIABLES,
    read_expression,
    read_values,
    sockets,
)
from engine.nodes.support.settings import Faults, Setting
from engine.values.sockets import Socket, SocketType

ELSE_OUT = "else-out"
MAX_CASES = 20
CASES_WORDS = f"must be a list of 1 to {MAX_CASES} objects: name and when"
Case = tuple[str, str, object]
"""Path of the condition, name and condition."""
CASE_NAME = re.compile(r"\w{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSettings:
    """Names and conditions of the cases, in order, and the variables of the conditions."""

    names: tuple[str, ...]
    conditions: tuple[str, ...]
    variables: tuple[str, ...]


def _read_cases(raw: object, path: str, faults: Faults) -> list[Case] | None:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_CASES:
        faults.add(path, CASES_WORDS)
        return None
    found: list[Case] = []
    for position, case in enumerate(raw):
        member = f"{path}[{position}]"
        name = case.get("name") if isinstance(case, dict) else None
        if not isinstance(case, dict):
            faults.add(member, "must be an object with name and when")
        elif not isinstance(name, str) or not CASE_NAME.fullmatch(name):
            faults.add(f"{member}.name", "must be a text of 1 to 64 letters, digits and _")
        elif name in (each for _, each, _ in found):
            reason = f"{member}.name: '{name}' is the name of another case"
            faults.add_rule(reason, f"{member}.name")
        else:
            found.append((f"{member}.when", name, case.get("when")))
    return found


CASES = Setting(
    name="cases",
    about="The cases in order: the name of the socket, and CEL that gives true or false.",
    widget="cases",
    value={
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_CASES,
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "pattern": f"^(?:{CASE_NAME.pattern})$"},
                "when": EXPRESSION,
            },
            "required": ["name", "when"],
        },
    },
    parse=_read_cases,
    fallback=(),
    is_required=True,
    missing=CASES_WORDS,
)


class Switch(NodeType):
    """Passes the wired value to the output of the first case whose condition is true."""

    type = "switch"
    category = "Utilities"
    label = "Switch"
    description = "Passes a value to the output of the first case whose condition is true."
    kind = WorkKind.CPU
    is_dynamic = True
    members = (CASES, VARIABLES)

    def read(self, data: Mapping[str, Any], faults: Faults) -> SwitchSettings:
        before = len(faults.found)
        variables = VARIABLES.read(data, faults)
        # A fault of the variables would recur in each case.
        is_checked = len(faults.found) == before
        cases = CASES.read(data, faults if is_checked else Faults())
        for path, _, when in cases if is_checked else ():
            read_expression(path, when, variables, faults, is_condition=True)
        return SwitchSettings(
            names=tuple(name for _, name, _ in cases),
            conditions=tuple(str(when) for _, _, when in cases),
            variables=variables,
        )

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
