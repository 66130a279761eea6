"""Executions from the side of callers: accept, read, list and cancel."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from engine.access.tiers import TierTerms
from engine.billing.credits import make_quote
from engine.errors import EngineError, ExecutionNotCancellable
from engine.executions.execution import ExecutionStatus, format_node_statuses
from engine.executions.filter import EVERY_EXECUTION, ExecutionFilter
from engine.graph.plan import Plan
from engine.graph.progress import initial_statuses
from engine.ids.idempotency import IdempotencyKey
from engine.ids.partitions import partition_of
from engine.store.accounts.speculation import NO_ARGUMENTS, SpeculativeAuthorization
from engine.store.accounts.wallets import LedgerKeeping, terms_text
from engine.store.archive.archive import Archive
from engine.store.dispatch.hints import BULK_QUEUE, HintSender, InlineRun
from engine.store.dispatch.queue_selector import BULK_FROM, QueueSelector
from engine.store.executions.acceptance import (
    Accepted,
    AuthorizationRejected,
    IdempotentReplay,
    accept_keys,
    concurrency_options,
    first_call,
    idempotency_options,
    inlined_in_hint,
    parse_verdict,
    quote_fields,
    quote_options,
    take_verdict,
    values_fields,
)
from engine.store.executions.events import initial_watch_fields
from engine.store.executions.inputs import NO_TURN, LargeInputs, Turn, pack_inputs
from engine.store.executions.offload import OffloadedValues, is_large
from engine.store.executions.public_runs import begin_public_run, count_public_run, hidden_models
from engine.store.executions.read.executions import ExecutionReads
from engine.store.executions.read.results import Results
from engine.store.executions.read.scan import find_matching
from engine.store.executions.start import Start, retry_options
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.connection import Argument
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.records import Workflow

RESEND_AFTER_MS = 5_000
RESEND_DELIVERY_MS = 2_000
ACTIVE_AT_ONCE = 200
MAX_WAITING_BYTES = 512
"""Most bytes of inputs in a hint of an account with many active executions."""


class Executions(ExecutionReads):
    """Accepts, reads, lists and cancels executions; every call names its account."""

    def __init__(
        self,
        client: Client,
        hints: HintSender,
        retention_days: float,
        keeping: LedgerKeeping,
        offloaded: OffloadedValues,
        archive: Archive,
    ) -> None:
        super().__init__(client, archive, Results(offloaded))
        self._large_inputs = LargeInputs(offloaded)
        self._hints = hints
        self._keep_ms = int(retention_days * 86_400_000)
        self._keeping = keeping
        self._queue_selector = QueueSelector()

    async def accept(
        self,
        *,
        account_id: str,
        workflow: Workflow | None,
        plan: Plan,
        inputs: Mapping[str, Any],
        is_named_version: bool = False,
        packed_inputs: bytes = b"",
        source: str,
        key_id: str,
        notifier: str = "",
        execution_id: str | None = None,
        terms: TierTerms | None = None,
        max_credits: int | None = None,
        idempotency_key: IdempotencyKey | None = None,
        answer: str = "",
        webhook_url: str | None = None,
        authorization: SpeculativeAuthorization | None = None,
        watcher: str | None = None,
        depth: int = 1,
        request_id: str = "",
        warnings: Sequence[str] = (),
        start: Start | None = None,
        turn: Turn = NO_TURN,
    ) -> Accepted:
        """Record an execution, reserve its credits and send its hint in one pipeline.

        Without a workflow the run is that of the one model in the plan, or of a draft in `start`.
        Large inputs are stored as an object first, and removed when the execution is refused. A
        workflow of another account costs two round trips more, and errors do not name its models.

        - `is_named_version`: the caller named the version, which need not be the live one
        - `packed_inputs`: the inputs as `pack_inputs` returns them, if already packed
        - `notifier`: channel to notify of the end, empty for none
        - `terms`: limit of concurrent executions and price of credits
        - `max_credits`: most credits that the run may spend
        - `answer`: response to replay for the idempotency key, if already known
        - `webhook_url`: URL of the key's webhook to notify of the end
        - `authorization`: authorizes the call in the same script; None: it is authorized
        - `watcher`: channel of a watcher from the beginning; empty: record events without
          notification; None: do not record events
        - `depth`: 1, or one more than that of the run whose node makes the call
        - `request_id`: id of the HTTP request, for readers of the record
        - `warnings`: sentences for readers of the record
        - `start`: state that the execution begins with, other than that all nodes wait
        - `turn`: turn of the account, given back while objects are stored

        Raises StaleWorkflow, WorkflowNotFound, VersionNotFound, TooManyExecutions, StoreFull,
        StorageFailed or Unavailable; with `idempotency_key` IdempotentReplay or
        IdempotencyKeyReused; with `authorization` AuthorizationRejected; for charged nodes
        ModelNotFound, ModelTierRequired, GrantExhausted, InsufficientCredits or MaxCreditsExceeded.
        """
        owner_id = workflow.account_id if workflow and workflow.account_id != account_id else ""
        charged = plan if start is None else start.charged_part(plan)
        with hidden_models() if owner_id else contextlib.nullcontext():
            quote = make_quote(charged, terms, max_credits, inputs)
        execution_id = execution_id or str(uuid.uuid4())
        slug, version = (workflow.slug, str(workflow.version)) if workflow else ("", "")
        if workflow and owner_id:
            await begin_public_run(self._client, workflow)
        packed = packed_inputs or pack_inputs(plan, inputs)
        on_record, statuses = packed, initial_statuses(plan)
        has_objects = is_large(len(packed))
        if start is not None:
            slug, statuses = slug or start.slug, list(start.statuses)
            has_objects |= start.store_objects is not None
        if has_objects:
            if authorization is not None:
                raise AuthorizationRejected("Nothing large is stored before it is known who calls")
            if idempotency_key is not None and (
                first := await self.find_replay(account_id, idempotency_key)
            ):
                raise first  # nothing is stored for a replay
            on_record = await self._large_inputs.store(
                account_id, execution_id, packed, start, turn
            )
        reference = keyspace.reference(account_id, execution_id)
        retried = start.retry.execution_id if start and start.retry else ""
        if authorization is not None and (retried or not authorization.is_pending):
            authorization = None
        fields = [
            *(
                "slug",
                slug,
                "source",
                source,
                "key",
                key_id,
                "notifier",
                notifier,
                "inputs",
                on_record,
            ),
            *(("has_objects", "1") if on_record is not packed else ()),
            *(start.as_fields() if start else ()),
            *quote_fields(quote, charged.models.values()),
            *(self._delivery_fields(webhook_url) if webhook_url else ()),
            *initial_watch_fields(watcher),
            *(("depth", depth) if depth > 1 else ()),
            *(("owner", owner_id) if owner_id else ()),
            *(("request", request_id) if request_id else ()),
            *values_fields(workflow),
            *(("warnings", pack(list(warnings))) if warnings else ()),
        ]
        arguments = [
            *(0, execution_id, reference, version, format_node_statuses(statuses)),
            RESEND_AFTER_MS,
            *(authorization.arguments if authorization else NO_ARGUMENTS),
            *(len(fields), *fields),
            *(("kind", "~" if owner_id else "=") if owner_id or is_named_version else ()),
            *concurrency_options(terms),
            *idempotency_options(idempotency_key, answer),
            *quote_options(quote, terms_text(terms, self._keeping) if quote and terms else ""),
            *retry_options(start),
            *(authorization.options if authorization else ()),
        ]
        keys = accept_keys(
            account_id, slug, execution_id, authorization, idempotency_key, retried, quote
        )
        inline_run = inlined_in_hint(
            workflow, plan, packed, must_claim=bool(owner_id or webhook_url or watcher or start)
        )
        try:
            verdict = await self._accept(
                account_id, reference, keys, arguments, inline_run, authorization
            )
            with hidden_models() if owner_id else contextlib.nullcontext():
                accepted = parse_verdict(execution_id, verdict, terms, idempotency_key, quote)
        except EngineError as refusal:
            if has_objects:
                await self._large_inputs.remove_refused(account_id, execution_id, refusal, turn)
            raise
        if workflow and owner_id:
            await count_public_run(self._client, workflow)
        return accepted

    async def _accept(
        self,
        account_id: str,
        reference: str,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        inline_run: InlineRun | None,
        authorization: SpeculativeAuthorization | None,
    ) -> Sequence[bytes]:
        reloads, active = self._client.reloads, None
        reply = self._client.call(SCRIPTS["accept_execution"], keys, arguments)
        queue = self._queue_selector.select(account_id)
        if inline_run is not None and not _may_inline(queue, inline_run):
            inline_run = None
        try:
            # The hint of a run after a refusal waits for its acceptance: many may be refused.
            is_one_pipeline = self._hints.shares_pipeline(
                self._client
            ) and not self._queue_selector.was_refused(account_id)
            if is_one_pipeline:
                self._hints.send_soon(reference, queue, inline_run)
                self._client.flush_if_idle()
            verdict: Sequence[bytes] = await reply
            if authorization is not None:
                verdict = take_verdict(authorization, verdict)
            if verdict[0] == b"ok":
                active = int(verdict[2])
                if not is_one_pipeline or self._client.reloads != reloads:
                    # A hint must not come before its execution.
                    self._hints.send_soon(reference, queue, inline_run)
            return verdict
        finally:
            self._queue_selector.record(account_id, active)

    def _delivery_fields(self, url: str) -> Sequence[Argument]:
        # Values for the script of the end, frozen now: the key may be deleted by then.
        return (
            "webhook_url",
            url,
            "delivery_keep_ms",
            self._keep_ms,
            "delivery_resend_ms",
            RESEND_DELIVERY_MS,
        )

    async def count_active(self, account_id: str) -> int:
        """Return the number of the account's executions that have not ended."""
        return int(await self._client.send("SCARD", keyspace.active(account_id)))

    async def find_bulk_accounts(self, account_ids: Iterable[str]) -> set[str]:
        """Return the accounts whose hints belong into the bulk queue."""
        counts = {each: self._client.send("SCARD", keyspace.active(each)) for each in account_ids}
        return {each for each, count in counts.items() if int(await count) > BULK_FROM}

    async def find_replay(
        self, account_id: str, idempotency_key: IdempotencyKey
    ) -> IdempotentReplay | None:
        """Return the replay of the first call, None for a new key. Raises IdempotencyKeyReused."""
        key = keyspace.idempotency(account_id, idempotency_key.digest)
        first = await self._client.send("HMGET", key, "fingerprint", "execution", "answer")
        return None if first[0] is None else first_call(idempotency_key, *first)

    async def record_answer(
        self, account_id: str, idempotency_key: IdempotencyKey, answer: str
    ) -> str:
        """Record the first call's response; return the recorded one."""
        key = keyspace.idempotency(account_id, idempotency_key.digest)
        recorded: bytes = await self._client.call(SCRIPTS["record_answer"], [key], [answer])
        return recorded.decode()

    async def cancel(self, account_id: str, execution_id: str) -> ExecutionStatus:
        """Request the cancellation. Raises ExecutionNotFound or ExecutionNotCancellable."""
        partition = partition_of(account_id)
        reference = keyspace.reference(account_id, execution_id)
        key = keyspace.execution(account_id, execution_id)
        webhook_url, key_id, slug, *dropped_with = await self._client.send(
            "HMGET", key, "webhook_url", "key", "slug", "values", "has_objects"
        )
        reply = await self._client.call(
            SCRIPTS["cancel_execution"],
            [
                key,
                keyspace.due(partition),
                keyspace.finished(partition),
                keyspace.active(account_id),
                keyspace.wallet(account_id),
                keyspace.ledger(account_id),
                keyspace.events(account_id, execution_id),
                keyspace.progress(account_id, execution_id),
                keyspace.workflow(account_id, (slug or b"").decode()),
                keyspace.unarchived(partition),
                *(outbox(account_id, execution_id, key_id.decode()) if webhook_url else ()),
            ],
            [0, reference, execution_id, keyspace.cancels()],
        )
        if reply[0] == b"missing":
            raise ExecutionNotCancellable(await self.status(account_id, execution_id))
        if reply[0] == b"ended":
            raise ExecutionNotCancellable(reply[1].decode())
        if webhook_url and reply[0] == b"cancelled":
            self._hints.send_delivery_soon(reference)
        if all(dropped_with) and reply[0] == b"cancelled":
            await self._large_inputs.remove_dropped(account_id, execution_id)
        return ExecutionStatus(reply[0].decode())

    async def active(
        self, account_id: str, wanted: ExecutionFilter = EVERY_EXECUTION
    ) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of the account's executions that have not ended and match, in pages.

        An id may be repeated.
        """
        key, cursor = keyspace.active(account_id), b""
        while cursor != b"0":
            cursor, ids = await self._client.send(
                "SSCAN", key, cursor or b"0", "COUNT", ACTIVE_AT_ONCE
            )
            names = [each.decode() for each in ids]
            keys = (keyspace.execution(account_id, name) for name in names)
            times = await asyncio.gather(
                *(self._client.send("HGET", each, "created") for each in keys)
            )
            rows = [(int(at), name) for at, name in zip(times, names, strict=True) if at]
            yield [name for _, name in await find_matching(self._client, account_id, wanted, rows)]


def outbox(account_id: str, execution_id: str, key_id: str) -> tuple[str, str, str]:
    """Return the keys with which the script of the end creates the delivery."""
    return (
        keyspace.delivery(account_id, execution_id),
        keyspace.deliveries_due(partition_of(account_id)),
        keyspace.webhook_deliveries(account_id, key_id),
    )


def _may_inline(queue: str, inline_run: InlineRun) -> bool:
    """Return whether a hint may carry a run: thousands of hints may wait in the bulk queue."""
    return queue != BULK_QUEUE or len(inline_run.inputs) <= MAX_WAITING_BYTES
