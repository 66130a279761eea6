"""Expected errors of the engine, each with the code that callers see.

EngineError
├── InvalidBody            the request or document has the wrong shape
├── InvalidQuery           a query value does not parse
├── InvalidInputs          a run's inputs do not fit the workflow's fields
├── InvalidSlug            a slug has the wrong format
├── InvalidCapability      a capability has the wrong format
├── InvalidGraph           the graph cannot run; carries all its problems
├── InvalidWebhook         a webhook's URL or secret cannot be used
├── InvalidIdempotencyKey  an Idempotency-Key has the wrong format
├── Unauthorized           missing, unknown, malformed or deleted key
├── PaymentRequired
│   ├── InsufficientCredits
│   │   └── CreditsRanOut  the balance did not cover a node of a running execution
│   ├── GrantExhausted     the trial of a model is used up
│   └── MaxCreditsExceeded the run may cost more than its caller allows
├── Forbidden
│   ├── CapabilityDenied
│   ├── CapabilityAboveCeiling
│   ├── ApiKeyAccessDenied
│   ├── AccountNotApproved
│   ├── ModelTierRequired
│   ├── NotOwner
│   ├── SessionRequired    an API key instead of a browser session
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
├── IdempotencyKeyReused   the same key with another body
├── VersionConflict        If-Match names another version
├── BodyTooLarge
│   └── MediaQuotaExceeded (of all media of an account)
├── QuotaExceeded          too many workflows, or too large documents
├── UnsupportedMediaType   a file has no supported format
├── RateLimitExceeded
│   ├── TooManyExecutions
│   └── TooManyFailedCalls (from one address, without a valid key)
├── ExecutionFailed        a node failed while a caller waited
├── ResultGone             an execution's result was removed from the object store
├── LoopDetected           runs begin each other too deep
└── Unavailable            the store or the queue is unreachable or full
    ├── StoreFull
    ├── WrongStore         (Redis holds the data of another installation)
    ├── QueueFull
    ├── ExecutionLost      (Redis has lost what it had accepted)
    └── StorageFailed      (of media and large outputs: full, gone or not permitted)
        ├── StorageStalled (it does not answer)
        └── ResultUnreadable
"""

from engine.errors.access import (
    AccountNotApproved,
    ApiKeyAccessDenied,
    CapabilityAboveCeiling,
    CapabilityDenied,
    CsrfFailed,
    Forbidden,
    ModelTierRequired,
    NotOwner,
    SessionRequired,
    Unauthorized,
)
from engine.errors.base import EngineError
from engine.errors.capacity import (
    ExecutionLost,
    LoopDetected,
    QueueFull,
    RateLimitExceeded,
    ResultUnreadable,
    StorageFailed,
    StorageStalled,
    StoreFull,
    TooManyExecutions,
    TooManyFailedCalls,
    Unavailable,
    WrongStore,
)
from engine.errors.conflicts import (
    Conflict,
    ExecutionCancelled,
    ExecutionFailed,
    ExecutionNotCancellable,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    VersionConflict,
    WorkflowNotRunnable,
)
from engine.errors.missing import (
    AccountNotFound,
    AssetNotFound,
    ExecutionNotFound,
    ModelNotFound,
    NotFound,
    ResultGone,
    WorkflowNotFound,
)
from engine.errors.money import (
    CreditsRanOut,
    GrantExhausted,
    InsufficientCredits,
    MaxCreditsExceeded,
    PaymentRequired,
)
from engine.errors.requests import (
    BodyTooLarge,
    InvalidBody,
    InvalidCapability,
    InvalidGraph,
    InvalidIdempotencyKey,
    InvalidInputs,
    InvalidQuery,
    InvalidSlug,
    InvalidWebhook,
    MediaQuotaExceeded,
    QuotaExceeded,
    UnsupportedMediaType,
)

__all__ = [
    "AccountNotApproved",
    "AccountNotFound",
    "ApiKeyAccessDenied",
    "AssetNotFound",
    "BodyTooLarge",
    "CapabilityAboveCeiling",
    "CapabilityDenied",
    "Conflict",
    "CreditsRanOut",
    "CsrfFailed",
    "EngineError",
    "ExecutionCancelled",
    "ExecutionFailed",
    "ExecutionLost",
    "ExecutionNotCancellable",
    "ExecutionNotFound",
    "Forbidden",
    "GrantExhausted",
    "IdempotencyKeyInUse",
    "IdempotencyKeyReused",
    "InsufficientCredits",
    "InvalidBody",
    "InvalidCapability",
    "InvalidGraph",
    "InvalidIdempotencyKey",
    "InvalidInputs",
    "InvalidQuery",
    "InvalidSlug",
    "InvalidWebhook",
    "LoopDetected",
    "MaxCreditsExceeded",
    "MediaQuotaExceeded",
    "ModelNotFound",
    "ModelTierRequired",
    "NotFound",
    "NotOwner",
    "PaymentRequired",
    "QueueFull",
    "QuotaExceeded",
    "RateLimitExceeded",
    "ResultGone",
    "ResultUnreadable",
    "SessionRequired",
    "StorageFailed",
    "StorageStalled",
    "StoreFull",
    "TooManyExecutions",
    "TooManyFailedCalls",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMediaType",
    "VersionConflict",
    "WorkflowNotFound",
    "WorkflowNotRunnable",
    "WrongStore",
]
