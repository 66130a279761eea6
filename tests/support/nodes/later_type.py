"""A node type of a later release, which a test makes known to this process for a while."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import engine.nodes
from engine.graph import features
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, flag
from engine.values.sockets import Socket, SocketType

LATER = "teaTime"


class Later(NodeType):
    """Gives the value at its socket with a word of its own."""

    type = LATER
    category = "Utilities"
    label = "Tea Time"
    description = "Adds tea to a text."
    kind = WorkKind.PURE
    members = (flag("milk", "Milk is added."),)

    def read(self, data: Mapping[str, Any], faults: Faults) -> bool:
        return bool(self.members[0].read(data, faults))

    def inputs(self, settings: bool) -> Mapping[str, Socket]:
        return {"value-in": Socket(type=SocketType.ANY)}

    def outputs(self, settings: bool) -> Mapping[str, Socket]:
        return {"text-out": Socket(type=SocketType.TEXT)}

    async def run(self, settings: bool, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return {"text-out": f"{inputs.get('value-in')} tea{' with milk' if settings else ''}"}


def learn() -> None:
    """Make the type known to this process."""
    engine.nodes._BY_NAME[LATER] = Later()
    _forget_features()


def unlearn() -> None:
    """Make the type unknown again."""
    engine.nodes._BY_NAME.pop(LATER, None)
    _forget_features()


def _forget_features() -> None:
    features.known_features.cache_clear()
    features._schema.cache_clear()


@contextmanager
def known_later() -> Iterator[None]:
    """Let this process know the type while the context lasts."""
    learn()
    try:
        yield
    finally:
        unlearn()
