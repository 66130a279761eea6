"""Requests of the matrix: an effective body for each call that takes one, with ids left open.

`{asset_id}` stands for the id of an asset. Each request succeeds, or is refused for a reason that
lies behind the look at the ids, when all ids are the caller's own.
"""

from typing import Any

from tests.support.gateway.documents import edge, node

PICTURE = {"name": "picture", "label": "Picture", "type": "image", "required": False}
NAME = {"name": "name", "label": "Name", "type": "text", "required": True, "maxLength": 40}
INPUTS = {"name": "Eve", "picture": "{asset_id}"}
RUN = {"inputs": INPUTS}
SECRET = {"type": "bearer", "secret": "{secret_name}"}
REMOTE = "http://127.0.0.1:1/"


def gallery(name: str, *others: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a workflow that takes a name and a picture, with nodes that nothing is wired to."""
    nodes = [
        node("in", "requestInput", fields=[NAME, PICTURE], values={"name": "Ada"}),
        node("text", "textBox", text="Hello {{ name }}"),
        node("out", "responseOutput"),
        *others,
    ]
    edges = [edge("in", "name", "text", "name"), edge("text", "text-out", "out", "result-in")]
    return {"name": name, "nodes": nodes, "edges": edges, **members}


DOCUMENT = gallery(
    "Named",
    node("picture", "upload") | {"data": {"asset": "{asset_id}", "kind": "image"}},
    node("call", "httpRequest", url=REMOTE, auth=SECRET),
    node("inner", "subWorkflow", workflow="{slug}"),
    cover="{asset_id}",
)
INNER_NODES = [
    node("each", "forEach", workflow="{slug}"),
    node("agent", "agent", model="echo", prompt="hi", tools=[{"workflow": "{slug}"}]),
    node("agent", "agent", model="echo", prompt="hi", tools=[{"server": REMOTE, "auth": SECRET}]),
    node("tool", "mcpTool", server=REMOTE, tool="t", auth=SECRET),
]
"""Further nodes with settings that name objects, each tried by a check of its graph."""
HOOK = {
    "kind": "webhook",
    "name": "Hook",
    "workflowSlug": "{slug}",
    "verify": {"kind": "bearer", "secret": "{secret_name}"},
}
SCHEDULE = {
    "kind": "schedule",
    "name": "Digest",
    "workflowSlug": "{slug}",
    "cron": "0 9 * * 1",
    "inputs": INPUTS,
}
TEST = {
    "inputs": INPUTS,
    "expect": ["true"],
    "pinned": {"text": {"text-out": "{asset_id}"}},
    "judge": {"workflow": "{slug}", "inputs": {"name": "result.text"}},
}
ONE_FILTER = [
    {name: f"{{{kind}}}"}
    for name, kind in {
        "batchId": "batch_id",
        "httpRequestId": "request_id",
        "keyId": "key_id",
        "tag": "tag",
        "traceId": "trace_id",
        "triggerId": "trigger_id",
        "workflowSlug": "slug",
    }.items()
]
WORKFLOW = "/api/workflows/{slug}"
BODIES: dict[str, list[Any]] = {
    f"POST {WORKFLOW}/run": [RUN],
    "POST /api/models/{internal_name}/run": [{"inputs": {"prompt": "hi", "image": "{asset_id}"}}],
    "POST /api/models/{internal_name}/try": [{"inputs": {"prompt": "hi", "image": "{asset_id}"}}],
    "POST /api/executions/cancel": [*ONE_FILTER, {"tag": ["{tag}"]}],
    "POST /api/executions/{execution_id}/approvals/{node_id}": [{"decision": "approve"}],
    f"POST {WORKFLOW}/batch": [{"items": [RUN]}],
    "POST /api/triggers/preview": [{"cron": "0 9 * * 1", "timezone": "UTC", "count": 1}],
    "POST /api/triggers": [HOOK, SCHEDULE],
    "PATCH /api/triggers/{trigger_id}": [HOOK, SCHEDULE],
    "POST /api/triggers/{trigger_id}/test": [{"body": {"picture": "x"}}],
    "POST /api/workflows/check": [
        {"nodes": DOCUMENT["nodes"], "edges": DOCUMENT["edges"], "inputs": INPUTS},
        *({"nodes": [each], "edges": []} for each in INNER_NODES),
    ],
    "POST /api/expressions/try": [{"expression": "value", "value": "x"}],
    "POST /api/mcp/tools": [{"server": REMOTE, "auth": SECRET}],
    "POST /api/workflows": [DOCUMENT, {"name": "Copy", "copyOf": "{slug}"}],
    f"PUT {WORKFLOW}": [DOCUMENT],
    f"PUT {WORKFLOW}/aliases/{{alias_name}}": [{"version": 1}],
    f"PUT {WORKFLOW}/draft": [DOCUMENT],
    f"POST {WORKFLOW}/publish": [{"note": "n"}],
    f"POST {WORKFLOW}/draft/run": [
        RUN,
        {"inputs": {"name": "Eve"}, "from": "{execution_id}"},
        {"inputs": {"name": "Eve"}, "pinned": {"in": {"picture": "{asset_id}"}}},
    ],
    f"POST {WORKFLOW}/replay": [
        {"executionIds": ["{execution_id}"], "against": 1, "calls": "recorded"},
        {"last": 1, "against": "{alias_name}", "calls": "recorded"},
    ],
    f"POST {WORKFLOW}/tests/run": [
        {"version": 1, "names": ["{test_name}"]},
        {"version": "{alias_name}"},
    ],
    f"PUT {WORKFLOW}/tests/{{test_name}}": [TEST],
    "POST /api/models/check": [{"manifest": ""}],
    "POST /api/models": [{"manifest": ""}],
    "PUT /api/models/{internal_name}": [{"manifest": ""}],
    "POST /api/api-keys": [{"name": "k", "capabilities": ["workflow:{slug}:run"]}],
    "PATCH /api/api-keys/{key_id}": [{"name": "renamed"}],
    "POST /api/grant-requests/{grant_request}": [{"granted": True, "workflows": ["{slug}"]}],
    "PUT /api/api-keys/{key_id}/webhook": [{"url": REMOTE}],
    "POST /api/api-keys/{key_id}/webhook/redeliver": [{"since": "2020-01-01T00:00:00.000Z"}],
    "PUT /api/secrets/{secret_name}": [{"value": "a new value"}],
    "POST /api/admin/accounts": [{"email": "x@example.com", "tier": "free"}],
    "PATCH /api/admin/accounts/{account_id}": [{"tier": "free"}],
    "POST /api/admin/accounts/{account_id}/credit": [{"credits": 5, "note": "n"}],
}
"""Bodies by call. A call without one gets an empty object."""

QUERIES: dict[str, dict[str, str]] = {
    f"POST {WORKFLOW}/run": {"async": "true"},
    f"POST {WORKFLOW}/draft/run": {"async": "true"},
    "POST /api/models/{internal_name}/run": {"async": "true"},
    "GET /api/executions/{execution_id}/values": {"node": "text", "output": "text-out"},
}
"""Query parameters that a call needs besides."""
COMPANIONS = {"parentId": {"parentNodeId": "text"}}
"""Query parameters that another one needs beside itself."""
