"""Parameters of paths, queries and headers, as JSON Schema."""

from engine.access.capabilities import MODEL_NAME
from engine.billing.credits import MAX_CREDITS
from engine.executions.events import EVENT_ID
from engine.executions.execution import ExecutionStatus
from engine.ids.secret_names import NAME
from engine.ids.slugs import SLUG
from engine.media.links import WIDTHS
from engine.webhooks.deliveries import DeliveryStatus
from gateway.http.query import (
    DEFAULT_LIMIT,
    FALSE_WORDS,
    MAX_LIMIT,
    MAX_OFFSET,
    MAX_SECONDS,
    MAX_SHORT_LIMIT,
    MAX_VERSION,
    TRUE_WORDS,
)
from gateway.http.types import Parameter, Schema
from gateway.openapi.examples import ACCOUNT_ID, ASSET_ID, EXECUTION_ID, KEY_ID
from gateway.openapi.schema import FLAG, ID, INTEGER, NUMBER, TEXT, described, matching, one_of

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

ASYNC: Parameter = (
    "async",
    described(
        {
            "anyOf": [FLAG, one_of(sorted((TRUE_WORDS | FALSE_WORDS) - {"true", "false"}))],
            "default": False,
        },
        "Answer at once, with where to poll. Without a value it is true.",
        True,
    ),
)
TIMEOUT: Parameter = (
    "timeout",
    described(
        {**NUMBER, "minimum": 0, "maximum": MAX_SECONDS},
        "How many seconds to wait for the end; then the answer is a 202.",
        30,
    ),
)
MAX_CREDITS_OF_RUN: Parameter = (
    "max_credits",
    described(
        {"type": "integer", "minimum": 0, "maximum": MAX_CREDITS},
        "What the run may cost at most, in credits.",
        100,
    ),
)
NODE_ID: Parameter = (
    "node_id",
    described(TEXT, "The id of a node of the workflow; one with `/` is escaped.", "text"),
)
NODE: Parameter = ("node", described(TEXT, "The id of a node of the workflow.", "text"))
INPUT: Parameter = ("input", described(TEXT, "An input socket of the node.", "prompt-in"))
OUTPUT: Parameter = ("output", described(TEXT, "An output socket of the node.", "text-out"))
STATUS: Parameter = (
    "status",
    described(one_of(ExecutionStatus), "Only executions with this status.", "completed"),
)
DELIVERY_STATUS: Parameter = (
    "status",
    described(one_of(DeliveryStatus), "Only deliveries with this status.", "failed"),
)
ACCOUNT_TEXT: Parameter = (
    "q",
    described(
        TEXT,
        "Only accounts with this text in their e-mail address, in any case. Such a page may be "
        "short although there is a next one.",
        "example.com",
    ),
)
WORKFLOW: Parameter = (
    "workflowSlug",
    described(SLUG_NAME, "Only what belongs to this workflow.", "greeting"),
)
MODEL: Parameter = (
    "modelId",
    described(matching(MODEL_NAME), "Only what called this model.", "echo"),
)
OFFSET: Parameter = (
    "offset",
    described(
        {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
        "Rows to leave out, the newest first.",
        50,
    ),
)
LIMIT: Parameter = (
    "limit",
    described(
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "Rows of a page.",
        20,
    ),
)
SHORT_LIMIT: Parameter = (
    "limit",
    described(
        {"type": "integer", "minimum": 1, "maximum": MAX_SHORT_LIMIT, "default": DEFAULT_LIMIT},
        "Rows of a page.",
        20,
    ),
)
VERSION: Parameter = (
    "version",
    described(
        {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
        "A former version; the last 50 are kept.",
        1,
    ),
)
VERSION_OF_RUN: Parameter = (
    "version",
    described(
        {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
        "A version that is kept, instead of the live one.",
        3,
    ),
)
WIDTH: Parameter = (
    "w",
    described(
        {"type": "integer", "minimum": WIDTHS[0], "maximum": WIDTHS[-1]},
        "How wide a smaller picture is to be; rounded up to a width that is made.",
        256,
    ),
)
EXPIRES: Parameter = (
    "expires",
    described(INTEGER, "The second, since 1970, at which the link ends."),
)
SIGNATURE: Parameter = ("signature", described(TEXT, "What makes the link ours."))
SEARCHED: Parameter = (
    "q",
    described(TEXT, "Only what has this text in its name, slug or description.", "greet"),
)
TAG: Parameter = ("tag", described(TEXT, "Only what has this tag.", "demo"))
ARCHIVED: Parameter = (
    "archived",
    described(FLAG, "Only what is archived, or what is not.", False),
)
CURSOR: Parameter = (
    "cursor",
    described(TEXT, "The `nextCursor` of the page before."),
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
