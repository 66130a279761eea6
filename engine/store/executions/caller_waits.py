"""Waits of callers for the ends of executions, once they are over before the end was answered."""

from dataclasses import dataclass
from enum import StrEnum

from engine.access.capabilities import are_usable
from engine.ids.idempotency import IdempotencyKey
from engine.store.accounts.api_keys import ApiKeys
from engine.store.dispatch.hints import HintSender
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.schema import StoreSchema
from engine.store.webhooks.delivery_keys import NO_DELIVERY_KEYS, WebhookOwner, delivery_keys
from engine.store.webhooks.run_webhooks import RESEND_DELIVERY_MS
from engine.webhooks.signing import CAPABILITY

SINCE_SCHEMA = 2
"""Workers of 0.1.0 end an execution without the delivery that was added after their claim."""


class WaitVerdict(StrEnum):
    """Decision on a caller who waits no longer."""

    DELIVERED = "delivered"
    """A webhook is notified of the end, and the caller gets no other answer to come."""
    ENDED = "ended"
    """The execution has ended: the end is to be answered."""
    OPEN = "open"
    """The execution goes on, and nobody but a webhook of its own is notified of the end."""
    DECIDED = "decided"
    """Another gateway has the wait, or has decided on it."""
    MISSING = "missing"
    """Redis has the execution no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitDecision:
    """Verdict with the URL of the webhook that is notified, None for none."""

    verdict: WaitVerdict
    webhook_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadGateway:
    """Gateway process that died, with the time in milliseconds until which it lived at most."""

    channel: str
    """Channel of its notifier."""
    lived_until: int


class CallerWaits:
    """Decides between answers and deliveries, each time in one script."""

    def __init__(
        self,
        client: Client,
        hints: HintSender,
        schema: StoreSchema,
        api_keys: ApiKeys,
        retention_days: float,
    ) -> None:
        self._client = client
        self._hints = hints
        self._schema = schema
        self._api_keys = api_keys
        self._keep_ms = int(retention_days * 86_400_000)

    async def end(
        self,
        account_id: str,
        execution_id: str,
        key_id: str,
        *,
        is_caller_gone: bool,
        idempotency_key: IdempotencyKey | None = None,
        answer: str = "",
        gateway: DeadGateway | None = None,
    ) -> WaitDecision:
        """Decide on the end of an execution whose caller waits no longer.

        The webhook of the key is notified of an end that is still to come, and of one that has come
        when the caller is gone: while the webhook is enabled and the key holds `webhook:receive`.
        `answer` is recorded for the idempotency key of an execution that goes on. With `gateway`,
        only a wait that began there before its death is decided. Raises Unavailable.
        """
        can_deliver = await self._may_receive(account_id, key_id)
        reference = keyspace.reference(account_id, execution_id)
        told = NO_DELIVERY_KEYS
        if can_deliver and is_caller_gone:
            told = delivery_keys(account_id, execution_id, WebhookOwner(key_id))
        reply = await self._client.call(
            SCRIPTS["deliver_end"],
            execution=keyspace.execution(account_id, execution_id),
            webhook=keyspace.webhook(account_id, key_id) if can_deliver else None,
            first_call=idempotency_key and keyspace.idempotency(account_id, idempotency_key.digest),
            delivery=told.delivery,
            deliveries_due=told.deliveries_due,
            webhook_deliveries=told.webhook_deliveries,
            account_deliveries=told.account_deliveries,
            reference=reference,
            answer=answer,
            notifier=gateway and gateway.channel,
            accepted_until=gateway and gateway.lived_until,
            keep_ms=self._keep_ms,
            resend_ms=RESEND_DELIVERY_MS,
        )
        verdict, *facts = (word.decode() for word in reply)
        if facts[1:]:
            self._hints.send_delivery_soon(reference)
        return WaitDecision(
            verdict=WaitVerdict(verdict), webhook_url=facts[0] or None if facts else None
        )

    async def _may_receive(self, account_id: str, key_id: str) -> bool:
        if not key_id or not self._schema.allows(SINCE_SCHEMA):
            return False
        principal = await self._api_keys.find_principal(account_id, key_id)
        if principal is None or principal.key is None:
            return False
        return are_usable(principal.key.capabilities, principal.terms.ceiling, CAPABILITY)
