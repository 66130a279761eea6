"""Delay: passes a value on after a time."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from time import time
from typing import Any

from engine.errors.nodes import NodeFailed, SettingFault
from engine.executions.node_waits import MAX_SECONDS, Answer, NewWait, WaitKind
from engine.nodes.support.base import Outputs
from engine.nodes.support.expressions import VALUE_IN
from engine.nodes.support.settings import Faults, Setting, is_number, pattern, read_all, reader
from engine.nodes.support.waits import INVALID_INPUTS, WaitingNode, refuse_retry
from engine.values.plain import kind_of, parse_moment
from engine.values.sockets import Socket, SocketType

SECONDS_IN = "seconds-in"
UNTIL_IN = "until-in"
VALUE_OUT = "value-out"
MOMENT = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)"
"""Pattern of a time of RFC 3339."""
MOMENT_WORDS = "must be a time with its zone as in RFC 3339, such as 2030-01-31T09:00:00Z"
RANGE_WORDS = f"must be a number of seconds from 0 to {MAX_SECONDS}"
TOO_FAR = f"must be at most {MAX_SECONDS} seconds (30 days) ahead"
NEITHER = "Say how long the node waits: set 'seconds' or 'until', or wire one of them"
BOTH_SET = "'seconds' and 'until' are both set; a delay has one of them"
BOTH_WIRED = f"'{SECONDS_IN}' and '{UNTIL_IN}' are both wired; a delay has one of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class DelaySettings:
    """End of the wait, unless a wire says it."""

    seconds: float | None
    until: int | None
    """Time in milliseconds."""


def _accept_seconds(raw: object) -> float | None:
    return float(raw) if is_number(raw) and 0 <= raw <= MAX_SECONDS else None


SECONDS = Setting(
    name="seconds",
    title="Time",
    about="Seconds for which the node waits.",
    widget="duration",
    value={"type": "number", "minimum": 0, "maximum": MAX_SECONDS},
    parse=reader(_accept_seconds, RANGE_WORDS),
)
UNTIL = pattern(
    "until",
    "Time with its zone (RFC 3339) until which the node waits; a time in the past is no wait.",
    MOMENT,
    MOMENT_WORDS,
    widget="moment",
    title="Moment",
)


class Delay(WaitingNode):
    """Passes the wired value on after some seconds, or at a time."""

    type = "delay"
    label = "Delay"
    description = "Passes a value on after some seconds, or at a time."
    members = (SECONDS, UNTIL)

    def read(self, data: Mapping[str, Any], faults: Faults) -> DelaySettings:
        given = read_all(self.members, data, faults)
        until = None if given["until"] is None else parse_moment(given["until"].upper())
        if given["until"] is not None and until is None:
            faults.add_rule(f"until: there is no such time: {MOMENT_WORDS}", "until")
        refuse_retry(data, faults)
        if data.get("timeoutSeconds") is not None:
            reason = "timeoutSeconds: a delay ends at its time and has no other limit"
            faults.add_rule(reason, "timeoutSeconds")
        return DelaySettings(seconds=given["seconds"], until=until)

    def outdated(self, settings: DelaySettings) -> Iterator[SettingFault]:
        if settings.until is not None and settings.until > int(time() * 1000) + MAX_SECONDS * 1000:
            yield SettingFault(f"until {TOO_FAR}", "until", is_beyond_schema=True)

    def wire_faults(
        self, settings: DelaySettings, wired: Collection[str]
    ) -> Iterator[SettingFault]:
        wires = [each for each in (SECONDS_IN, UNTIL_IN) if each in wired]
        is_set = [each is not None for each in (settings.seconds, settings.until)]
        if len(wires) == 2:
            yield SettingFault(BOTH_WIRED, is_beyond_schema=True)
        elif not wires and all(is_set):
            yield SettingFault(BOTH_SET, "until", is_beyond_schema=True)
        elif not wires and not any(is_set):
            yield SettingFault(NEITHER, "seconds", is_beyond_schema=True)

    def inputs(self, settings: DelaySettings) -> Mapping[str, Socket]:
        return {name: Socket(type=SocketType.ANY) for name in (VALUE_IN, SECONDS_IN, UNTIL_IN)}

    def outputs(self, settings: DelaySettings) -> Mapping[str, Socket]:
        return {VALUE_OUT: Socket(type=SocketType.ANY)}

    def estimate_outputs(
        self, settings: DelaySettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return {VALUE_OUT: inputs.get(VALUE_IN)}

    def begin(self, settings: DelaySettings, inputs: Mapping[str, Any], now: int) -> NewWait | None:
        if SECONDS_IN in inputs:
            return _wait_for(_read_seconds(inputs[SECONDS_IN]))
        until = _read_moment(inputs[UNTIL_IN]) if UNTIL_IN in inputs else settings.until
        if until is None:
            return _wait_for(settings.seconds or 0)
        if until > now + MAX_SECONDS * 1000:
            raise NodeFailed(INVALID_INPUTS, f"'{UNTIL_IN}' {TOO_FAR}")
        return NewWait(kind=WaitKind.DELAY, until=until) if until > now else None

    def collect(
        self, settings: DelaySettings, inputs: Mapping[str, Any], answer: Answer | None = None
    ) -> Outputs:
        return {VALUE_OUT: inputs.get(VALUE_IN)}


def _wait_for(seconds: float) -> NewWait | None:
    duration = int(seconds * 1000)
    return NewWait(kind=WaitKind.DELAY, duration_ms=duration) if duration else None


def _read_seconds(raw: object) -> float:
    seconds = _accept_seconds(raw)
    if seconds is None:
        found = f"{raw} came in" if is_number(raw) else f"{kind_of(raw)} came in"
        raise NodeFailed(INVALID_INPUTS, f"'{SECONDS_IN}' {RANGE_WORDS}, and {found}")
    return seconds


def _read_moment(raw: object) -> int:
    text = UNTIL.read({"until": raw.strip()}, Faults()) if isinstance(raw, str) else None
    until = None if text is None else parse_moment(text.upper())
    if until is None:
        found = f"'{raw[:100]}'" if isinstance(raw, str) else kind_of(raw)
        raise NodeFailed(INVALID_INPUTS, f"'{UNTIL_IN}' {MOMENT_WORDS}, and {found} came in")
    return until
