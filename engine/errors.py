"""Every error the engine raises on purpose, each with the code that callers see.

EngineError
├── InvalidBody            the request or document has the wrong shape
├── InvalidQuery           a query value does not parse
├── InvalidInputs          a run's inputs do not fit the workflow's fields
├── InvalidSlug            a slug is not one
├── InvalidCapability      a capability string is not one
├── InvalidGraph           the graph cannot run; carries all its problems
├── InvalidWebhook         a webhook's URL or secret cannot be used
├── InvalidIdempotencyKey  an Idempotency-Key is not one
├── Unauthorized           missing, unknown, malformed or deleted key
├── PaymentRequired
│   ├── InsufficientCredits
│   │   └── CreditsRanOut  a node of a run that goes on could not be paid for
│   ├── GrantExhausted     a trial of a model is used up
│   └── MaxCreditsExceeded the run may cost more than its caller allows
├── Forbidden
│   ├── CapabilityDenied
│   ├── CapabilityAboveCeiling
│   ├── ApiKeyAccessDenied
│   ├── AccountNotApproved
│   ├── ModelTierRequired
│   ├── NotOwner
│   ├── SessionRequired    an API key where a browser session is wanted
│   └── CsrfFailed         a session's write that may come from another site
├── NotFound
│   ├── WorkflowNotFound
│   ├── ModelNotFound
│   ├── ExecutionNotFound
│   ├── AssetNotFound
│   └── AccountNotFound    (administration only)
├── Conflict
│   ├── ExecutionNotCancellable
│   ├── ExecutionCancelled
│   ├── WorkflowNotRunnable
│   └── IdempotencyKeyInUse
├── IdempotencyKeyReused   the same key came with another body
├── VersionConflict        If-Match names another version
├── BodyTooLarge
│   └── MediaQuotaExceeded (of all media of an account)
├── UnsupportedMediaType   a file is none of those that are taken
├── RateLimitExceeded
│   ├── TooManyExecutions
│   └── TooManyFailedCalls (from one address, of callers nobody knows)
├── ExecutionFailed        a node failed while a caller waited
├── ResultGone             an execution's result was removed from where it was kept
└── Unavailable            the store or the queue is unreachable or full
    ├── StoreFull
    ├── QueueFull
    └── StorageFailed      (of media and large outputs: full, gone or not permitted)
        └── ResultUnreadable
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class EngineError(Exception):
    """An expected failure: a sentence for the caller, a wire code and context for the body."""

    code: ClassVar[str | None] = "INTERNAL_ERROR"
    retry_after_seconds: int | None = None
    """When it makes sense to try again, where that is known."""

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


class InvalidBody(EngineError):
    """The body is not JSON, not an object, too deep, or a member has the wrong type."""

    code = "INVALID_BODY"


class InvalidQuery(EngineError):
    """A query value does not parse; `field` names it."""

    code = "INVALID_QUERY"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class InvalidInputs(EngineError):
    """An input does not fit its field; `field` and `reason` say which and why."""

    code = "INVALID_INPUTS"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"Input '{field}': {reason}", field=field, reason=reason)


class InvalidSlug(EngineError):
    """A slug has characters other than a-z, 0-9 and '-', or more than 64 of them."""

    code = "INVALID_SLUG"


class InvalidCapability(EngineError):
    """A capability string is malformed."""

    code = "INVALID_CAPABILITY"


class InvalidGraph(EngineError):
    """The graph cannot run; `problems` lists every reason at once."""

    code = "INVALID_GRAPH"

    def __init__(self, problems: Sequence[dict[str, str]]) -> None:
        count = len(problems)
        noun = "problem" if count == 1 else "problems"
        super().__init__(f"The workflow graph has {count} {noun}", problems=list(problems))


class InvalidIdempotencyKey(EngineError):
    """An `Idempotency-Key` is empty, too long, or has characters other than visible ASCII."""

    code = "INVALID_IDEMPOTENCY_KEY"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key has 1 to 255 visible ASCII characters")


class InvalidWebhook(EngineError):
    """A webhook's URL or secret cannot be used; `field` and `reason` say which and why."""

    code = "INVALID_WEBHOOK"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field, reason=reason)


class Unauthorized(EngineError):
    """The key is missing, unknown, malformed or deleted; one answer for all."""

    code = None

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class PaymentRequired(EngineError):
    """The run is not paid for."""

    code = "PAYMENT_REQUIRED"


