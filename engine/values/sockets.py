"""Sockets: what flows along an edge, and which output fits which input."""

from dataclasses import dataclass
from enum import StrEnum


class SocketType(StrEnum):
    """What a socket carries."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    ANY = "any"


MEDIA_TYPES = frozenset({SocketType.IMAGE, SocketType.VIDEO, SocketType.AUDIO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """A typed end of edges; `many` and `required` concern inputs only."""

    type: SocketType
    many: bool = False
    """Takes any number of wires, and gets a list."""
    required: bool = False
    """A node without a wire here cannot run."""
    refusal: str = ""
    """Why nothing may be wired here with the node's settings as they are; empty: it may."""


def is_compatible(source: SocketType, target: SocketType) -> bool:
    """Whether an output of type `source` may feed an input of type `target`."""
    return source == target or SocketType.ANY in (source, target)
