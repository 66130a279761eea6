"""Digests of nodes with their inputs, by which a replay finds what an earlier run recorded.

Two nodes have one digest if type, settings and inputs are equal. The id of the node, its policy
and the order of sockets are no part of it. Links to the account's assets count as the assets: each
run has links of its own.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from engine.graph.bodies import without_positions
from engine.graph.plan import Node
from engine.nodes.support.base import InEdge
from engine.nodes.support.failures import ERROR_OUT
from engine.nodes.support.http_settings import HttpRequestSettings
from engine.nodes.support.policy import uses_fallback

FindAsset = Callable[[object], str | None]
"""Returns the id of the asset to which a value is a link, None for other values."""

DIGEST_BYTES = 16
POLICY = frozenset({"retry", "timeoutSeconds", "onError", "cache"})
"""Settings that decide when and how often a node runs, and not on what it gives."""
FALLBACK = "fallback"
"""One more of them, unless it is the value of a model's field."""
MARK = "/media/"
LINK = re.compile(r"[a-z]{4,5}://(?:(?!://)[^\s\"'<>]){1,1900}?signature=[0-9a-f]{64}", re.ASCII)
"""Text that may be a link to an asset, alone or within another text.

Another link ends it, so that each character is read once: a search holds up the whole process.
"""


class NodeDigests:
    """Makes the digests of one execution's nodes; each value is read once."""

    def __init__(self, find_asset: FindAsset) -> None:
        self._find_asset = find_asset
        self._values: dict[tuple[int, str, frozenset[str] | None], bytes] = {}

    def of_node(self, node: Node, delivered: Sequence[tuple[InEdge, Any]]) -> bytes:
        """Return the digest of a node and of the values that were delivered to it."""
        sockets: dict[str, list[str]] = {}
        for edge, value in delivered:
            digest = self._of_value(edge, value, node.type.reads(node.settings, edge.socket))
            sockets.setdefault(edge.socket, []).append(digest.hex())
        return _digest([node.type.type, node.type.semantics, *settings_of(node), sockets])

    def _of_value(self, edge: InEdge, value: Any, members: Collection[str] | None) -> bytes:
        """Return the digest of a value, of an object as far as the node reads it."""
        read = None if members is None else frozenset(members)
        place = edge.source, edge.output, read
        if place not in self._values:
            if read is not None and isinstance(value, dict):
                value = {name: value[name] for name in read if name in value}
            self._values[place] = _digest(self.without_links(value))
        return self._values[place]

    def without_links(self, value: Any) -> Any:
        """Return a plain value in which links to assets are replaced by the assets' ids."""
        match value:
            case str():
                return LINK.sub(self._name_asset, value) if MARK in value else value
            case dict():
                return {name: self.without_links(each) for name, each in value.items()}
            case list():
                return [self.without_links(each) for each in value]
        return value

    def _name_asset(self, match: re.Match[str]) -> str:
        asset_id = self._find_asset(match[0])
        return match[0] if asset_id is None else f"asset:{asset_id}"


def settings_of(node: Node) -> tuple[Any, ...]:
    """Return the settings of a node that decide on what it gives."""
    [bare] = without_positions([{"type": node.type.type, "data": dict(node.data)}])
    policy = POLICY | {FALLBACK} if uses_fallback(node.data) else POLICY
    data = {name: value for name, value in bare["data"].items() if name not in policy}
    if isinstance(node.settings, HttpRequestSettings):
        # The wires from it decide whether a refusal fails it, and whether an answer is an asset.
        kept = sorted(medium.value for medium in node.settings.kept)
        return data, node.settings.reads_status, kept
    return (data,)


def wired_outputs(node: Node) -> frozenset[str]:
    """Return the outputs of a completed node that have edges."""
    return node.wired - {ERROR_OUT}


def _digest(value: Any) -> bytes:
    data = json.dumps(value, sort_keys=True, separators=(",", ":"))
    encoded = data.encode(errors="surrogatepass")
    return hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest()
