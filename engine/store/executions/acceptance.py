"""Acceptance of executions: one script records the execution, authorizes its call if that is still
open, and reserves its credits."""

import asyncio
from collections.abc import Mapping, Sequence
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
from engine.ids.idempotency import IdempotencyKey
from engine.ids.partitions import partition_of
from engine.store.accounts.rate_limits import CallWindow
from engine.store.accounts.speculation import (
    AUTHORIZED,
    AssumedCaller,
    SpeculativeAuthorization,
)
from engine.store.accounts.wallets import LedgerKeeping, terms_text
from engine.store.batches.limits import ItemLimits
from engine.store.dispatch.hints import BULK_QUEUE, HintSender, InlineRun
from engine.store.dispatch.queue_selector import QueueSelector
from engine.store.executions.inputs import ALL_OBJECTS, LargeInputs
from engine.store.executions.new_execution import (
    Accepted,
    AcceptVerdict,
    AlreadyRetried,
    AuthorizationRejected,
    IdempotentReplay,
    ItemRefused,
    NewExecution,
    NewRun,
    StaleWorkflow,
)
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.public_runs import begin_public_run, count_public_run, hidden_models
from engine.store.executions.record_fields import parse_name
from engine.store.redis import keyspace
from engine.store.redis.batch_keys import NO_BATCH, BatchKeys
from engine.store.redis.client import Client
from engine.store.redis.connection import Argument
from engine.store.redis.scripts import SCRIPTS
from engine.store.triggers.starting import parse_refusal
from engine.store.waits import keys as wait_keys
from engine.store.webhooks.run_webhooks import start_id

IDEMPOTENCY_MS = 86_400_000
RESEND_AFTER_MS = 5_000
MAX_WAITING_BYTES = 512
"""Most bytes of inputs in a hint of an account with many active executions."""
NO_NAMES: Mapping[str, Any] = {}
CountedCall = AssumedCaller | ItemLimits | CallWindow
"""Names of the limits by which the script counts a call."""


