"""Headers that Streamable HTTP wants beside a message, read from the message itself."""

from collections.abc import Mapping
from typing import Any

from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
)
from mcp_types import PROTOCOL_VERSION_META_KEY
from mcp_types.jsonrpc import JSONRPCMessage, JSONRPCRequest

NAMED_BY = {
    **NAME_BEARING_METHODS,
    **{f"tasks/{verb}": "taskId" for verb in ("get", "update", "cancel")},
}
"""Parameter that the header `mcp-name` repeats, by method; the last three are the extension's."""


def request_headers(message: JSONRPCMessage, negotiated: str | None) -> dict[str, str] | None:
    """Return the headers of a message, or None where it needs none.

    A request of the revision 2026-07-28 names its revision itself; messages of the revisions before
    go by the one that was negotiated.
    """
    if not isinstance(message, JSONRPCRequest):
        return _revision(negotiated)
    params = message.params or {}
    own = _own_revision(params)
    if own is None:
        return _revision(None if message.method == "initialize" else negotiated)
    headers = {
        MCP_PROTOCOL_VERSION_HEADER: encode_header_value(own),
        MCP_METHOD_HEADER: encode_header_value(message.method),
    }
    name = params.get(NAMED_BY.get(message.method, ""))
    if isinstance(name, str):
        headers[MCP_NAME_HEADER] = encode_header_value(name)
    return headers


def _own_revision(params: Mapping[str, Any]) -> str | None:
    meta = params.get("_meta")
    revision = meta.get(PROTOCOL_VERSION_META_KEY) if isinstance(meta, Mapping) else None
    return revision if isinstance(revision, str) else None


def _revision(negotiated: str | None) -> dict[str, str] | None:
    return None if negotiated is None else {MCP_PROTOCOL_VERSION_HEADER: negotiated}