class InsufficientCredits(PaymentRequired):
    """The run may cost `required` credits and the account has `balance` left."""

    code = "INSUFFICIENT_CREDITS"

    def __init__(self, required: int, balance: int, **context: Any) -> None:
        message = f"This needs {required} credits and the balance is {balance}"
        super().__init__(message, required=required, balance=balance, **context)


class CreditsRanOut(InsufficientCredits):
    """A node could not be paid for while a caller waited; the context names both."""

    def __init__(self, message: str, **context: Any) -> None:
        PaymentRequired.__init__(self, message, **context)


class GrantExhausted(PaymentRequired):
    """The account's trial of a model is used up."""

    code = "grant_exhausted"

    def __init__(self, model: str) -> None:
        super().__init__(f"The trial of the model '{model}' is used up", model=model)


class MaxCreditsExceeded(PaymentRequired):
    """The run may cost more than the `max_credits` that its caller gave."""

    code = "MAX_CREDITS_EXCEEDED"

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message, **context)


class Forbidden(EngineError):
    """The caller is known but may not do this."""

    code = "FORBIDDEN"


class CapabilityDenied(Forbidden):
    """The caller lacks a capability; `required` names the general one."""

    code = "CAPABILITY_DENIED"

    def __init__(self, required: str, message: str = "") -> None:
        sentence = message or f"This key lacks the capability '{required}'"
        super().__init__(sentence, required=required)


class CapabilityAboveCeiling(Forbidden):
    """A capability lies above what the account's tier may grant."""

    code = "CAPABILITY_ABOVE_CEILING"

    def __init__(self, attempted: str, tier: str) -> None:
        super().__init__(f"The tier '{tier}' cannot grant '{attempted}'", attempted=attempted)


class ApiKeyAccessDenied(Forbidden):
    """The account's tier has no API keys."""

    code = "API_KEY_ACCESS_DENIED"

    def __init__(self, tier: str) -> None:
        super().__init__(f"The tier '{tier}' has no API keys")


class AccountNotApproved(Forbidden):
    """A new account must be approved before it runs anything."""

    code = "ACCOUNT_NOT_APPROVED"

    def __init__(self) -> None:
        super().__init__("This account has not been approved to run workflows yet")


class ModelTierRequired(Forbidden):
    """The model is for accounts of a higher tier, which `required` names."""

    code = "MODEL_TIER_REQUIRED"

    def __init__(self, model: str, required: str, tier: str) -> None:
        message = f"The model '{model}' needs the tier '{required}'; this account has '{tier}'"
        super().__init__(message, model=model, required=required, tier=tier)


class NotOwner(Forbidden):
    """A template can be read by all but written only by its owner."""

    code = "NOT_OWNER"

    def __init__(self) -> None:
        super().__init__("Only the owner of this template may change it")


class SessionRequired(Forbidden):
    """This is for browser sessions; API keys cannot do it, whatever they hold."""

    code = "SESSION_REQUIRED"

    def __init__(self) -> None:
        super().__init__("This needs a signed-in browser session, not an API key")


class CsrfFailed(Forbidden):
    """A session's write that does not prove that it comes from our own pages."""

    code = "CSRF_FAILED"


class NotFound(EngineError):
    """Nothing is there, or nothing the caller may know of."""

    code = "NOT_FOUND"


class WorkflowNotFound(NotFound):
    """No such workflow for this caller."""

    code = "WORKFLOW_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Workflow not found")


class ModelNotFound(NotFound):
    """No model with this internal name that can be run."""

    code = "MODEL_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Model not found")


class ExecutionNotFound(NotFound):
    """No such execution for this caller."""

    code = "EXECUTION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Execution not found")


class AssetNotFound(NotFound):
    """No such asset for this caller, or the link to it is not good any more."""

    code = "ASSET_NOT_FOUND"

    def __init__(self, message: str = "Asset not found") -> None:
        super().__init__(message)


class AccountNotFound(NotFound):
    """No account with this id (administrative commands)."""

    code = "ACCOUNT_NOT_FOUND"

    def __init__(self, account_id: str) -> None:
        super().__init__(f"There is no account with the id '{account_id}'")


class Conflict(EngineError):
    """The thing is in a status that does not allow this."""

    code = "CONFLICT"


class ExecutionNotCancellable(Conflict):
    """The execution has already ended; `status` says how."""

    code = "EXECUTION_NOT_CANCELLABLE"

    def __init__(self, status: str) -> None:
        super().__init__(f"The execution has already ended: {status}", status=status)


