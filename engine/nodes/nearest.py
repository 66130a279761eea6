"""Nearest: the items whose vectors are nearest to a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.retrieval.vectors import blocks, cosines, is_small
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, whole
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType

QUERY_IN, VECTORS_IN, ITEMS_IN = "query-in", "vectors-in", "items-in"
ITEMS_OUT, SCORES_OUT = "items-out", "scores-out"
MAX_VECTORS = 10_000
USUAL_K = 5
K = whole("k", "Number of items, nearest first.", 1, MAX_VECTORS, default=USUAL_K)


@dataclass(frozen=True, slots=True)
class NearestSettings:
    """Number of items."""

    k: int


class Nearest(NodeType):
    """Outputs the `k` items with the highest cosine, and the cosines; equal ones keep their order.

    A vector is a list of numbers, or its JSON, as models of embeddings give it.
    """

    type = "nearest"
    category = "Utilities"
    label = "Nearest"
    description = "Finds the items whose vectors are nearest to that of a query."
    kind = WorkKind.CPU
    members = (K,)

    def read(self, data: Mapping[str, Any], faults: Faults) -> NearestSettings:
        return NearestSettings(k=K.read(data, faults))

    def inputs(self, settings: NearestSettings) -> Mapping[str, Socket]:
        return dict.fromkeys(
            (QUERY_IN, VECTORS_IN, ITEMS_IN), Socket(type=SocketType.ANY, required=True)
        )

    def outputs(self, settings: NearestSettings) -> Mapping[str, Socket]:
        return dict.fromkeys((ITEMS_OUT, SCORES_OUT), Socket(type=SocketType.ANY))

    async def run(
        self, settings: NearestSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        vectors, items = (_list_at(socket, inputs) for socket in (VECTORS_IN, ITEMS_IN))
        if len(vectors) != len(items):
            message = f"'{VECTORS_IN}' has {len(vectors)} vectors, and '{ITEMS_IN}' {len(items)}"
            raise NodeFailed("invalid_value", f"{message} items; both must be equally long")
        scores = await _score(inputs.get(QUERY_IN), vectors, context)
        best = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)[: settings.k]
        return {
            ITEMS_OUT: [items[position] for position in best],
            SCORES_OUT: [scores[position] for position in best],
        }


def _list_at(socket: str, inputs: Mapping[str, Any]) -> Sequence[Any]:
    value = inputs.get(socket)
    if not isinstance(value, list):
        raise NodeFailed("invalid_value", f"'{socket}' takes a list, not {kind_of(value)}")
    if len(value) > MAX_VECTORS:
        message = f"'{socket}' takes at most {MAX_VECTORS:,} items, not {len(value):,}"
        raise NodeFailed("invalid_value", message)
    return value


async def _score(query: Any, vectors: Sequence[Any], context: Context) -> list[float]:
    """Return the cosines, of many or long vectors part by part from a child process."""
    if is_small([query, *vectors]):
        return cosines(query, vectors)
    scores: list[float] = []
    for first, part in blocks(vectors):
        scores += await context.compute(cosines, query, part, first)
    return scores
