"""Parameters of paths and headers, as JSON Schema."""

from engine.executions.events import EVENT_ID
from engine.ids.secret_names import NAME
from engine.ids.slugs import SLUG
from gateway.http.types import Parameter, Schema
from gateway.openapi.examples import ACCOUNT_ID, ASSET_ID, EXECUTION_ID, KEY_ID
from gateway.openapi.schema import ID, INTEGER, TEXT, described, matching

SLUG_NAME = described(matching(SLUG.pattern), "A workflow's slug.", "greeting")
PATHS: dict[str, Schema] = {
    "slug": SLUG_NAME,
    "execution_id": described(ID, "The id that the run was answered with.", EXECUTION_ID),
    "asset_id": described(TEXT, "The id of an asset.", ASSET_ID),
    "internal_name": described(TEXT, "A model's internal name.", "echo"),
    "key_id": described(TEXT, "The id of an API key, not the key itself.", KEY_ID),
    "version": described(INTEGER, "The number of a workflow's version.", 3),
    "account_id": described(TEXT, "The id of an account.", ACCOUNT_ID),
    "session_id": described(TEXT, "The id of a session in the list of sessions."),
    "delivery_id": described(ID, "The `webhook-id` of a delivery.", EXECUTION_ID),
    "secret_name": described(matching(NAME), "The name of a secret.", "STRIPE_KEY"),
}
"""By their names in the route."""

NODE_ID: Parameter = (
    "node_id",
    described(TEXT, "The id of a node of the workflow; one with `/` is escaped.", "text"),
)
PREFER: Parameter = (
    "Prefer",
    described(TEXT, "How long to wait, as `timeout` says it.", "wait=30"),
)
IDEMPOTENCY_KEY: Parameter = (
    "Idempotency-Key",
    described(
        matching(r'[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}"'),
        "A call that is repeated with the same key within a day runs once.",
        "order-4711",
    ),
)
ACCOUNT_EVENT_ID = "([0-9]{1,15})-([0-9]{1,9})"
"""Pattern of the ids of an account's events: millisecond, and number within it."""
LAST_EVENT_ID: Parameter = (
    "Last-Event-ID",
    described(
        matching(EVENT_ID.pattern), "The event that was seen last; those behind it follow.", "3.1"
    ),
)
LAST_ACCOUNT_EVENT: Parameter = (
    "Last-Event-ID",
    described(
        matching(ACCOUNT_EVENT_ID), "The event that was seen last; those after it follow.", "9-1"
    ),
)
IF_MATCH_REVISION: Parameter = (
    "If-Match",
    described(TEXT, "The revision that may be replaced, `0` for none yet, or `*`.", '"7"'),
)
IF_NONE_MATCH: Parameter = (
    "If-None-Match",
    described(TEXT, "The ETag of an earlier answer, which is 304 if nothing has changed."),
)
IF_MATCH: Parameter = (
    "If-Match",
    described(TEXT, "The version that may be replaced, or `*`.", '"3"'),
)