class ExecutionCancelled(Conflict):
    """The execution a caller waited for was cancelled."""

    code = "EXECUTION_CANCELLED"

    def __init__(self, execution_id: str) -> None:
        super().__init__("The execution was cancelled", executionId=execution_id)


class WorkflowNotRunnable(Conflict):
    """The workflow is a draft with problems, or has some since a model that it uses is gone."""

    code = "WORKFLOW_NOT_RUNNABLE"

    def __init__(self, problems: Sequence[dict[str, str]]) -> None:
        super().__init__("This workflow has problems and cannot run", problems=list(problems))


class IdempotencyKeyInUse(Conflict):
    """The first call with this key has not ended yet."""

    code = "IDEMPOTENCY_KEY_IN_USE"
    retry_after_seconds = 1

    def __init__(self, execution_id: str) -> None:
        super().__init__(
            "The first request with this Idempotency-Key has not ended yet",
            executionId=execution_id,
        )


class IdempotencyKeyReused(EngineError):
    """The key came before, with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body")


class VersionConflict(EngineError):
    """What is saved has moved on since the caller read it; `version` is the current one."""

    code = "VERSION_CONFLICT"

    def __init__(self, version: int, noun: str = "workflow") -> None:
        super().__init__(f"The {noun} is at version {version} by now", version=version)


class BodyTooLarge(EngineError):
    """The request body is over the limit, in bytes."""

    code = "BODY_TOO_LARGE"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is over the limit of {limit} bytes", limit=limit)


class MediaQuotaExceeded(BodyTooLarge):
    """The account's media would take more than its tier allows, in bytes."""

    def __init__(self, stored: int, limit: int) -> None:
        message = (
            f"The account's media take {stored} bytes of the {limit} that its tier allows: "
            "there is no room for this"
        )
        EngineError.__init__(self, message, limit=limit)


class UnsupportedMediaType(EngineError):
    """A file is none of those that are taken, is damaged, or is not what it is declared to be."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class RateLimitExceeded(EngineError):
    """The account has made all calls that its tier allows for now."""

    code = "RATE_LIMIT_EXCEEDED"

    def __init__(
        self, tier: str, limit: int, retry_after: int, message: str = "Rate limit exceeded"
    ) -> None:
        super().__init__(message, tier=tier, limit=limit, retryAfter=retry_after)
        self.retry_after_seconds = retry_after


class TooManyExecutions(RateLimitExceeded):
    """As many executions of the account are under way as its tier allows at once."""

    def __init__(self, tier: str, limit: int) -> None:
        super().__init__(tier, limit, 1, f"{limit} executions are under way, as many as may be")


class TooManyFailedCalls(RateLimitExceeded):
    """An address has made too many calls that failed before it was known who calls."""

    def __init__(self, limit: int, retry_after: int) -> None:
        message = "Too many calls from this address have failed"
        EngineError.__init__(self, message, limit=limit, retryAfter=retry_after)
        self.retry_after_seconds = retry_after


class ExecutionFailed(EngineError):
    """A node failed; the context names node, type, reason and execution."""

    code = "EXECUTION_FAILED"


class ResultGone(EngineError):
    """A result that was too large for the record is not where it was kept: removed or damaged."""

    def __init__(self, execution_id: str) -> None:
        message = "The result of this execution is not there any more"
        super().__init__(message, executionId=execution_id)


class Unavailable(EngineError):
    """The store or the queue cannot take this now; try again after `retry_after_seconds`."""

    code = "UNAVAILABLE"
    retry_after_seconds = 2

    def __init__(self, message: str = "The service cannot take this request right now") -> None:
        super().__init__(message)


class StoreFull(Unavailable):
    """Redis refuses writes: memory or disk is full."""

    def __init__(self) -> None:
        super().__init__("The service is full right now; what was accepted goes on")


class QueueFull(Unavailable):
    """More waits for workers than may wait."""

    def __init__(self) -> None:
        super().__init__("Too many executions wait for a worker right now")


class StorageFailed(Unavailable):
    """Media or large outputs cannot be stored or read: no room, no place, or not permitted."""

    def __init__(self, message: str = "Media cannot be stored or read right now") -> None:
        super().__init__(message)


class ResultUnreadable(StorageFailed):
    """A result that was too large for the record cannot be read from where it is kept."""

    def __init__(self, execution_id: str) -> None:
        super().__init__("The result of this execution cannot be read right now")
        self.context = {"executionId": execution_id}
