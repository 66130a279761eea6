"""The sample that the test module of a node type gives to the tests of all node types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.nodes.support.base import WorkKind


@dataclass(frozen=True, slots=True)
class NodeSample:
    """Settings that a node type takes, and the facts that the contract fixes about it.

    A test module in `tests/engine/nodes` has the samples of the node types of the module that it
    mirrors in `SAMPLES`, by type.
    """

    kind: WorkKind
    category: str
    settings: Mapping[str, Any]
    is_charged: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Values by input socket that a run needs."""
