"""Triggers of tests, as they stand in the store."""

from typing import Any

from msgspec.structs import replace

from engine.ids.triggers import new_trigger_id
from engine.store import Account, Store
from engine.store.redis.info import read_now
from engine.triggers.trigger import (
    HookSettings,
    ScheduleSettings,
    Trigger,
    TriggerSettings,
    Verify,
    VerifyKind,
)

MINUTE_MS = 60_000

SCHEDULE = TriggerSettings(
    name="Digest",
    slug="echo",
    schedule=ScheduleSettings(cron="0 9 * * 1", timezone="Europe/Berlin", inputs={"text": "hi"}),
)
HOOK = TriggerSettings(
    name="Issues",
    slug="echo",
    hook=HookSettings(verify=Verify(kind=VerifyKind.GITHUB, secret="SIGNING"), when="true"),
)


async def save_schedule(
    store: Store,
    account: Account,
    *,
    next_at: int | None = None,
    enabled: bool = True,
    key_id: str = "",
    **members: Any,
) -> Trigger:
    """Create a schedule that is due in a minute; `members` are those of its settings."""
    now = await read_now(store.client)
    return await store.triggers.create(
        account.id,
        new_trigger_id(),
        replace(SCHEDULE, **members),
        enabled=enabled,
        key_id=key_id,
        since=now,
        next_at=now + MINUTE_MS if next_at is None else next_at,
    )


async def save_hook(
    store: Store, account: Account, *, enabled: bool = True, key_id: str = "", **members: Any
) -> Trigger:
    """Create an inbound webhook; `members` are those of its settings."""
    return await store.triggers.create(
        account.id,
        new_trigger_id(),
        replace(HOOK, **members),
        enabled=enabled,
        key_id=key_id,
        since=await read_now(store.client),
        next_at=None,
    )
