"""Deliveries at rest: the outbox between an execution's end and its webhook."""

import secrets
import uuid
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.access.sealing import Sealer, Unsealable
from engine.errors import DeliveryNotRedeliverable, InvalidWebhook, NotFound
from engine.executions.node_waits import NodeWait
from engine.ids.partitions import partition_of
from engine.store.accounts.account_events import AccountEventLog
from engine.store.accounts.rate_limits import WINDOW_MS
from engine.store.archive.archive import Archive
from engine.store.batches.records import Batch
from engine.store.dispatch.due_search import DueSearch, Promoted
from engine.store.dispatch.hints import HintSender
from engine.store.dispatch.worker_leases import SIZES_SECONDS
from engine.store.executions.record_fields import parse_hash
from engine.store.formats import Format
from engine.store.partitioned.set_sizes import SetSizes
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.info import read_now
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS
from engine.store.waits.telling import parse_told_wait
from engine.store.webhooks.delivery_reads import NO_DELIVERY, DeliveryReads
from engine.store.webhooks.owners import key_of
from engine.store.webhooks.webhooks import Webhook, seal_anew, secret_place
from engine.webhooks.deliveries import Attempt, Delivery, DeliveryStatus
from engine.webhooks.payload import TEST_EVENT, batch_body, example_body
from engine.webhooks.schedule import FAILING_MS, FAILING_REASON, DeliveryVerdict

LEASE_MS = 20_000
"""Lease of an attempt: longer than any attempt lasts."""
RESEND_MS = 2_000
"""Time until an ignored hint is sent again: the first, then each further time."""
RESEND_AGAIN_MS = 10_000
KEPT_ATTEMPTS = 16
SPREAD_MS = 5_000
"""Postponed hints are due within this time after the window begins."""
DISABLED = "The webhook is disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Outcome of an attempt for a delivery and its webhook."""

    status: DeliveryStatus
    disabled_reason: str = ""
    """Reason for which this attempt disabled the webhook; empty when it did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceiver:
    """Webhook that receives a delivery, by its owner, and its URL."""

    owner: str
    """API key, or the owner of the webhook of one run or batch."""
    url: str
    signer: str = ""
    """API key with whose webhook's secrets it is signed; empty: with those of its own webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedDelivery:
    """Delivery claimed for one attempt. `now` is in milliseconds."""

    id: str
    account_id: str
    execution_id: str | None
    owner: str
    """Owner of its webhook."""
    url: str
    event: str
    body: bytes | None
    """Body to send; None: it is made from the execution."""
    trace: str = ""
    """Header of the span that such a body belongs to; empty: no trace."""
    node: bytes | None = None
    """Node that has ended, as JSON; None: it is about another event."""
    wait: NodeWait | None = None
    """Wait of a node that began; None: it is about another event."""
    spent: int = 0
    """Credits that the execution had cost when the node ended or waited."""
    sequence: int | None = None
    """Number among the deliveries of its execution; None: its webhook asks for the end alone."""
    fence: int
    tries: int
    """Attempts that count against the schedule."""
    lost: int
    """Consecutive attempts without a recorded outcome."""
    secrets: tuple[str, ...]
    """Valid secrets, newest first; none when the webhook is deleted or disabled."""
    may_approve: bool = False
    """Whether the setter of its webhook, with this URL, may answer approvals."""
    is_unreadable: bool = False
    """Whether secrets exist that this process has no key to open."""
    now: int
    created_at: int | None = None
    """Time of the event in milliseconds; None: unknown."""

    @property
    def first_lag(self) -> float | None:
        """Seconds from the event to this attempt; None unless it is the first."""
        if self.fence != 1 or self.created_at is None:
            return None
        return max(0, self.now - self.created_at) / 1_000


