"""Errors of rate limits, capacity and unavailable storage."""

from engine.errors.base import EXECUTION_ID, EngineError


class RateLimitExceeded(EngineError):
    """The account has used up the rate limit of its tier."""

    code = "RATE_LIMIT_EXCEEDED"

    def __init__(
        self, tier: str, limit: int, retry_after: int, message: str = "Rate limit exceeded"
    ) -> None:
        super().__init__(message, tier=tier, limit=limit, retryAfter=retry_after)
        self.retry_after_seconds = retry_after


RateLimitExceeded.examples = (RateLimitExceeded("pro", 100, 17),)


class TooManyExecutions(RateLimitExceeded):
    """The account has as many running executions as its tier allows at once."""

    def __init__(self, tier: str, limit: int) -> None:
        super().__init__(tier, limit, 1, f"{limit} executions are under way, as many as may be")


TooManyExecutions.examples = (TooManyExecutions("pro", 50),)


class TooManyStreams(RateLimitExceeded):
    """The account has as many open event streams as one gateway process keeps for it."""

    def __init__(self, tier: str, limit: int, retry_after: int) -> None:
        message = f"{limit} event streams are open, as many as may be; close one, or poll"
        super().__init__(tier, limit, retry_after, message)


TooManyStreams.examples = (TooManyStreams("pro", 50, 5),)


class TooManyConnections(RateLimitExceeded):
    """The account has as many requests under way as leave connections for others."""

    def __init__(self, tier: str, limit: int, retry_after: int) -> None:
        message = "Too many requests of the account are under way in this gateway"
        super().__init__(tier, limit, retry_after, message)


TooManyConnections.examples = (TooManyConnections("pro", 4_096, 1),)


class TooManyFailedCalls(RateLimitExceeded):
    """An address has made too many calls that failed authentication."""

    def __init__(self, limit: int, retry_after: int) -> None:
        message = "Too many calls from this address have failed"
        EngineError.__init__(self, message, limit=limit, retryAfter=retry_after)
        self.retry_after_seconds = retry_after


TooManyFailedCalls.examples = (TooManyFailedCalls(300, 17),)


class TooManyRegistrations(RateLimitExceeded):
    """An address has registered as many clients of OAuth as it may in an hour."""

    def __init__(self, limit: int, retry_after: int) -> None:
        message = f"This address has registered {limit} clients in an hour, as many as it may"
        EngineError.__init__(self, message, limit=limit, retryAfter=retry_after)
        self.retry_after_seconds = retry_after


TooManyRegistrations.examples = (TooManyRegistrations(20, 1_800),)


class TooManyGrantRequests(RateLimitExceeded):
    """An address has asked for as many grants as it may in ten minutes."""

    def __init__(self, limit: int, retry_after: int) -> None:
        message = f"This address has asked for {limit} grants in ten minutes, as many as it may"
        EngineError.__init__(self, message, limit=limit, retryAfter=retry_after)
        self.retry_after_seconds = retry_after


TooManyGrantRequests.examples = (TooManyGrantRequests(60, 300),)


class LoopDetected(EngineError):
    """Nested runs exceed the depth limit, mostly because a workflow calls itself."""

    code = "LOOP_DETECTED"

    def __init__(self, depth: int) -> None:
        super().__init__(f"Runs have begun each other {depth} deep, and no deeper", maxDepth=depth)


LoopDetected.examples = (LoopDetected(8),)


class Unavailable(EngineError):
    """The store or the queue cannot serve the request now; retry after `retry_after_seconds`."""

    code = "UNAVAILABLE"
    retry_after_seconds = 2
    word: str = ""
    """First word of the error reply of Redis, if there was one. Not for callers."""
    reason: str = ""
    """Reason why Redis cannot be used, in a sentence for operators. Not for callers."""

    def __init__(self, message: str = "The service cannot take this request right now") -> None:
        super().__init__(message)


Unavailable.examples = (Unavailable(),)


class NotMigrated(Unavailable):
    """The request needs a newer schema of the store, which `headrace migrate` sets."""


NotMigrated.examples = (
    NotMigrated(
        "Documents need the store's new schema: the operator runs `headrace migrate` once all "
        "processes of the version before are gone"
    ),
)


class StoreFull(Unavailable):
    """Redis refuses writes: memory or disk is full."""

    def __init__(self) -> None:
        super().__init__("The service is full right now; what was accepted goes on")


StoreFull.examples = (StoreFull(),)


class WrongStore(Unavailable):
    """Redis answers but does not hold the data of this installation.

    `seen` and `fix` are sentences for operators: the state of the store and its remedy.
    """

    def __init__(self, seen: str, fix: str) -> None:
        super().__init__("The data of this service cannot be reached right now")
        self.seen = seen
        self.fix = fix


WrongStore.examples = (
    WrongStore("The Redis holds no Headrace installation.", "Run `headrace init`."),
)


class SchemaTooNew(WrongStore):
    """The store has a schema version that this version of Headrace does not know."""


SchemaTooNew.examples = (
    SchemaTooNew("SCHEMA_TOO_NEW: The Redis has schema 9.", "Run a later version of Headrace."),
)


class RecordTooNew(Unavailable):
    """A record has a format that this version of Headrace does not know; another process may."""

    def __init__(self, noun: str) -> None:
        super().__init__(f"This {noun} was written by a newer version of this service")
        self.noun = noun


RecordTooNew.examples = (RecordTooNew("API key"),)


class QueueFull(Unavailable):
    """The queue of executions has reached its limit."""

    def __init__(self) -> None:
        super().__init__("Too many executions wait for a worker right now")


QueueFull.examples = (QueueFull(),)


class ExecutionLost(Unavailable):
    """Redis has lost an accepted execution, as after a failover."""

    def __init__(self, execution_id: str) -> None:
        super().__init__("This run was lost before it had ended; it may be run again")
        self.context = {"executionId": execution_id}


ExecutionLost.examples = (ExecutionLost(EXECUTION_ID),)


class StorageFailed(Unavailable):
    """Media or large outputs cannot be stored or read: no space, no store, or no permission."""

    def __init__(self, message: str = "Media cannot be stored or read") -> None:
        super().__init__(message)


StorageFailed.examples = (StorageFailed(),)


class StorageStalled(StorageFailed):
    """The media store does not answer; a pending write may still succeed."""


StorageStalled.examples = (StorageStalled(),)


class ResultUnreadable(StorageFailed):
    """The object store cannot serve a result that was too large for the record."""

    def __init__(
        self,
        execution_id: str,
        message: str = "The result of this execution cannot be read right now",
    ) -> None:
        super().__init__(message)
        self.context = {"executionId": execution_id}


ResultUnreadable.examples = (ResultUnreadable(EXECUTION_ID),)
