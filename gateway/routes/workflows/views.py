"""Types of checks of graphs."""

from typing import Annotated, Any

from msgspec import UNSET, UnsetType

from engine.values.sockets import SocketType
from gateway.http.types import OBJECT, Credits, Nested, View, described_as, doc


class GraphProblem(Nested, kw_only=True):
    """A problem of a graph, and its place."""

    node_id: str | UnsetType = UNSET
    edge_id: str | UnsetType = UNSET
    path: Annotated[
        list[str] | UnsetType,
        doc(
            "With a problem in the body of a `forEach`: ids of the nodes around it, from the "
            "outermost one, and of the inner node. Edge, setting and socket are those of the body."
        ),
    ] = UNSET
    field: Annotated[
        str | UnsetType,
        doc("Path of the setting within the node's `data`, such as `items[0].value`."),
    ] = UNSET
    socket: Annotated[str | UnsetType, doc("Socket of the node, or at one end of the edge.")] = (
        UNSET
    )
    reason: str


class OutputSocketView(Nested):
    """An output socket of a node."""

    name: str
    type: SocketType


class InputSocketView(OutputSocketView):
    """An input socket of a node."""

    many: Annotated[bool, doc("It takes any number of edges.")]
    required: Annotated[bool, doc("The node cannot run without an edge here.")]


class NodeSocketsView(Nested):
    """The sockets of a node as its settings are now."""

    inputs: list[InputSocketView]
    outputs: list[OutputSocketView]
    body: Annotated[
        OBJECT | UnsetType, doc("The sockets of each node of the body of a `forEach`, by its id.")
    ] = UNSET


class EstimateView(Nested):
    """The most that a run costs, of the nodes without problems."""

    total: Credits
    by_node: Annotated[
        dict[str, int],
        doc("Credits of each charged node by its id; a node with children has the cost of them."),
    ]
    is_per_item: Annotated[
        list[str], doc("Ids of the nodes of which the cost is that of one item.")
    ]


class CheckView(View):
    """State of a graph as it is now."""

    problems: Annotated[list[OBJECT], described_as(list[GraphProblem])]
    sockets: Annotated[OBJECT, described_as(dict[str, NodeSocketsView])]
    estimate: Annotated[OBJECT, described_as(EstimateView)]


CHECKED: dict[str, Any] = {
    "problems": [
        {
            "nodeId": "text",
            "socket": "name",
            "reason": "Nothing is wired to the input socket 'name'",
        }
    ],
    "sockets": {
        "text": {
            "inputs": [{"name": "name", "type": "any", "many": False, "required": True}],
            "outputs": [{"name": "text-out", "type": "text"}],
        }
    },
    "estimate": {"total": 0, "byNode": {}, "isPerItem": []},
}
CheckView.examples = (CheckView(**CHECKED),)
