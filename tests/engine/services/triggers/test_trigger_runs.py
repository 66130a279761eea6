import pytest
from msgspec.structs import replace

from engine import errors
from engine.access.sealing import Sealer
from engine.executions.sources import Source
from engine.ids.triggers import new_occurrence_id, new_trigger_id
from engine.services.triggers.trigger_runs import (
    count_occurrences,
    fail_reason,
    make_run,
    run_webhook,
)
from engine.settings import Settings
from engine.store import Account, NewOccurrence, Store
from engine.store.triggers.starting import OccurrenceKind
from engine.store.webhooks.owners import run_owner
from engine.store.webhooks.webhooks import secret_place
from engine.telemetry import metrics
from engine.triggers.occurrences import OccurrenceStatus
from engine.triggers.trigger import TriggerKind, TriggerWebhook
from tests.support.triggers.records import save_schedule

SECRET = "a secret of sixteen"
RUN = "7f9c24e8-3b12-4fef-91e0-5c0e2b8f1a6d"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.InvalidInputs("who", "is required"), "invalid_inputs"),
        (errors.InsufficientCredits(5, 1), "insufficient_credits"),
        (errors.GrantExhausted("echo"), "insufficient_credits"),
        (errors.MaxCreditsExceeded("too much"), "max_credits_exceeded"),
        (errors.AccountNotApproved(), "account_not_approved"),
        (errors.TooManyExecutions("pro", 100), "too_many_active"),
        (errors.WorkflowNotFound(), "workflow_not_runnable"),
        (errors.VersionNotFound(), "workflow_not_runnable"),
        (errors.WorkflowNotRunnable([]), "workflow_not_runnable"),
        (errors.ModelNotFound(), "workflow_not_runnable"),
        (errors.Unavailable(), "unavailable"),
        (errors.QueueFull(), "unavailable"),
    ],
)
def test_each_refusal_of_a_run_has_its_reason(error: errors.EngineError, reason: str) -> None:
    assert fail_reason(error) == reason


async def test_runs_have_the_webhook_of_their_trigger(
    settings: Settings, store: Store, account: Account
) -> None:
    trigger_id = new_trigger_id()
    sealed = await store.triggers.seal_webhook(account.id, trigger_id, SECRET)
    webhook = TriggerWebhook(
        url="https://ada.example/", events=["execution.failed"], may_approve=True
    )
    trigger = await save_schedule(store, account)
    own = replace(trigger.settings, webhook=replace(webhook, sealed_secret=sealed))
    trigger = replace(trigger, id=trigger_id, settings=own)

    found = await run_webhook(store, trigger, RUN)

    assert found is not None
    assert (found.url, found.events, found.is_own) == (webhook.url, webhook.events, True)
    assert found.may_approve
    place = secret_place(account.id, run_owner(RUN))
    assert Sealer.from_secret_key(settings.secret_key).open(found.sealed_secret, place) == SECRET


async def test_a_trigger_without_a_webhook_tells_nobody(store: Store, account: Account) -> None:
    assert await run_webhook(store, await save_schedule(store, account), RUN) is None


async def test_a_secret_that_cannot_be_opened_is_a_matter_of_this_process(
    store: Store, account: Account
) -> None:
    foreign = TriggerWebhook(url="https://ada.example/", sealed_secret=b"sealed elsewhere")
    trigger = await save_schedule(store, account, webhook=foreign)

    with pytest.raises(errors.Unavailable):
        await run_webhook(store, trigger, RUN)


async def test_the_run_of_an_occurrence_has_the_limits_of_its_trigger(
    store: Store, account: Account
) -> None:
    trigger = await save_schedule(store, account)
    trigger = replace(trigger, settings=replace(trigger.settings, max_credits=7))
    kind, terms = OccurrenceKind.EVENT, store.tiers.terms(account.tier, account.role)
    occurrence = NewOccurrence(id=new_occurrence_id(), trigger_id=trigger.id, at=1, kind=kind)

    run = await make_run(store, trigger, occurrence, terms, depth=3)

    assert (run.account_id, run.execution_id) == (account.id, occurrence.execution_id)
    assert (run.source, run.key_id, run.max_credits) == (Source.TRIGGER, "", 7)
    assert (run.depth, run.terms, run.occurrence, run.webhook) == (3, terms, occurrence, None)


def test_occurrences_are_counted_by_their_outcome_and_started_ones_as_executions() -> None:
    before = counted()

    count_occurrences(TriggerKind.SCHEDULE, OccurrenceStatus.MISSED, number=3)
    count_occurrences(TriggerKind.WEBHOOK, OccurrenceStatus.STARTED)

    assert [now - then for now, then in zip(counted(), before, strict=True)] == [3, 1, 1]


def counted() -> list[float]:
    """Return the missed due times, the events that started a run, and the accepted executions."""
    name = "headrace_trigger_occurrences_total"
    missed = {"kind": "schedule", "status": "missed", "reason": ""}
    started = {"kind": "webhook", "status": "started", "reason": ""}
    samples = ((name, missed), (name, started), ("headrace_executions_accepted_total", {}))
    return [metrics.REGISTRY.get_sample_value(*each) or 0 for each in samples]
