"""Outputs that the caller of a draft sets for nodes that do not run."""

from collections.abc import Mapping
from typing import Any

from engine.errors import InvalidBody, InvalidInputs
from engine.graph.plan import Node, Plan
from engine.media.ids import is_asset_id
from engine.nodes.support.base import Outputs
from engine.nodes.support.failures import with_error_out
from engine.services.runs.run_inputs import AssetUse, link_asset
from engine.values.fields import Field, FieldType, check_inputs
from engine.values.plain import fault, kind_of
from engine.values.sockets import MEDIA_TYPES, Sockets, SocketType

Pinned = Mapping[str, Mapping[str, Any]]
"""Values by node id and output socket."""


async def read_pinned(
    plan: Plan, pinned: Pinned, use: AssetUse, *, allow_http: bool
) -> dict[int, Outputs]:
    """Return the pinned outputs by node. Ids of assets become links. Raises InvalidBody."""
    nodes = {node.id: node for node in plan.nodes}
    reader = _Reader(use, allow_http)
    outputs: dict[int, Outputs] = {}
    for node_id, values in pinned.items():
        if node_id not in nodes:  # it has problems, and nothing that runs needs it
            continue
        node = nodes[node_id]
        outputs[node.index] = {
            name: await reader.read_value(node, name, value) for name, value in values.items()
        }
    return outputs


class _Reader:
    def __init__(self, use: AssetUse, allow_http: bool) -> None:
        self._use = use
        self._allow_http = allow_http

    async def read_value(self, node: Node, name: str, value: Any) -> Any:
        """Return the value of one socket."""
        place = f"pinned.{node.id}.{name}"
        sockets = Sockets({}, node.type.outputs(node.settings))
        socket = with_error_out(node.type, sockets).outputs.get(name)
        if socket is None:
            raise InvalidBody(f"'{place}': the node has no such output", field="pinned")
        reason = fault(value)
        if reason:
            raise InvalidBody(f"'{place}' {reason}", field="pinned")
        if socket.type is SocketType.ANY:
            return value
        items = value if isinstance(value, list) else [value]
        for item in items:
            if not isinstance(item, str):
                message = f"'{place}' must be a text or a list of texts, not {kind_of(item)}"
                raise InvalidBody(message, field="pinned")
        if socket.type not in MEDIA_TYPES:
            return value
        links = [await self._link(place, FieldType(socket.type.value), item) for item in items]
        return links if isinstance(value, list) else links[0]

    async def _link(self, place: str, kind: FieldType, value: str) -> str:
        field = Field(name=place, label=place, type=kind)
        try:
            if not self._use.media_service.linked(value):
                check_inputs(
                    [field],
                    {place: value},
                    strict=False,
                    allow_http=self._allow_http,
                    allow_assets=True,
                )
            return await link_asset(self._use, field, value, None) if is_asset_id(value) else value
        except InvalidInputs as error:
            reason = error.context["reason"]
            raise InvalidBody(f"'{place}' {reason}", field="pinned") from None
