"""What can come of asking for an execution."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine import keyspace
from engine.credits import Quote, trials_text
from engine.errors import (
    EngineError,
    GrantExhausted,
    IdempotencyKeyReused,
    InsufficientCredits,
    TooManyExecutions,
    WorkflowNotFound,
)
from engine.graph import Plan
from engine.idempotency import Once
from engine.partitions import partition_of
from engine.store.hints import MAX_CARRIED_BYTES, Carried
from engine.store.workflows import Workflow
from engine.tiers import Terms

MAX_CARRIED_NODES = 100
"""A walk of more is not begun before the claim, for it may be in vain."""


class NotPassed(EngineError):
    """The authorization that the call travelled behind was refused, or is not for whom it was
    assumed to be."""


class StaleWorkflow(EngineError):
    """The workflow was saved again since its plan was read; read it afresh and try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An execution that will end, whatever crashes. `created_at` is in milliseconds."""

    id: str
    created_at: int
    active: int = field(compare=False)
    """The account's executions that have not ended, this one included."""


class Repeated(EngineError):
    """The idempotency key was used before; `answer` is empty while nothing was answered."""

    def __init__(self, once: Once, execution_id: str, answer: str) -> None:
        super().__init__("The request is one that was made before")
        self.once = once
        self.execution_id = execution_id
        self.answer = answer


def parse_verdict(
    execution_id: str,
    verdict: Sequence[bytes],
    terms: Terms | None,
    once: Once | None,
    quote: Quote | None,
) -> Accepted:
    """What `accept_execution` says of an execution. Raises its refusal."""
    if verdict[0] != b"ok":
        raise _refusal(verdict, terms, once, quote)
    return Accepted(id=execution_id, created_at=int(verdict[1]), active=int(verdict[2]))


def _refusal(
    verdict: Sequence[bytes], terms: Terms | None, once: Once | None, quote: Quote | None
) -> EngineError:
    if verdict[0] == b"refused":
        return NotPassed("The call was not authorized")
    if verdict[0] == b"stale":
        return StaleWorkflow("The workflow has a newer version")
    if verdict[0] == b"repeated" and once is not None:
        return first_call(once, *verdict[1:])
    if verdict[0] == b"busy" and terms is not None:
        return TooManyExecutions(terms.tier.value, terms.executions_at_once or 0)
    if verdict[0] == b"poor" and quote is not None:
        return InsufficientCredits(quote.credits, int(verdict[1]))
    if verdict[0] == b"exhausted":
        return GrantExhausted(verdict[1].decode())
    return WorkflowNotFound()


def bound_word(terms: Terms | None) -> str | int:
    """How many executions of the account go on at once, empty for any number."""
    at_once = terms.executions_at_once if terms else None
    return "" if at_once is None else at_once


def quote_words(quote: Quote | None, terms: str) -> Sequence[str | int]:
    """What `accept_execution` takes of a quote: credits, terms and trials."""
    return ("", "", "") if quote is None else (quote.credits, terms, trials_text(quote.trials))


def quote_fields(quote: Quote | None, models: Iterable[str]) -> Sequence[str | int]:
    """What of a quote goes on record."""
    if quote is None:
        return ()
    fields = ["models", ",".join(dict.fromkeys(models)), "markup", str(quote.markup)]
    if quote.trials:
        fields += "trials", ",".join(quote.trials), "tried", ",".join(quote.trials)
    if quote.max_credits is not None:
        fields += "cap", str(quote.max_credits)
    return fields


def first_call(
    once: Once, fingerprint: bytes, execution_id: bytes, answer: bytes | None
) -> Repeated:
    """The first call as its record has it. Raises IdempotencyKeyReused."""
    if fingerprint.decode() != once.fingerprint:
        raise IdempotencyKeyReused
    return Repeated(once, execution_id.decode(), (answer or b"").decode())


def carried_by_hint(
    workflow: Workflow | None, plan: Plan, inputs: bytes, *, is_told: bool
) -> Carried | None:
    """What a worker needs to walk a run before it claims it, for runs where that may be done.

    `is_told`: a webhook is told of the end, or a watcher of all that happens.
    """
    is_small = len(inputs) <= MAX_CARRIED_BYTES and len(plan.reachable) <= MAX_CARRIED_NODES
    if workflow is None or is_told or not plan.is_pure or not is_small:
        return None
    return Carried(slug=workflow.slug, version=workflow.version, inputs=inputs)


def accept_keys(
    account_id: str, slug: str, execution_id: str, once: Once | None, pass_key: str
) -> Sequence[str]:
    """The keys of `accept_execution`; `pass_key` is empty where nothing is authorized ahead."""
    return [
        keyspace.workflow(account_id, slug),
        keyspace.execution(account_id, execution_id),
        keyspace.account_executions(account_id),
        keyspace.due(partition_of(account_id)),
        keyspace.active(account_id),
        keyspace.idempotency(account_id, once.digest if once else ""),
        keyspace.wallet(account_id),
        keyspace.ledger(account_id),
        *([pass_key] if pass_key else ()),
    ]
