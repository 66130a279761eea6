"""Sockets: types of the values on edges, and their compatibility."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class SocketType(StrEnum):
    """Type of a socket's values."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    ANY = "any"


MEDIA_TYPES = frozenset({SocketType.IMAGE, SocketType.VIDEO, SocketType.AUDIO, SocketType.FILE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """Typed input or output; `many` and `required` concern inputs only."""

    type: SocketType
    many: bool = False
    """The socket takes any number of edges, and gets a list."""
    required: bool = False
    """A node without an edge to this socket cannot run."""
    refusal: str = ""
    """Reason why the node's settings forbid an edge at this socket; empty: they allow it."""


class Sockets(NamedTuple):
    """Sockets of a node by name."""

    inputs: Mapping[str, Socket]
    outputs: Mapping[str, Socket]

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Return the sockets in the format of the API."""
        return {
            "inputs": [
                {
                    "name": name,
                    "type": socket.type.value,
                    "many": socket.many,
                    "required": socket.required,
                }
                for name, socket in self.inputs.items()
            ],
            "outputs": [
                {"name": name, "type": socket.type.value} for name, socket in self.outputs.items()
            ],
        }


NO_SOCKETS = Sockets({}, {})


def is_compatible(source: SocketType, target: SocketType) -> bool:
    """Return True if an output of type `source` may feed an input of type `target`."""
    return source == target or SocketType.ANY in (source, target)
