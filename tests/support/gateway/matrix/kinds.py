"""Kinds of objects that requests name, by the name of the parameter or member that names one.

Each parameter of a path or query, and each member of a body, stands in one of these tables. A new
one stands in none, and the matrix fails until somebody has decided.
"""

PATHS = {
    "alias_name": "alias_name",
    "asset_id": "asset_id",
    "batch_id": "batch_id",
    "delivery_id": "delivery_id",
    "execution_id": "execution_id",
    "key_id": "key_id",
    "occurrence_id": "occurrence_id",
    "replay_id": "replay_id",
    "secret_name": "secret_name",
    "session_id": "session_id",
    "slug": "slug",
    "test_name": "test_name",
    "test_run_id": "test_run_id",
    "trigger_id": "trigger_id",
}
"""Kind of the object that a path parameter names."""

SHARED_PATHS = {
    "account_id": "admins alone name accounts, and see all of them",
    "grant_request": "the token is the right itself; any session may answer it",
    "internal_name": "models belong to the installation",
    "name": "files of the pages belong to nobody",
    "node_id": "a part of an execution, which is named beside it",
    "token": "the token is the right itself",
    "version": "a number within a workflow, which is named beside it",
}
"""Path parameters that name no object of an account, with the reason."""

QUERIES = {
    "batchId": "batch_id",
    "executionId": "execution_id",
    "httpRequestId": "request_id",
    "keyId": "key_id",
    "parentId": "execution_id",
    "tag": "tag",
    "traceId": "trace_id",
    "triggerId": "trigger_id",
    "workflowSlug": "slug",
}
"""Kind of the object that a query parameter, or a member of a filter in a body, names."""

PLAIN_QUERIES = frozenset(
    [
        "after",
        "archived",
        "async",
        "bucket",
        "by",
        "cursor",
        "errorCode",
        "expires",
        "force",
        "from",
        "input",
        "kind",
        "limit",
        "max_credits",
        "modelId",
        "node",
        "offset",
        "output",
        "page",
        "parentNodeId",
        "part",
        "q",
        "signature",
        "source",
        "status",
        "step",
        "timeout",
        "to",
        "verdict",
        "w",
    ]
)
"""Query parameters that name no object."""

MEMBERS = {
    **QUERIES,
    "auth.*": "secret_name",
    "capabilities.[]": "slug",
    "copyOf": "slug",
    "cover": "asset_id",
    "executionIds.[]": "execution_id",
    "judge.workflow": "slug",
    "names.[]": "test_name",
    "tag.[]": "tag",
    "verify.secret": "secret_name",
    "workflows.[]": "slug",
}
"""Kind of the object that a member of a body names."""

OPEN_MEMBERS = {
    "inputs.*": ("asset_id",),
    "items.[].inputs.*": ("asset_id",),
    "nodes.[].data.*": ("asset_id", "secret_name", "slug"),
    "pinned.*": ("asset_id",),
}
"""Kinds of objects that the members of an open object may name."""

PLAIN_MEMBERS = frozenset(
    [
        "*",
        "approved",
        "archived",
        "body",
        "canary",
        "canary.maxErrorRate",
        "canary.maxP95Ms",
        "canary.minRuns",
        "canary.percent",
        "canary.version",
        "calls",
        "capabilities",
        "concurrency",
        "count",
        "credits",
        "cron",
        "decision",
        "description",
        "draft",
        "edges.[].id",
        "edges.[].source",
        "edges.[].sourceHandle",
        "edges.[].target",
        "edges.[].targetHandle",
        "editor",
        "email",
        "enabled",
        "errorCode",
        "eventId",
        "events.[]",
        "expect.[]",
        "expiresAt",
        "expression",
        "fields.*",
        "file",
        "folderId",
        "force",
        "from",
        "granted",
        "headers.*",
        "hidden",
        "hosts.[]",
        "inputs",
        "isTemplate",
        "items.[].tags.[]",
        "judge",
        "judge.inputs.*",
        "kind",
        "last",
        "manifest",
        "max_credits",
        "missed",
        "modelId",
        "name",
        "nodes.[].id",
        "nodes.[].position.x",
        "nodes.[].position.y",
        "nodes.[].type",
        "note",
        "only",
        "overlap",
        "pinned",
        "preset",
        "publicPlayground",
        "q",
        "recordValues",
        "requireTests",
        "rerun",
        "respond",
        "role",
        "secret",
        "server",
        "since",
        "source",
        "status",
        "status.[]",
        "tags.[]",
        "tests",
        "tests.*",
        "tier",
        "timezone",
        "to",
        "url",
        "value",
        "variables.*",
        "verify.encoding",
        "verify.header",
        "verify.kind",
        "verify.prefix",
        "viewport.x",
        "viewport.y",
        "viewport.zoom",
        "webhook",
        "webhook.events.[]",
        "webhook.secret",
        "webhook.url",
        "when",
        "auth",
    ]
)
"""Members of bodies that name no object; values of `tests` are looked at when a test runs."""

SETTINGS = {
    "agent tools.[].auth.secret": "secret_name",
    "agent tools.[].workflow": "slug",
    "forEach workflow": "slug",
    "httpRequest auth.secret": "secret_name",
    "mcpTool auth.secret": "secret_name",
    "subWorkflow workflow": "slug",
    "upload asset": "asset_id",
}
"""Kind of the object that a setting of a node names, by the node's type and the setting."""

NAMING_WIDGETS = frozenset({"asset", "workflow"})
NAMING_ENDS = ("asset", "secret", "workflow", "Id", "id")
"""Widgets and ends of names of settings that may name an object."""

NO_OBJECTS = frozenset({"forEach body.edges.[].id", "forEach body.nodes.[].id"})
"""Settings with such a name that name no object."""
