"""Webhooks at rest: one per API key, with sealed secrets that are never shown again."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.access.sealing import Sealer, Unsealable
from engine.errors import NotFound, RecordTooNew
from engine.ids.partitions import partition_of
from engine.store.audit import AuditAction, AuditedAct, AuditLog
from engine.store.executions.record_fields import parse_hash
from engine.store.formats import Format
from engine.store.redis import keyspace
from engine.store.redis.client import Client, forget
from engine.store.redis.scripts import SCRIPTS
from engine.store.seals import SealingKeyCheck
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.webhooks.events import parse_events
from engine.webhooks.signing import make_secret

OVERLAP_MS = 86_400_000
"""Time in which the previous secret stays valid beside a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Webhook of an API key's executions. `created_at` is in milliseconds."""

    url: str
    enabled: bool
    created_at: int
    events: Sequence[str] | None = None
    """Events that it asks for; None: the three ends."""
    disabled_reason: str = ""
    """Reason of an automatic disabling; empty otherwise."""
    made_secret: str | None = None
    """Newly generated secret, if any."""


class Webhooks:
    """Saves, reads and deletes webhooks; every call names account and key."""

    def __init__(self, client: Client, sealer: Sealer, audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._sealer = sealer
        self._seals = SealingKeyCheck(client, sealer)

    async def save(
        self,
        account_id: str,
        key_id: str,
        *,
        url: str,
        enabled: bool = True,
        secret: str | None = None,
        makes_secret: bool = False,
        events: Sequence[str] | None = None,
        may_approve: bool = False,
        by: str | None = None,
    ) -> Webhook:
        """Set the webhook of a key. Without a secret it keeps its own or gets a new one.

        Without events it keeps its own too, at first the three ends.
        `makes_secret` replaces the secret. The previous one stays valid for a day. With
        `may_approve` it gets links of approvals. `by` acts for the owner, which the audit log
        records; None: the owner does. Raises NotFound when the key is gone, and RecordTooNew for a
        webhook that a later version has saved.
        """
        await self._seals.check()
        place, made = secret_place(account_id, key_id), make_secret()
        sealed = self._sealer.seal(made, place)
        own = None if secret is None else self._sealer.seal(secret, place)
        await self._seal_anew(account_id, key_id)
        reply = await self._client.call(
            SCRIPTS["save_webhook"],
            webhook=keyspace.webhook(account_id, key_id),
            account_api_keys=keyspace.account_api_keys(account_id),
            audit=keyspace.audit(partition_of(account_id)),
            api_key=key_id,
            url=url,
            enabled="1" if enabled else "0",
            secret=sealed if makes_secret else own,
            new_secret=sealed,
            events=events and ",".join(events),
            overlap_ms=OVERLAP_MS,
            format=Format.WEBHOOK.known,
            may_approve="1" if may_approve else "",
            act=self._audit.arguments(_act(by, account_id, key_id, url)),
        )
        kept_secret, *kept = _parse_saved(reply)
        return _saved(url, made if kept_secret == sealed else None, kept, enabled=enabled)

    async def _seal_anew(self, account_id: str, key_id: str) -> None:
        key = keyspace.webhook(account_id, key_id)
        record = parse_hash(await self._client.send("HGETALL", key))
        seal_anew(self._client, self._sealer, account_id, key_id, record)

    async def get(self, account_id: str, key_id: str) -> Webhook:
        """Return the webhook of a key. Raises NotFound."""
        webhook = await self.find(account_id, key_id)
        if webhook is None:
            raise NotFound("This API key has no webhook")
        return webhook

    async def find(self, account_id: str, key_id: str) -> Webhook | None:
        """Like `get`, but return None for a key without a webhook."""
        key = keyspace.webhook(account_id, key_id)
        record = parse_hash(await self._client.send("HGETALL", key))
        if not record:
            return None
        return Webhook(
            url=record["url"].decode(),
            enabled=record["enabled"] == b"1",
            disabled_reason=record["reason"].decode(),
            created_at=int(record["created"]),
            events=parse_events(record.get("events")),
        )

    async def in_force(self, account_id: str, key_id: str) -> RunWebhook | None:
        """Return the webhook that is told of an execution that starts now, None for no webhook."""
        key = keyspace.webhook(account_id, key_id)
        url, enabled, events = await self._client.send("HMGET", key, "url", "enabled", "events")
        if url is None or enabled != b"1":
            return None
        return RunWebhook(url=url.decode(), events=parse_events(events))

    async def seal(self, account_id: str, owner: str, secret: str) -> bytes:
        """Return the secret of the webhook of a run or a batch as its record has it.

        Raises Unavailable when other processes could not open it.
        """
        await self._seals.check()
        return self._sealer.seal(secret, secret_place(account_id, owner))

    async def delete(self, account_id: str, key_id: str) -> None:
        """Delete the webhook of a key; pending deliveries fail. Raises NotFound."""
        if not await self._client.send("DEL", keyspace.webhook(account_id, key_id)):
            raise NotFound("This API key has no webhook")


def _saved(url: str, made: str | None, kept: Sequence[bytes], *, enabled: bool) -> Webhook:
    reason, created, events = kept
    return Webhook(
        url=url,
        enabled=enabled,
        disabled_reason=reason.decode(),
        created_at=int(created),
        events=parse_events(events or None),
        made_secret=made,
    )


def _parse_saved(reply: Sequence[bytes]) -> Sequence[bytes]:
    """Return secret, reason, creation time and events of a saved webhook."""
    if reply[0] == b"unknown":
        raise RecordTooNew(Format.WEBHOOK.noun)
    if reply[0] != b"ok":
        raise NotFound("There is no such API key")
    return reply[1:]


def _act(by: str | None, account_id: str, key_id: str, url: str) -> AuditedAct | None:
    if by is None:
        return None
    # The path and the query of a URL may be secret.
    facts = {"accountId": account_id, "host": urlsplit(url).hostname}
    return AuditedAct(by=by, action=AuditAction.KEY_WEBHOOK, subject=key_id, after=facts)


def secret_place(account_id: str, key_id: str) -> tuple[str, ...]:
    """Return the context to which a webhook's secrets are sealed."""
    return ("webhook", account_id, key_id)


def seal_anew(
    client: Client, sealer: Sealer, account_id: str, key_id: str, record: Mapping[str, bytes]
) -> None:
    """Schedule sealing with the current key for secrets under an older key."""
    place = secret_place(account_id, key_id)
    key = keyspace.webhook(account_id, key_id)
    for name in ("secret", "previous_secret"):
        stored = record.get(name, b"")
        with contextlib.suppress(Unsealable):
            sealed = sealer.seal(sealer.open(stored, place), place)
            if stored != sealed:
                replaced = client.call(
                    SCRIPTS["seal_secret"], record=key, field=name, stored=stored, sealed=sealed
                )
                forget(replaced)