class ExecutionAcceptance:
    """Accepts executions, and records the answers of calls with an idempotency key."""

    def __init__(
        self,
        client: Client,
        hints: HintSender,
        retention_days: float,
        keeping: LedgerKeeping,
        offloaded: OffloadedValues,
    ) -> None:
        self._client = client
        self._hints = hints
        self._retention_ms = int(retention_days * 86_400_000)
        self._keeping = keeping
        self._large_inputs = LargeInputs(offloaded)
        self._queue_selector = QueueSelector()

    async def accept(self, new: NewExecution) -> AcceptVerdict:
        """Record an execution, reserve its credits and send its hint in one pipeline.

        Large inputs are stored as an object first, and removed unless the execution is accepted. A
        workflow of another account costs two round trips more, and errors do not name its models.

        Raises WorkflowNotFound, VersionNotFound, ExecutionNotRetryable, TooManyExecutions,
        IdempotencyKeyReused, StoreFull, StorageFailed or Unavailable; for charged nodes
        ModelNotFound, ModelTierRequired, GrantExhausted, InsufficientCredits or MaxCreditsExceeded;
        for a workflow of another account InvalidWebhook.
        """
        if new.run.occurrence is not None and not new.records_values:
            new = new.with_event(b"")  # the walk does not read it
        workflow = new.workflow
        if workflow is None or not new.owner_id:
            return await self._accept(new, new.make_quote())
        new.check_webhook()
        with hidden_models():
            quote = new.make_quote()
            if not await begin_public_run(self._client, workflow, is_kept=new.is_named_version):
                return StaleWorkflow()
            verdict = await self._accept(new, quote)
        if isinstance(verdict, Accepted):
            await count_public_run(self._client, workflow)
        return verdict

    async def _accept(self, new: NewExecution, quote: Quote | None) -> AcceptVerdict:
        run = new.run
        if not new.has_objects:
            return await self._record(new, new.packed_inputs, quote)
        if run.authorization is not None:
            return AuthorizationRejected()  # nothing large is stored before the caller is known
        replay = await self.find_replay(run.account_id, run.idempotency_key)
        if replay is not None:
            return replay  # nothing is stored for a replay
        ids = run.account_id, run.execution_id
        is_shared = new.start is None or run.item is not None
        if run.occurrence is not None and new.has_large_event:
            event = await self._large_inputs.store_event(*ids, run.occurrence.event, run.turn)
            new, is_shared = new.with_event(event), False  # no other event has this execution
        inputs = await self._large_inputs.store(
            *ids, new.packed_inputs, new.start, run.turn, is_shared=is_shared
        )
        own = parse_name(inputs) if is_shared else ALL_OBJECTS
        try:
            verdict = await self._record(new, inputs, quote)
        except EngineError as refusal:
            await self._large_inputs.remove_refused(*ids, run.turn, own, refusal)
            raise
        if not isinstance(verdict, Accepted):
            await self._large_inputs.remove_refused(*ids, run.turn, own)
        return verdict

    async def _record(self, new: NewExecution, inputs: bytes, quote: Quote | None) -> AcceptVerdict:
        """Record the execution, with inputs as they stand on record, and send its hint."""
        account_id, reloads, active = new.run.account_id, self._client.reloads, None
        authorization = new.run.authorization
        if authorization is not None and not authorization.is_pending:
            authorization = None
        reference = keyspace.reference(account_id, new.run.execution_id)
        caller = AUTHORIZED if authorization is None else authorization.caller
        reply = self._call(new, inputs, quote, caller)
        is_item = new.run.item is not None
        queue = BULK_QUEUE if is_item else self._queue_selector.select(account_id)
        inline_run = _bounded(queue, new.inline_run)
        try:
            # The hint of a run after a refusal waits for its acceptance: many may be refused.
            is_one_pipeline = self._hints.shares_pipeline(
                self._client
            ) and not self._queue_selector.was_refused(account_id)
            if is_one_pipeline:
                self._hints.send_soon(reference, queue, inline_run)
                self._client.flush_if_idle()
            verdict = _parse_verdict(new, quote, _authorized(authorization, await reply))
            if isinstance(verdict, Accepted):
                active = verdict.active
                if new.webhook is not None and new.webhook.tells_start():
                    start = start_id(new.run.execution_id)
                    self._hints.send_delivery_soon(keyspace.reference(account_id, start))
                if not is_one_pipeline or self._client.reloads != reloads:
                    # A hint must not come before its execution.
                    self._hints.send_soon(reference, queue, inline_run)
            return verdict
        finally:
            if not is_item:
                self._queue_selector.record(account_id, active)

    def _call(
        self, new: NewExecution, inputs: bytes, quote: Quote | None, caller: AssumedCaller
    ) -> "asyncio.Future[Any]":
        run, account_id, key = new.run, new.run.account_id, new.run.idempotency_key
        terms, retry = run.terms, new.start and new.start.retry
        counted: CountedCall = caller if run.item is None else _item_limits(run)
        if run.occurrence is not None and terms is not None:
            counted = CallWindow.of(account_id, terms)
        return self._client.call(
            SCRIPTS["accept_execution"],
            workflow=keyspace.workflow(account_id, new.slug),
            execution=keyspace.execution(account_id, run.execution_id),
            executions=keyspace.account_executions(account_id),
            due=keyspace.due(partition_of(account_id)),
            active=keyspace.active(account_id),
            first_call=key and keyspace.idempotency(account_id, key.digest),
            failed=retry and keyspace.execution(account_id, retry.execution_id),
            wallet=quote and keyspace.wallet(account_id),
            ledger=quote and keyspace.ledger(account_id),
            api_keys=caller.api_keys,
            accounts=caller.accounts,
            windows=counted.windows,
            id=run.execution_id,
            reference=keyspace.reference(account_id, run.execution_id),
            version=new.workflow and new.workflow.version,
            version_kind=new.version_kind,
            aliases_revision=new.aliases_revision,
            statuses=new.status_codes,
            resend_ms=RESEND_AFTER_MS,
            most_active=terms and terms.executions_at_once,
            body_fingerprint=key and key.fingerprint,
            first_call_ms=key and IDEMPOTENCY_MS,
            answer=run.answer,
            former_retry=retry and retry.former_retry,
            credits=quote and quote.credits,
            terms=quote and terms and terms_text(terms, self._keeping),
            trials=quote and trials_text(quote.trials),
            digest=caller.digest,
            records_fingerprint=caller.records_fingerprint,
            account_id=counted.account_id,
            key_expires_at=caller.key_expires_at,
            most_calls=counted.most_calls,
            bucket=counted.bucket,
            window_ms=counted.window_ms,
            **_rare_names(new, counted),
            fields=self._fields(new, inputs, quote),
        )

    def _fields(self, new: NewExecution, inputs: bytes, quote: Quote | None) -> Sequence[Argument]:
        """Return names and values of the record."""
        fields = new.record_fields(inputs, quote)
        if new.webhook is not None:
            fields |= new.webhook.record_fields(new.run.execution_id, self._retention_ms)
        return [word for pair in fields.items() for word in pair]

    async def find_replay(
        self, account_id: str, idempotency_key: IdempotencyKey | None
    ) -> IdempotentReplay | None:
        """Return the replay of the first call, None for a new key. Raises IdempotencyKeyReused."""
        if idempotency_key is None:
            return None
        key = keyspace.idempotency(account_id, idempotency_key.digest)
        first = await self._client.send("HMGET", key, "fingerprint", "execution", "answer")
        return None if first[0] is None else parse_first_call(idempotency_key, *first)

    async def record_answer(
        self, account_id: str, idempotency_key: IdempotencyKey, answer: str
    ) -> str:
        """Record the first call's response; return the recorded one."""
        key = keyspace.idempotency(account_id, idempotency_key.digest)
        recorded: bytes = await self._client.call(
            SCRIPTS["record_answer"], idempotency=key, answer=answer
        )
        return recorded.decode()


