"""Errors of malformed or oversized requests."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from engine.errors.base import GRAPH_PROBLEMS, EngineError


class InvalidRequest(EngineError):
    """Base of errors about an invalid request."""

    code = "INVALID_REQUEST"


class InvalidBody(InvalidRequest):
    """The body is not JSON, not an object, too deep, or a member has the wrong type."""

    code = "INVALID_BODY"


InvalidBody.examples = (
    InvalidBody("The body must be a JSON object"),
    InvalidBody("'inputs' must be an object", field="inputs"),
    InvalidBody(
        "The manifest has 1 problem",
        field="manifest",
        problems=[{"line": 4, "path": "tier", "reason": "tier must be one of free, pro"}],
    ),
)


class InvalidQuery(InvalidRequest):
    """A query value does not parse; `field` names it."""

    code = "INVALID_QUERY"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


InvalidQuery.examples = (InvalidQuery("limit", "'limit' must be a whole number from 1 to 500"),)


class InvalidCursor(InvalidQuery):
    """A cursor is not one that its list gave."""

    def __init__(self) -> None:
        super().__init__("cursor", "'cursor' must be one that this list gave")


InvalidCursor.examples = (InvalidCursor(),)


class InvalidInputs(InvalidRequest):
    """An input does not fit its field; `field` names it, `reason` explains."""

    code = "INVALID_INPUTS"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"Input '{field}': {reason}", field=field, reason=reason)


InvalidInputs.examples = (InvalidInputs("name", "is required"),)


class InvalidEvent(InvalidInputs):
    """An expression of a trigger has no value for an event; `field` names it, `reason` explains."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.message = f"'{field}' of the trigger has no value for this event: {reason}"


InvalidEvent.examples = (
    InvalidEvent("inputs.title", 'The expression failed: Key not found in map : "issue"'),
)


class InvalidItems(InvalidRequest):
    """Items of a batch have inputs that do not fit their fields.

    `items` names the first 100 of them by index, each with a `field` and a `reason`.
    """

    code = "INVALID_INPUTS"

    def __init__(self, items: Sequence[Mapping[str, Any]]) -> None:
        first, count = items[0], len(items)
        many = f"{count} items of the batch have wrong inputs; the first: " if count > 1 else ""
        message = f"{many}Item {first['index']}, input '{first['field']}': {first['reason']}"
        super().__init__(message, items=list(items))


InvalidItems.examples = (
    InvalidItems(
        [
            {"index": 2, "field": "name", "reason": "is required"},
            {"index": 7, "field": "count", "reason": "must be at most 10"},
        ]
    ),
)


class InvalidSlug(InvalidRequest):
    """A slug has characters other than a-z, 0-9 and '-', or more than 64 of them."""

    code = "INVALID_SLUG"


InvalidSlug.examples = (InvalidSlug("A slug has 1 to 64 characters out of a-z, 0-9 and '-'"),)


class InvalidCapability(InvalidRequest):
    """A capability string is malformed."""

    code = "INVALID_CAPABILITY"


InvalidCapability.examples = (InvalidCapability("'workflow:fly' is not a capability"),)


class InvalidGraph(InvalidRequest):
    """The graph cannot run; `problems` lists all reasons."""

    code = "INVALID_GRAPH"

    def __init__(self, problems: Sequence[dict[str, Any]]) -> None:
        count = len(problems)
        noun = "problem" if count == 1 else "problems"
        super().__init__(f"The workflow graph has {count} {noun}", problems=list(problems))


InvalidGraph.examples = (InvalidGraph(GRAPH_PROBLEMS),)


class InvalidIdempotencyKey(InvalidRequest):
    """An `Idempotency-Key` is empty, too long, or has characters other than visible ASCII."""

    code = "INVALID_IDEMPOTENCY_KEY"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key has 1 to 255 visible ASCII characters")


InvalidIdempotencyKey.examples = (InvalidIdempotencyKey(),)