class Deliveries(DeliveryReads):
    """Adds, claims, settles, lists and redelivers."""

    def __init__(
        self,
        client: Client,
        hints: HintSender,
        retention_days: float,
        sealer: Sealer,
        archive: Archive,
    ) -> None:
        super().__init__(client, archive, int(retention_days * 86_400_000))
        self._sealer = sealer
        self._hints = hints
        self._due_search = DueSearch(client, keyspace.deliveries_due)
        sizes = SetSizes(client, keyspace.deliveries_due, period_seconds=SIZES_SECONDS)
        self._due_sizes = sizes
        self._account_events = AccountEventLog(client)

    async def add_test(self, account_id: str, key_id: str, webhook: Webhook) -> Delivery:
        """Add a delivery of a test event and send its hint."""
        delivery_id = str(uuid.uuid4())
        reference = keyspace.reference(account_id, delivery_id)
        now = await read_now(self._client)
        await self._client.call(
            SCRIPTS["add_delivery"],
            delivery=keyspace.delivery(account_id, delivery_id),
            deliveries_due=keyspace.deliveries_due(partition_of(account_id)),
            webhook_deliveries=keyspace.webhook_deliveries(account_id, key_id),
            account_deliveries=keyspace.account_deliveries(account_id),
            reference=reference,
            api_key=key_id,
            url=webhook.url,
            event=TEST_EVENT,
            body=example_body(delivery_id, account_id, now),
            keep_ms=self._keep_ms,
            resend_ms=RESEND_MS,
            format=Format.DELIVERY.known,
        )
        self._hints.send_delivery_soon(reference)
        return await self.get(account_id, key_id, delivery_id)

    async def add_batch_end(self, batch: Batch) -> None:
        """Add the delivery of a batch's end to its webhook, or its key's; send its hint."""
        reference = keyspace.reference(batch.account_id, batch.id)
        event = f"batch.{batch.status.value}"
        owner = batch.webhook_owner
        webhook = keyspace.webhook(batch.account_id, owner)
        signer = await self._client.send("HGET", webhook, "signer")
        await self._client.call(
            SCRIPTS["add_delivery"],
            delivery=keyspace.delivery(batch.account_id, batch.id),
            deliveries_due=keyspace.deliveries_due(partition_of(batch.account_id)),
            webhook_deliveries=keyspace.webhook_deliveries(batch.account_id, owner),
            account_deliveries=keyspace.account_deliveries(batch.account_id),
            reference=reference,
            api_key=owner,
            signer=signer,
            url=batch.webhook_url,
            event=event,
            body=batch_body(batch.summary, event),
            keep_ms=self._keep_ms,
            resend_ms=RESEND_MS,
            format=Format.DELIVERY.known,
            batch=batch.id,
            trace=batch.trace,
        )
        self._hints.send_delivery_soon(reference)

    async def find_receiver(self, reference: str) -> DeliveryReceiver | None:
        """Return the receiver of a delivery, None when no delivery is pending."""
        key = keyspace.delivery(*keyspace.parse_reference(reference))
        owner, url, status, signer = await self._client.send(
            "HMGET", key, "key", "url", "status", "signer"
        )
        if not owner or status != b"pending":
            return None
        return DeliveryReceiver(
            owner=owner.decode(), url=url.decode(), signer=(signer or b"").decode()
        )

    async def claim(
        self, reference: str, receiver: DeliveryReceiver, token: str = ""
    ) -> ClaimedDelivery | None:
        """Claim the delivery for one attempt; None when no attempt is due.

        A delivery whose URL has changed is not claimed, and its hint is sent again. One of a later
        release is left to workers that know it.
        """
        owner, signer = receiver.owner, receiver.signer
        account_id, delivery_id = keyspace.parse_reference(reference)
        reply = await self._client.call(
            SCRIPTS["claim_delivery"],
            delivery=keyspace.delivery(account_id, delivery_id),
            deliveries_due=keyspace.deliveries_due(partition_of(account_id)),
            webhook=keyspace.webhook(account_id, owner),
            signer=keyspace.webhook(account_id, signer) if signer else None,
            reference=reference,
            token=token or secrets.token_hex(8),
            lease_ms=LEASE_MS,
            url=receiver.url,
            delivery_format=Format.DELIVERY.known,
            webhook_format=Format.WEBHOOK.known,
        )
        match reply:
            case [b"claimed", at, fields, webhook, signing]:
                now, record = int(at), parse_hash(fields)
            case [b"moved"]:
                self._hints.send_delivery_soon(reference)
                return None
            case _:
                return None
        receiving = parse_hash(webhook)
        held = self._open_secrets(account_id, receiver, receiving, signing, now)
        return _parse_claimed(account_id, delivery_id, record, receiving, held, now)

    def _open_secrets(
        self,
        account_id: str,
        receiver: DeliveryReceiver,
        webhook: Mapping[str, bytes],
        signing: Any,
        now: int,
    ) -> tuple[str, ...] | None:
        """Return the secrets that sign, none for a disabled webhook; None: they stay sealed.

        A run's webhook without a secret has those of its key's webhook in `signing`, which may be
        disabled.
        """
        if webhook.get("enabled") != b"1":
            return ()
        owner = receiver.signer or receiver.owner
        held = parse_hash(signing) if receiver.signer else webhook
        place = secret_place(account_id, owner)
        try:
            opened = tuple(self._sealer.open(each, place) for each in _valid_secrets(held, now))
        except Unsealable:
            return None
        if opened and self._sealer.has_key:
            seal_anew(self._client, self._sealer, account_id, owner, held)
        return opened

    async def postpone(self, references: Iterable[str]) -> None:
        """Postpone hints to the next window of outbound calls, spread over its first seconds."""
        for each in references:
            account_id, _ = keyspace.parse_reference(each)
            await self._client.call(
                SCRIPTS["postpone_delivery"],
                deliveries_due=keyspace.deliveries_due(partition_of(account_id)),
                reference=each,
                window_ms=WINDOW_MS,
                spread_ms=secrets.randbelow(SPREAD_MS),
            )

    async def settle(
        self, claimed: ClaimedDelivery, attempt: Attempt, judgement: DeliveryVerdict
    ) -> Settled | None:
        """Record an attempt and return its outcome; None when the claim has expired."""
        partition = partition_of(claimed.account_id)
        reply = await self._client.call(
            SCRIPTS["settle_delivery"],
            delivery=keyspace.delivery(claimed.account_id, claimed.id),
            deliveries_due=keyspace.deliveries_due(partition),
            webhook=keyspace.webhook(claimed.account_id, claimed.owner),
            unarchived_deliveries=keyspace.unarchived_deliveries(partition),
            reference=keyspace.reference(claimed.account_id, claimed.id),
            fence=claimed.fence,
            outcome=judgement.status.value,
            delay_ms=int(judgement.delay_seconds * 1000),
            attempt=pack(asdict(attempt)),
            most_attempts=KEPT_ATTEMPTS,
            disabling=judgement.disables,
            most_failing_ms=FAILING_MS,
            failing_reason=FAILING_REASON,
        )
        if reply[0] != b"ok":
            return None
        await self._account_events.record_delivery(claimed.account_id, claimed.id)
        _, status, reason = reply
        return Settled(status=DeliveryStatus(status.decode()), disabled_reason=reason.decode())

    async def redeliver(self, account_id: str, key_id: str | None, delivery_id: str) -> Delivery:
        """Schedule the delivery again, for the webhook's current URL.

        With a key, only a delivery to that key's webhook. Raises NotFound, InvalidWebhook while the
        webhook is disabled, and DeliveryNotRedeliverable when that of a run or a batch has been
        forgotten with its secret.
        """
        owner = (await self.find(account_id, delivery_id)).owner
        if key_id not in (None, owner):
            raise NotFound(NO_DELIVERY)
        is_own = key_of(owner) is None
        webhook = keyspace.webhook(account_id, owner)
        if is_own and not await self._client.send("EXISTS", webhook):
            raise DeliveryNotRedeliverable
        verdict = await schedule_again(self._client, account_id, owner, delivery_id)
        if verdict == b"missing" and await self.recall(account_id, delivery_id):
            verdict = await schedule_again(self._client, account_id, owner, delivery_id)
        if verdict == b"missing" and is_own:
            raise DeliveryNotRedeliverable
        if verdict == b"missing":
            raise NotFound(NO_DELIVERY)
        if verdict == b"disabled":
            raise InvalidWebhook("enabled", DISABLED)
        await self._account_events.record_delivery(account_id, delivery_id)
        self._hints.send_delivery_soon(keyspace.reference(account_id, delivery_id))
        return await self.find(account_id, delivery_id)

    async def promote(self, now: int | None = None) -> Promoted:
        """Return deliveries whose hint is due, and postpone each hint.

        `now` is in milliseconds, None for Redis's clock.
        """
        return await self._due_search.promote(now, RESEND_AGAIN_MS)

    async def due(self) -> int:
        """Return the number of pending deliveries, like `Leases.due`."""
        count, _ = await self._due_sizes.read()
        return count

    async def due_and_first(self) -> tuple[int, int | None]:
        """Return the same number, and the time in milliseconds of the first attempt."""
        return await self._due_sizes.read()


