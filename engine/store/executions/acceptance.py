"""Acceptance of executions: arguments and verdicts of the script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.access.tiers import TierTerms
from engine.billing.credits import Quote, trials_text
from engine.errors import (
    EngineError,
    ExecutionNotRetryable,
    GrantExhausted,
    IdempotencyKeyReused,
    InsufficientCredits,
    TooManyExecutions,
    VersionNotFound,
    WorkflowNotFound,
)
from engine.graph.document import RecordValues
from engine.graph.plan import Plan
from engine.ids.idempotency import IdempotencyKey
from engine.ids.partitions import partition_of
from engine.store.accounts.speculation import SpeculativeAuthorization
from engine.store.dispatch.hints import MAX_CARRIED_BYTES, InlineRun
from engine.store.redis import keyspace
from engine.store.workflows.records import Workflow

IDEMPOTENCY_MS = 86_400_000


class AuthorizationRejected(EngineError):
    """The principal differs from the assumed one, or the call is beyond the limit."""


class StaleWorkflow(EngineError):
    """The workflow has a newer version than the plan; read it again and retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Accepted execution, which will end after any crash. `created_at` is in milliseconds."""

    id: str
    created_at: int
    active: int = field(compare=False)
    """Number of the account's executions that have not ended, this one included."""


class AlreadyRetried(EngineError):
    """The failed execution has a retry already."""

    def __init__(self, execution_id: str) -> None:
        super().__init__("The execution is retried already")
        self.execution_id = execution_id


class IdempotentReplay(EngineError):
    """The idempotency key was used before; `answer` is empty before the first response."""

    def __init__(self, idempotency_key: IdempotencyKey, execution_id: str, answer: str) -> None:
        super().__init__("The request is one that was made before")
        self.idempotency_key = idempotency_key
        self.execution_id = execution_id
        self.answer = answer


def parse_verdict(
    execution_id: str,
    verdict: Sequence[bytes],
    terms: TierTerms | None,
    idempotency_key: IdempotencyKey | None,
    quote: Quote | None,
) -> Accepted:
    """Return the accepted execution, or raise the refusal of `accept_execution`."""
    if verdict[0] != b"ok":
        raise _refusal(verdict, terms, idempotency_key, quote)
    return Accepted(id=execution_id, created_at=int(verdict[1]), active=int(verdict[2]))


def _refusal(
    verdict: Sequence[bytes],
    terms: TierTerms | None,
    idempotency_key: IdempotencyKey | None,
    quote: Quote | None,
) -> EngineError:
    if verdict[0] == b"stale":
        return StaleWorkflow("The workflow has a newer version")
    if verdict[0] == b"retried":
        return AlreadyRetried(verdict[1].decode())
    if verdict[0] == b"unretryable":
        return ExecutionNotRetryable(verdict[1].decode())
    if verdict[0] == b"no_document":
        return VersionNotFound()
    if verdict[0] == b"repeated" and idempotency_key is not None:
        return first_call(idempotency_key, *verdict[1:])
    if verdict[0] == b"busy" and terms is not None:
        return TooManyExecutions(terms.tier.value, terms.executions_at_once or 0)
    if verdict[0] == b"insufficient" and quote is not None:
        return InsufficientCredits(quote.credits, int(verdict[1]))
    if verdict[0] == b"exhausted":
        return GrantExhausted(verdict[1].decode())
    return WorkflowNotFound()


def take_verdict(authorization: SpeculativeAuthorization, reply: Any) -> Sequence[bytes]:
    """Note the authorization and return the verdict. Raises AuthorizationRejected."""
    verdict: Sequence[bytes] = reply[0]
    is_passed = verdict[0] != b"refused"
    authorization.note(reply[1:], is_passed=is_passed)
    if not is_passed:
        raise AuthorizationRejected("The call was not authorized")
    return verdict


def concurrency_options(terms: TierTerms | None) -> Sequence[str | int]:
    """Return the limit of concurrent executions as options of `accept_execution`."""
    most = terms.executions_at_once if terms else None
    return () if most is None else ("most", most)


def idempotency_options(idempotency_key: IdempotencyKey | None, answer: str) -> Sequence[str | int]:
    """Return the idempotency key and the known answer, if any, as options."""
    if idempotency_key is None:
        return ()
    answers = ("answer", answer) if answer else ()
    return "fingerprint", idempotency_key.fingerprint, "keep", IDEMPOTENCY_MS, *answers


def quote_options(quote: Quote | None, terms: str) -> Sequence[str | int]:
    """Return a quote as options."""
    if quote is None:
        return ()
    trials = trials_text(quote.trials)
    return "credits", quote.credits, "terms", terms, "trials", trials


def quote_fields(quote: Quote | None, models: Iterable[str]) -> Sequence[str | int]:
    """Return the recorded fields of a quote."""
    if quote is None:
        return ()
    fields = ["models", ",".join(dict.fromkeys(models)), "markup", str(quote.markup)]
    if quote.trials:
        fields += "trials", ",".join(quote.trials), "tried", ",".join(quote.trials)
    if quote.max_credits is not None:
        fields += "cap", str(quote.max_credits)
    return fields


def values_fields(workflow: Workflow | None) -> Sequence[str]:
    """Return the recorded fields that say which values are kept after the end."""
    if workflow is None or workflow.document.record_values is RecordValues.ALL:
        return ()
    return "values", workflow.document.record_values.value


def first_call(
    idempotency_key: IdempotencyKey, fingerprint: bytes, execution_id: bytes, answer: bytes | None
) -> IdempotentReplay:
    """Return the recorded first call. Raises IdempotencyKeyReused."""
    if fingerprint.decode() != idempotency_key.fingerprint:
        raise IdempotencyKeyReused
    return IdempotentReplay(idempotency_key, execution_id.decode(), (answer or b"").decode())


def inlined_in_hint(
    workflow: Workflow | None, plan: Plan, inputs: bytes, *, must_claim: bool
) -> InlineRun | None:
    """Return the run to inline in the hint, if it may be walked before its claim.

    `must_claim`: the workflow is another account's, a webhook or a watcher is notified, or nodes
    are settled from the start.
    """
    if workflow is None or must_claim or not plan.is_pure or len(inputs) > MAX_CARRIED_BYTES:
        return None
    return InlineRun(slug=workflow.slug, version=workflow.version, inputs=inputs)


def accept_keys(
    account_id: str,
    slug: str,
    execution_id: str,
    authorization: SpeculativeAuthorization | None,
    idempotency_key: IdempotencyKey | None,
    retried_id: str,
    quote: Quote | None,
) -> Sequence[str]:
    """Return the keys of `accept_execution`."""
    return [
        keyspace.workflow(account_id, slug),
        keyspace.execution(account_id, execution_id),
        keyspace.account_executions(account_id),
        keyspace.due(partition_of(account_id)),
        keyspace.active(account_id),
        *(authorization.keys if authorization else ()),
        *([keyspace.idempotency(account_id, idempotency_key.digest)] if idempotency_key else ()),
        *([keyspace.execution(account_id, retried_id)] if retried_id else ()),
        *([keyspace.wallet(account_id), keyspace.ledger(account_id)] if quote else ()),
    ]
