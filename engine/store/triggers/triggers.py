"""Triggers at rest: created, read, replaced, deleted, and tokens of inbound webhooks."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from engine.access.sealing import Sealer, Unsealable
from engine.errors import InvalidTrigger, QuotaExceeded, TriggerNotFound, Unauthorized
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.ids.triggers import is_trigger_id, make_hook_token
from engine.store.audit import AuditAction, AuditedAct, AuditLog, Facts
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client, forget
from engine.store.redis.scripts import SCRIPTS
from engine.store.seals import SealingKeyCheck
from engine.store.triggers import keys
from engine.store.triggers.keys import TriggerKeys
from engine.store.triggers.records import (
    FIELDS,
    field,
    pack_settings,
    parse_trigger,
    split_triggers,
    trigger_fields,
)
from engine.triggers.trigger import (
    MOST_TRIGGERS,
    Trigger,
    TriggerKind,
    TriggerSettings,
    TriggerWebhook,
)

SINCE_SCHEMA = 2
"""Processes of 0.1.0 begin no due times, and do not count runs of triggers."""
TOKEN_AT = 1 + FIELDS.index("token")


class ReplaceRefusal(Enum):
    """Reason for which a trigger was not replaced."""

    CHANGED = "changed"
    """It was replaced since it was read: read it again."""
    DUE = "due"
    """It is a schedule with a due time that has come: begin it before the schedule is disabled."""


class Triggers:
    """Creates, reads, replaces and deletes triggers; every call names its account."""

    def __init__(self, client: Client, sealer: Sealer, audit: AuditLog) -> None:
        self._client = client
        self._sealer = sealer
        self._audit = audit
        self._seals = SealingKeyCheck(client, sealer)

    async def create(
        self,
        account_id: str,
        trigger_id: str,
        settings: TriggerSettings,
        *,
        enabled: bool,
        key_id: str,
        since: int,
        next_at: int | None,
        by: str | None = None,
    ) -> Trigger:
        """Create a trigger whose settings are checked; `trigger_id` is that of `new_trigger_id`.

        `since` is the time of Redis by which `next_at`, the first due time of a schedule, was
        computed. `by` acts, which the audit log records; None: without an entry. Raises
        QuotaExceeded, InvalidTrigger for settings that are too large, Unauthorized for a key that
        was deleted meanwhile, StoreFull or Unavailable.
        """
        token = None
        if settings.kind is TriggerKind.WEBHOOK:
            await self._seals.check()
            token = make_hook_token(account_id)
        facts = _facts(account_id, settings, enabled)
        act = self._act(by, AuditAction.TRIGGER_CREATE, trigger_id, after=facts)
        reply = await self._save(
            account_id,
            trigger_id,
            settings,
            revision=0,
            former=b"",
            enabled=enabled,
            since=since,
            next_at=next_at,
            key_id=key_id,
            token=token,
            act=act,
        )
        match reply:
            case [b"ok", values]:
                return self.parse(account_id, trigger_id, values)
            case [b"full", used]:
                raise QuotaExceeded("triggers", used=int(used), limit=MOST_TRIGGERS)
            case [b"no_key"]:
                raise Unauthorized
        raise InvalidTrigger("id", "Another trigger has this id")

    async def replace(
        self,
        trigger: Trigger,
        settings: TriggerSettings,
        *,
        enabled: bool,
        since: int,
        next_at: int | None,
        by: str | None = None,
    ) -> Trigger | ReplaceRefusal:
        """Replace the settings of a trigger as it was read; its kind stays.

        A due time that has come stays the next one of an enabled schedule. With the `since` and
        the cron expression of the trigger its due times stay as they are by then, whatever
        `next_at` is; else both are as in `create`.
        Raises TriggerNotFound, InvalidTrigger, StoreFull or Unavailable.
        """
        account_id, trigger_id = trigger.account_id, trigger.id
        key = keys.triggers(account_id)
        former = await self._client.send("HGET", key, trigger_id)
        is_as_before = since == trigger.since and enabled == trigger.enabled
        keeps_times = is_as_before and settings.due_times == trigger.settings.due_times
        before, after = _facts_of(trigger), _facts(account_id, settings, enabled)
        act = self._act(by, AuditAction.TRIGGER_CHANGE, trigger_id, before, after)
        reply = await self._save(
            account_id,
            trigger_id,
            settings,
            revision=trigger.revision,
            former=former or b"",
            enabled=enabled,
            since=None if keeps_times else since,
            next_at=next_at,
            act=act,
        )
        match reply:
            case [b"ok", values]:
                return self.parse(account_id, trigger_id, values)
            case [b"changed" | b"due" as reason]:
                return ReplaceRefusal(reason.decode())
        raise TriggerNotFound

    async def _save(
        self,
        account_id: str,
        trigger_id: str,
        settings: TriggerSettings,
        *,
        revision: int,
        former: bytes,
        enabled: bool,
        since: int | None,
        next_at: int | None,
        act: Sequence[str | bytes | int],
        key_id: str | None = None,
        token: str | None = None,
    ) -> Sequence[Any]:
        partition, own = partition_of(account_id), TriggerKeys.of(account_id)
        reply: Sequence[Any] = await self._client.call(
            SCRIPTS["save_trigger"],
            triggers=own.triggers,
            audit=keyspace.audit(partition),
            open_schedules=own.open_schedules,
            schedules_due=own.schedules_due,
            hooks=keys.hooks(partition),
            account_api_keys=keyspace.account_api_keys(account_id) if key_id else None,
            account_id=account_id,
            id=trigger_id,
            revision=revision,
            settings=pack_settings(settings, former),
            enabled=int(enabled),
            since=since,
            next=next_at if enabled else None,
            key=key_id,
            secret=settings.secret_name,
            pins=f"{settings.slug}@{settings.version}" if settings.version else None,
            token=token and self._sealer.seal(token, _token_place(account_id, trigger_id)),
            hook=token and tokens.digest(token),
            most=MOST_TRIGGERS,
            act=act,
        )
        return reply

    async def get(self, account_id: str, trigger_id: str) -> Trigger:
        """Return a trigger of the account. Raises TriggerNotFound, RecordTooNew or Unavailable."""
        trigger = await self.find(account_id, trigger_id)
        if trigger is None:
            raise TriggerNotFound
        return trigger

    async def find(self, account_id: str, trigger_id: str) -> Trigger | None:
        """Return a trigger of the account, None for an unknown one. Raises like `get`."""
        if not is_trigger_id(trigger_id):
            return None
        names = trigger_fields(trigger_id)
        values = await self._client.send("HMGET", keys.triggers(account_id), *names)
        return None if values[0] is None else self.parse(account_id, trigger_id, values)

    async def list(self, account_id: str) -> Sequence[Trigger]:
        """Return all triggers of the account, newest first. Raises RecordTooNew or Unavailable."""
        record = parse_hash(await self._client.send("HGETALL", keys.triggers(account_id)))
        triggers = [
            self.parse(account_id, trigger_id, values)
            for trigger_id, values in split_triggers(record)
        ]
        return sorted(triggers, key=lambda each: (each.created_at, each.id), reverse=True)

    async def delete(self, trigger: Trigger, *, by: str | None = None) -> None:
        """Delete a trigger; no run starts from now on. Raises TriggerNotFound or Unavailable."""
        account_id, own = trigger.account_id, TriggerKeys.of(trigger.account_id)
        partition = partition_of(account_id)
        act = self._act(by, AuditAction.TRIGGER_DELETE, trigger.id, before=_facts_of(trigger))
        is_deleted = await self._client.call(
            SCRIPTS["delete_trigger"],
            triggers=own.triggers,
            audit=keyspace.audit(partition),
            open_schedules=own.open_schedules,
            hooks=keys.hooks(partition),
            event_bodies=keys.event_bodies(account_id),
            event_times=keys.event_times(account_id),
            occurrences=keys.occurrence_keys(account_id, trigger.id),
            id=trigger.id,
            act=act,
        )
        if not is_deleted:
            raise TriggerNotFound

    async def rotate(self, trigger: Trigger, *, by: str | None = None) -> Trigger:
        """Give an inbound webhook another token; the former one is unknown from now on.

        Raises TriggerNotFound, also for a schedule, StoreFull or Unavailable.
        """
        await self._seals.check()
        account_id, trigger_id = trigger.account_id, trigger.id
        token, partition = make_hook_token(account_id), partition_of(account_id)
        reply = await self._client.call(
            SCRIPTS["rotate_hook"],
            triggers=keys.triggers(account_id),
            audit=keyspace.audit(partition),
            hooks=keys.hooks(partition),
            account_id=account_id,
            id=trigger_id,
            token=self._sealer.seal(token, _token_place(account_id, trigger_id)),
            hook=tokens.digest(token),
            act=self._act(by, AuditAction.TRIGGER_ROTATE, trigger_id, after=_facts_of(trigger)),
        )
        if reply[0] != b"ok":
            raise TriggerNotFound
        return self.parse(account_id, trigger_id, reply[1])

    async def seal_webhook(self, account_id: str, trigger_id: str, secret: str) -> bytes:
        """Return the secret of a trigger's outbound webhook as its settings keep it.

        Raises Unavailable when other processes could not open it.
        """
        await self._seals.check()
        return self._sealer.seal(secret, _webhook_place(account_id, trigger_id))

    def open_webhook(self, account_id: str, trigger_id: str, webhook: TriggerWebhook) -> str | None:
        """Return the secret of a trigger's outbound webhook; None without one, or sealed by a key
        that this process lacks."""
        return self._open(webhook.sealed_secret, _webhook_place(account_id, trigger_id))

    def parse(self, account_id: str, trigger_id: str, values: Sequence[bytes | None]) -> Trigger:
        """Return the trigger of the values of its fields. Raises TriggerNotFound for none."""
        sealed, place = values[TOKEN_AT], _token_place(account_id, trigger_id)
        token = None if sealed is None else self._open(sealed, place)
        if sealed is not None and token is not None:
            self._seal_anew(account_id, field(trigger_id, "token"), token, sealed, place)
        trigger = parse_trigger(account_id, trigger_id, values, token)
        if trigger is None:
            raise TriggerNotFound
        return trigger

    def _open(self, sealed: bytes, place: tuple[str, ...]) -> str | None:
        try:
            return self._sealer.open(sealed, place)
        except Unsealable:
            return None

    def _seal_anew(
        self, account_id: str, name: str, value: str, stored: bytes, place: tuple[str, ...]
    ) -> None:
        """Schedule sealing with the current key for a value under an older one."""
        sealed = self._sealer.seal(value, place)
        if sealed != stored:
            record = keys.triggers(account_id)
            replaced = self._client.call(
                SCRIPTS["seal_secret"], record=record, field=name, stored=stored, sealed=sealed
            )
            forget(replaced)

    def _act(
        self,
        by: str | None,
        action: AuditAction,
        trigger_id: str,
        before: Facts | None = None,
        after: Facts | None = None,
    ) -> Sequence[str | bytes | int]:
        act = None
        if by is not None:
            act = AuditedAct(by=by, action=action, subject=trigger_id, before=before, after=after)
        return self._audit.arguments(act)


def _facts_of(trigger: Trigger) -> Facts:
    return _facts(trigger.account_id, trigger.settings, trigger.enabled)


def _facts(account_id: str, settings: TriggerSettings, enabled: bool) -> Facts:
    """Return the facts of a trigger for the audit log: neither inputs nor secrets."""
    facts: dict[str, Any] = {
        "accountId": account_id,
        "kind": settings.kind.value,
        "name": settings.name,
        "workflowSlug": settings.slug,
        "version": settings.version,
        "enabled": enabled,
    }
    if settings.schedule is not None:
        facts |= {"cron": settings.schedule.cron, "timezone": settings.schedule.timezone}
    if settings.hook is not None:
        facts["verify"] = settings.hook.verify.kind.value
    return facts


def _token_place(account_id: str, trigger_id: str) -> tuple[str, ...]:
    """Return the context to which the token of an inbound webhook is sealed."""
    return ("hook", account_id, trigger_id)


def _webhook_place(account_id: str, trigger_id: str) -> tuple[str, ...]:
    """Return the context to which the secret of an outbound webhook is sealed."""
    return ("trigger webhook", account_id, trigger_id)