def schedule_again(
    client: Client, account_id: str, key_id: str, delivery_id: str
) -> Awaitable[bytes]:
    """Schedule a delivery anew and return the verdict of the script."""
    return client.call(
        SCRIPTS["redeliver"],
        delivery=keyspace.delivery(account_id, delivery_id),
        deliveries_due=keyspace.deliveries_due(partition_of(account_id)),
        webhook=keyspace.webhook(account_id, key_id),
        reference=keyspace.reference(account_id, delivery_id),
        resend_ms=RESEND_MS,
    )


def _valid_secrets(webhook: Mapping[str, bytes], now: int) -> tuple[bytes, ...]:
    if "secret" not in webhook:
        return ()
    held = [webhook["secret"]]
    if now < int(webhook.get("previous_secret_until", 0)):
        held.append(webhook["previous_secret"])
    return tuple(held)


def _parse_claimed(
    account_id: str,
    delivery_id: str,
    record: Mapping[str, bytes],
    webhook: Mapping[str, bytes],
    held: tuple[str, ...] | None,
    now: int,
) -> ClaimedDelivery:
    execution_id = record.get("execution")
    # The webhook of a key may have got another URL, from somebody with other rights.
    is_as_set = webhook.get("url") == record["url"]
    return ClaimedDelivery(
        id=delivery_id,
        account_id=account_id,
        execution_id=execution_id.decode() if execution_id else None,
        owner=record["key"].decode(),
        url=record["url"].decode(),
        event=record["event"].decode(),
        body=record.get("body"),
        trace=record.get("trace", b"").decode(),
        node=record.get("node"),
        wait=parse_told_wait(account_id, record),
        spent=int(record.get("spent", 0)),
        sequence=int(record["sequence"]) if "sequence" in record else None,
        fence=int(record["fence"]),
        tries=int(record.get("tries", 0)),
        lost=int(record["fence"]) - int(record.get("settled", 0)) - 1,
        secrets=held or (),
        may_approve=is_as_set and webhook.get("may_approve") == b"1",
        is_unreadable=held is None,
        now=now,
        created_at=int(record["created"]) if "created" in record else None,
    )
