"""Outputs of failed nodes as their settings say: the socket `error-out`, and fallback values."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors.nodes import SettingFault
from engine.nodes.support.base import NodeType
from engine.nodes.support.policy import Policy
from engine.values.plain import kind_of
from engine.values.sockets import MEDIA_TYPES, Socket, Sockets, SocketType

ERROR_OUT = "error-out"
"""Output of the error of a node that has failed; a node that completes delivers nothing there."""
SCHEMES = ("https://", "http://")
ONE_WAY = "onError sends failures another way; set it to 'fail' to send them along this edge"


def with_error_out(kind: NodeType, sockets: Sockets, policy: Policy | None = None) -> Sockets:
    """Return the sockets of a node with `error-out`, if its type can fail.

    A policy other than `fail` forbids edges from there.
    """
    if not kind.can_fail:
        return sockets
    refusal = "" if policy is None or policy.on_error == "fail" else ONE_WAY
    error_out = Socket(type=SocketType.ANY, refusal=refusal)
    return Sockets(sockets.inputs, {**sockets.outputs, ERROR_OUT: error_out})


def fallback_faults(policy: Policy, outputs: Mapping[str, Socket]) -> Iterator[SettingFault]:
    """Yield a fault for each fallback value without an output socket whose type it has."""
    for name, value in policy.fallback.items():
        path = f"fallback.{name}"
        socket = outputs.get(name) if name != ERROR_OUT else None
        if socket is None:
            names = [each for each in outputs if each != ERROR_OUT]
            known = f"has {', '.join(map(repr, names))}" if names else "has none"
            reason = f"{path}: the node has no output '{name}' to fall back at; it {known}"
            yield SettingFault(reason, path, is_beyond_schema=True)
        elif (words := _misfit(socket.type, value)) is not None:
            yield SettingFault(f"{path} {words}", path, is_beyond_schema=True)


def _misfit(kind: SocketType, value: Any) -> str | None:
    """Return words for a value that the socket cannot give; a list gives its items."""
    if kind is SocketType.ANY or value is None:
        return None
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str):
            return f"must be a text, a list of texts or null, not {kind_of(item)}"
        if kind in MEDIA_TYPES and not item.lower().startswith(SCHEMES):
            return f"must be the URL of the {kind}, which begins with https://"
    return None
