"""Runs that triggers start, and the reasons for which one could not be started."""

from engine.access.tiers import TierTerms
from engine.errors import (
    AccountNotApproved,
    EngineError,
    InvalidInputs,
    MaxCreditsExceeded,
    PaymentRequired,
    TooManyExecutions,
    Unavailable,
)
from engine.executions.sources import Source
from engine.store import NewRun, Store
from engine.store.triggers.starting import NewOccurrence
from engine.store.webhooks.owners import run_owner
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.telemetry import metrics
from engine.triggers.occurrences import FailReason, OccurrenceStatus
from engine.triggers.trigger import Trigger, TriggerKind

GONE = "The workflow of this trigger, or the version that it names, does not exist any more"
REASONS: tuple[tuple[type[EngineError], FailReason], ...] = (
    (InvalidInputs, FailReason.INVALID_INPUTS),
    (MaxCreditsExceeded, FailReason.MAX_CREDITS_EXCEEDED),
    (PaymentRequired, FailReason.INSUFFICIENT_CREDITS),
    (AccountNotApproved, FailReason.ACCOUNT_NOT_APPROVED),
    (TooManyExecutions, FailReason.TOO_MANY_ACTIVE),
    (Unavailable, FailReason.UNAVAILABLE),
)


def fail_reason(error: EngineError) -> FailReason:
    """Return the reason of an occurrence whose run was refused with an error.

    Whatever else keeps a run from its start is a matter of the workflow: it or its version is gone
    or has problems, or a model that it needs is gone or above the tier.
    """
    for kind, reason in REASONS:
        if isinstance(error, kind):
            return reason
    return FailReason.WORKFLOW_NOT_RUNNABLE


async def make_run(
    store: Store, trigger: Trigger, occurrence: NewOccurrence, terms: TierTerms, depth: int
) -> NewRun:
    """Return the run of an occurrence, with the limits and the webhook of its trigger.

    Raises Unavailable when the secret of the webhook cannot be opened here.
    """
    return NewRun(
        account_id=trigger.account_id,
        source=Source.TRIGGER,
        key_id="",
        execution_id=occurrence.execution_id,
        terms=terms,
        max_credits=trigger.settings.max_credits,
        webhook=await run_webhook(store, trigger, occurrence.execution_id),
        depth=depth,
        occurrence=occurrence,
    )


def count_occurrences(
    kind: TriggerKind, status: OccurrenceStatus, reason: str = "", number: int = 1
) -> None:
    """Count occurrences by their outcome, and the execution of one that has started."""
    metrics.OCCURRENCES.labels(kind.value, status.value, reason).inc(number)
    if status is OccurrenceStatus.STARTED:
        metrics.EXECUTIONS_ACCEPTED.inc()


async def run_webhook(store: Store, trigger: Trigger, execution_id: str) -> RunWebhook | None:
    """Return the webhook of the trigger for one of its runs; None without one.

    Raises Unavailable when its secret cannot be opened here.
    """
    webhook = trigger.settings.webhook
    if webhook is None:
        return None
    account_id = trigger.account_id
    secret = store.triggers.open_webhook(account_id, trigger.id, webhook)
    if secret is None:
        raise Unavailable("The secret of the trigger's webhook cannot be opened right now")
    sealed = await store.webhooks.seal(account_id, run_owner(execution_id), secret)
    return RunWebhook(
        url=webhook.url,
        events=webhook.events,
        is_own=True,
        sealed_secret=sealed,
        may_approve=webhook.may_approve,
    )