def _item_limits(run: NewRun) -> ItemLimits:
    """Return the limits of an item. Raises ValueError without the terms of its account."""
    if run.terms is None:
        raise ValueError("an item of a batch needs the terms of its account")
    limits = ItemLimits.of(run.account_id, run.terms)
    is_aside = run.item is not None and run.item.is_aside
    return limits.outside_windows() if is_aside else limits


def _rare_names(new: NewExecution, counted: CountedCall) -> Mapping[str, Any]:
    """Return the names of a webhook, an item of a batch and an occurrence: most runs have none."""
    webhook, item, occurrence = new.webhook, new.run.item, new.run.occurrence
    if webhook is None and item is None and occurrence is None:
        return NO_NAMES
    told = new.keys_of_start
    batch = NO_BATCH if item is None else BatchKeys.of(new.run.account_id, item.batch_id)
    return {
        "delivery": told.delivery,
        "deliveries_due": told.deliveries_due,
        "webhook_deliveries": told.webhook_deliveries,
        "account_deliveries": told.account_deliveries,
        "run_deliveries": told.run_deliveries,
        "run_webhook": told.run_webhook,
        "webhook_secret": webhook and webhook.sealed_secret,
        "may_approve": "1" if webhook is not None and webhook.may_approve else None,
        "batch": batch.batch,
        "account_items": batch.account_items,
        "waiting_items": item and wait_keys.waiting_items(new.run.account_id),
        "item": item and item.index,
        "most_items": counted.most_items if isinstance(counted, ItemLimits) else None,
        **({} if occurrence is None else occurrence.names(new.run.account_id)),
    }


def _bounded(queue: str, inline_run: InlineRun | None) -> InlineRun | None:
    """Return the run unless it is too large for its hint: thousands may wait in the bulk queue."""
    is_large = inline_run is not None and len(inline_run.inputs) > MAX_WAITING_BYTES
    return None if is_large and queue == BULK_QUEUE else inline_run


def _authorized(authorization: SpeculativeAuthorization | None, reply: Any) -> Sequence[Any]:
    """Return the verdict of the script, once the authorization knows what became of the call."""
    if authorization is None:
        verdict: Sequence[Any] = reply
        return verdict
    verdict, *window = reply
    authorization.record_reply(window, is_passed=verdict[0] != b"refused")
    return verdict


def _parse_verdict(new: NewExecution, quote: Quote | None, verdict: Sequence[Any]) -> AcceptVerdict:
    """Return the verdict of the script. Raises the error of a refusal for the caller."""
    run = new.run
    if run.occurrence is not None and (refused := parse_refusal(run.terms, verdict)) is not None:
        return refused
    match verdict:
        case [b"ok", created, active]:
            return Accepted(
                id=run.execution_id, created_at=created, active=active, warnings=new.warnings
            )
        case [b"refused"]:
            return AuthorizationRejected()
        case [b"stale", *_]:
            return StaleWorkflow()
        case [b"retried", execution_id]:
            return AlreadyRetried(execution_id.decode())
        case [b"cancelled" | b"begun" | b"full" | b"later" as reason, *_]:
            return ItemRefused(reason.decode())
        case [b"repeated", *first] if run.idempotency_key is not None:
            return parse_first_call(run.idempotency_key, *first)
    raise _parse_refusal(run.terms, quote, verdict)


def _parse_refusal(
    terms: TierTerms | None, quote: Quote | None, verdict: Sequence[Any]
) -> EngineError:
    match verdict:
        case [b"unretryable", status]:
            return ExecutionNotRetryable(status.decode())
        case [b"no_document"]:
            return VersionNotFound()
        case [b"busy", _] if terms is not None:
            return TooManyExecutions(terms.tier.value, terms.executions_at_once or 0)
        case [b"insufficient", balance] if quote is not None:
            return InsufficientCredits(quote.credits, int(balance))
        case [b"exhausted", model]:
            return GrantExhausted(model.decode())
    return WorkflowNotFound()


def parse_first_call(
    idempotency_key: IdempotencyKey, fingerprint: bytes, execution_id: bytes, answer: bytes | None
) -> IdempotentReplay:
    """Return the recorded first call. Raises IdempotencyKeyReused."""
    if fingerprint.decode() != idempotency_key.fingerprint:
        raise IdempotencyKeyReused
    return IdempotentReplay(idempotency_key, execution_id.decode(), (answer or b"").decode())
