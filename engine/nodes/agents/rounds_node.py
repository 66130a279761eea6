"""Nodes that begin children in rounds, of which each may run a graph of its own."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.nodes.support.base import NO_MEDIA, Outputs
from engine.nodes.support.children import (
    Callee,
    ChildrenNode,
    ChildrenSettings,
    ChildrenSpec,
    ChildResult,
)
from engine.values.fields import Field
from engine.values.sockets import SocketType


class PartGraph(Struct, frozen=True):
    """Graph that the type makes of the settings of a node: children of the node run it."""

    nodes: Sequence[Mapping[str, Any]]
    edges: Sequence[Mapping[str, Any]]


class RoundsNode(ChildrenNode):
    """Node type whose nodes begin children round after round, until they have their outputs."""

    takes_retry = True

    @abstractmethod
    def parts(self, settings: Any) -> Mapping[str, PartGraph]:
        """Return the graphs of the node's own children by name."""

    @abstractmethod
    def callees(self, settings: Any) -> Sequence[Callee]:
        """Return the workflows that children may run."""

    def callee(self, settings: Any) -> Callee | None:
        return None

    def bind(
        self,
        settings: Any,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> Any:
        return settings

    def begin(
        self, settings: ChildrenSettings, inputs: Mapping[str, Any], fields: Sequence[Field]
    ) -> ChildrenSpec:
        raise AssertionError("a node with rounds is walked by its rounds")

    def collect(self, settings: ChildrenSettings, results: Sequence[ChildResult]) -> Outputs:
        raise AssertionError("a node with rounds is walked by its rounds")