class InvalidWebhook(InvalidRequest):
    """A webhook's URL, secret or events are invalid; `field` names it, `reason` explains."""

    code = "INVALID_WEBHOOK"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field, reason=reason)
        self._field, self._reason = field, reason

    def within(self, member: str) -> "InvalidWebhook":
        """Return the error of a webhook that is a member of the body."""
        return InvalidWebhook(f"{member}.{self._field}", self._reason)


InvalidWebhook.examples = (InvalidWebhook("url", "The URL must begin with https://"),)


class InvalidSecret(InvalidRequest):
    """A secret's name or value is invalid; `field` names it, `reason` explains."""

    code = "INVALID_SECRET"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field, reason=reason)


InvalidSecret.examples = (InvalidSecret("value", "The value of a secret must be a text"),)


class InvalidTrigger(InvalidRequest):
    """A setting of a trigger is invalid; `field` names it, `reason` is a sentence."""

    code = "INVALID_TRIGGER"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field, reason=reason)


InvalidTrigger.examples = (
    InvalidTrigger("cron", "A cron expression has five fields; there is none for seconds"),
)


class BodyTooLarge(EngineError):
    """The request body exceeds the limit in bytes."""

    code = "BODY_TOO_LARGE"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is over the limit of {limit} bytes", limit=limit)


BodyTooLarge.examples = (BodyTooLarge(1_048_576),)


class MediaQuotaExceeded(BodyTooLarge):
    """The account's media would exceed the bytes that its tier allows."""

    def __init__(self, stored: int, limit: int) -> None:
        message = (
            f"The account's media take {stored} bytes of the {limit} that its tier allows: "
            "there is no room for this"
        )
        EngineError.__init__(self, message, limit=limit)


MediaQuotaExceeded.examples = (MediaQuotaExceeded(21_474_000_000, 21_474_836_480),)


class QuotaExceeded(EngineError):
    """The account would exceed a quota of its tier, which `quota` names."""

    code = "QUOTA_EXCEEDED"
    sentences: ClassVar[Mapping[str, str]] = {
        "workflows": "The account has {used} workflows of the {limit} that its tier allows; "
        "those deleted in the last 30 days count",
        "documentBytes": "The account's documents take {used} bytes of the {limit} that its tier "
        "allows: there is no room for this",
        "secrets": "The account has {used} secrets of the {limit} that it may have",
        "tests": "A workflow may have {limit} tests, and this one would have more",
        "triggers": "The account has {used} triggers of the {limit} that it may have",
        "aliases": "The workflow has {used} aliases of the {limit} that it may have",
        "queuedItems": "The account has {used} items of batches that have not begun, and may have "
        "{limit}: there is no room for these",
        "openLists": "The account has {used} replays and test runs that go on, and may have "
        "{limit}: begin this one when one of them is over",
    }

    def __init__(self, quota: str, *, used: int, limit: int) -> None:
        sentence = self.sentences[quota].format(used=used, limit=limit)
        super().__init__(sentence, quota=quota, used=used, limit=limit)


QuotaExceeded.examples = (
    QuotaExceeded("workflows", used=1_000, limit=1_000),
    QuotaExceeded("documentBytes", used=199_900_000, limit=200_000_000),
    QuotaExceeded("secrets", used=100, limit=100),
    QuotaExceeded("triggers", used=100, limit=100),
    QuotaExceeded("tests", used=200, limit=200),
    QuotaExceeded("aliases", used=20, limit=20),
    QuotaExceeded("queuedItems", used=99_500, limit=100_000),
    QuotaExceeded("openLists", used=100, limit=100),
)


class UnsupportedMediaType(EngineError):
    """A file has no supported format, is damaged, or differs from its declared type."""

    code = "UNSUPPORTED_MEDIA_TYPE"


UnsupportedMediaType.examples = (
    UnsupportedMediaType("The file is image/png, not image/jpeg as it is declared"),
)
