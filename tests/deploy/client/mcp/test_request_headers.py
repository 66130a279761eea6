"""A message itself says which headers go beside it."""

from typing import Any

import pytest
from mcp_types.jsonrpc import JSONRPCNotification, JSONRPCRequest

from deploy.client.mcp.request_headers import request_headers

REVISION = "io.modelcontextprotocol/protocolVersion"


def request(method: str, revision: object = "2026-07-28", **params: Any) -> JSONRPCRequest:
    meta = {} if revision is None else {"_meta": {REVISION: revision}}
    return JSONRPCRequest(jsonrpc="2.0", id=1, method=method, params={**params, **meta})


@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("tools/call", {"name": "greeting-letter"}, "greeting-letter"),
        ("tools/call", {"name": "grüße"}, "=?base64?Z3LDvMOfZQ==?="),
        ("resources/read", {"uri": "file:///a"}, "file:///a"),
        ("tasks/get", {"taskId": "one"}, "one"),
        ("tasks/update", {"taskId": "one"}, "one"),
        ("tasks/cancel", {"taskId": "one"}, "one"),
        ("tools/list", {}, None),
        ("tools/call", {"name": 7}, None),
    ],
)
def test_a_request_of_the_newest_revision_has_headers_of_its_own(
    method: str, params: dict[str, Any], name: str | None
) -> None:
    expected = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}

    headers = request_headers(request(method, **params), None)

    assert headers == expected | ({} if name is None else {"mcp-name": name})


def test_a_line_break_cannot_end_a_header() -> None:
    headers = request_headers(request("tools/list\r\nx: y", revision="a\nb"), None)

    assert headers is not None
    assert all(value.startswith("=?base64?") for value in headers.values())


@pytest.mark.parametrize("revision", [None, 7])
def test_a_request_of_older_revisions_has_the_negotiated_one(revision: object) -> None:
    before = request_headers(request("tools/list", revision), None)
    after = request_headers(request("tools/list", revision), "2025-11-25")

    assert before is None
    assert after == {"mcp-protocol-version": "2025-11-25"}


def test_the_request_that_negotiates_has_none() -> None:
    assert request_headers(request("initialize", None), "2025-11-25") is None


def test_a_notification_has_the_negotiated_revision() -> None:
    note = JSONRPCNotification(jsonrpc="2.0", method="notifications/initialized")

    assert request_headers(note, None) is None
    assert request_headers(note, "2025-06-18") == {"mcp-protocol-version": "2025-06-18"}
