import asyncio

import pytest
from msgspec.structs import replace

from engine.errors import InvalidTrigger, QuotaExceeded, TriggerNotFound, Unauthorized
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.ids.triggers import is_hook_token, new_trigger_id
from engine.store import Account, ReplaceRefusal, Store
from engine.store.redis import keyspace
from engine.store.redis.info import read_now
from engine.store.redis.record_packing import pack, unpack
from engine.store.triggers import keys
from engine.store.workflows.versions import VERSIONS_KEPT
from engine.triggers.trigger import (
    MOST_SETTINGS_BYTES,
    MOST_TRIGGERS,
    ScheduleSettings,
    Trigger,
    TriggerKind,
    TriggerWebhook,
)
from tests.support.store.records import document, save
from tests.support.triggers.records import HOOK, SCHEDULE, save_hook, save_schedule

RENAMED = replace(SCHEDULE, name="Weekly")


async def due_of(store: Store, account: Account) -> dict[str, int]:
    key = keys.open_schedules(account.id)
    members = await store.client.send("ZRANGE", key, 0, -1, "WITHSCORES")
    return {trigger_id.decode(): int(at) for trigger_id, at in members}


async def set_next(store: Store, trigger: Trigger, at: int) -> None:
    await store.client.send("HSET", keys.triggers(trigger.account_id), f"{trigger.id}.next", at)


async def test_a_schedule_is_on_record_and_will_be_looked_at(
    store: Store, account: Account
) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    made = await save_schedule(store, account, key_id=key.id)
    found = await store.triggers.get(account.id, made.id)

    assert found == made
    assert (found.kind, found.settings, found.enabled) == (TriggerKind.SCHEDULE, SCHEDULE, True)
    assert (found.created_by, found.revision, found.created_at) == (key.id, 1, found.updated_at)
    assert (found.token, found.last, found.last_run, found.held) == (None, None, None, None)
    assert await due_of(store, account) == {made.id: made.next_at}
    partition = partition_of(account.id)
    due = await store.client.send("ZSCORE", keys.schedules_due(partition), account.id)
    assert int(due) == made.next_at


async def test_a_hook_has_a_token_that_locates_it(store: Store, account: Account) -> None:
    made = await save_hook(store, account)
    found = await store.triggers.get(account.id, made.id)

    assert found == made
    assert found.settings == HOOK
    assert found.token is not None and is_hook_token(found.token)
    digest = tokens.digest(found.token)
    assert tokens.partition_of(digest) == partition_of(account.id)
    named = await store.client.send("HGET", keys.hooks(partition_of(account.id)), digest)
    assert named.decode() == f"{account.id}/{made.id}"
    record = await store.client.send("HGETALL", keys.triggers(account.id))
    assert found.token.encode() not in b" ".join(record)
    assert await due_of(store, account) == {}


async def test_triggers_are_listed_newest_first_and_each_account_has_its_own(
    store: Store, account: Account
) -> None:
    other = await store.accounts.create(email="b@example.com", tier=account.tier)
    first = await save_schedule(store, account)
    await asyncio.sleep(0.002)
    second = await save_hook(store, account)

    assert await store.triggers.list(account.id) == [second, first]
    assert await store.triggers.list(other.id) == []
    assert await store.triggers.find(other.id, first.id) is None
    assert await store.triggers.find(account.id, "trg_1.enabled") is None
    with pytest.raises(TriggerNotFound):
        await store.triggers.get(account.id, new_trigger_id())


async def test_an_account_has_at_most_a_hundred_triggers(store: Store, account: Account) -> None:
    await asyncio.gather(*(save_schedule(store, account) for _ in range(MOST_TRIGGERS - 1)))
    last = await save_hook(store, account)

    with pytest.raises(QuotaExceeded, match="100 triggers of the 100"):
        await save_hook(store, account)
    await store.triggers.delete(last)
    await save_hook(store, account)


async def test_settings_have_a_largest_size(store: Store, account: Account) -> None:
    inputs = {"text": "x" * MOST_SETTINGS_BYTES}

    with pytest.raises(InvalidTrigger) as raised:
        await save_schedule(store, account, schedule=ScheduleSettings(cron="@daily", inputs=inputs))
    assert raised.value.context["field"] == "inputs"
    with pytest.raises(InvalidTrigger):
        await save_schedule(
            store, account, schedule=ScheduleSettings(cron="@daily", inputs={"n": 2**70})
        )
    assert await store.triggers.list(account.id) == []


async def test_a_replaced_trigger_has_another_revision(store: Store, account: Account) -> None:
    made = await save_schedule(store, account)

    changed = await store.triggers.replace(
        made, RENAMED, enabled=True, since=made.since, next_at=made.next_at
    )
    repeated = await store.triggers.replace(
        made, RENAMED, enabled=True, since=made.since, next_at=made.next_at
    )
    late = await store.triggers.replace(
        made, SCHEDULE, enabled=True, since=made.since, next_at=made.next_at
    )

    assert isinstance(changed, Trigger)
    assert (changed.settings, changed.revision) == (RENAMED, 2)
    assert (changed.next_at, changed.created_at) == (made.next_at, made.created_at)
    assert repeated == changed
    assert late is ReplaceRefusal.CHANGED
    assert await store.triggers.get(account.id, made.id) == changed


async def test_members_of_a_later_release_stay(store: Store, account: Account) -> None:
    made = await save_schedule(store, account)
    key = keys.triggers(account.id)
    packed = await store.client.send("HGET", key, made.id)
    later = pack({**unpack(packed), "later": 1})
    await store.client.send("HSET", key, made.id, later)

    await store.triggers.replace(made, RENAMED, enabled=True, since=0, next_at=made.next_at)

    members = unpack(await store.client.send("HGET", key, made.id))
    assert (members["later"], members["name"]) == (1, "Weekly")


async def test_only_one_of_twenty_replacements_of_a_revision_counts(
    store: Store, account: Account
) -> None:
    made = await save_schedule(store, account)

    verdicts = await asyncio.gather(
        *(
            store.triggers.replace(
                made, replace(SCHEDULE, name=f"n{number}"), enabled=True, since=0, next_at=None
            )
            for number in range(20)
        )
    )

    assert verdicts.count(ReplaceRefusal.CHANGED) == 19
    assert (await store.triggers.get(account.id, made.id)).revision == 2


async def test_a_disabled_schedule_has_no_due_time(store: Store, account: Account) -> None:
    made = await save_schedule(store, account)

    disabled = await store.triggers.replace(
        made, SCHEDULE, enabled=False, since=made.since, next_at=made.next_at
    )

    assert isinstance(disabled, Trigger)
    assert (disabled.enabled, disabled.next_at) == (False, None)
    assert await due_of(store, account) == {}


async def test_a_due_time_that_has_come_stays_in_a_replaced_schedule(
    store: Store, account: Account
) -> None:
    made = await save_schedule(store, account)
    now = await read_now(store.client)
    await set_next(store, made, now - 10)

    refused = await store.triggers.replace(
        made, RENAMED, enabled=False, since=now, next_at=now + 5_000
    )
    changed = await store.triggers.replace(
        made, RENAMED, enabled=True, since=now, next_at=now + 5_000
    )

    assert refused is ReplaceRefusal.DUE
    assert isinstance(changed, Trigger)
    assert (changed.next_at, changed.since, changed.settings) == (now - 10, now, RENAMED)
    assert await due_of(store, account) == {made.id: now - 10}


async def test_a_replacement_brings_no_due_time_back_that_has_begun_meanwhile(
    store: Store, account: Account
) -> None:
    made = await save_schedule(store, account)
    later = (made.next_at or 0) + 60_000
    await set_next(store, made, later)  # as the start of the first one does

    changed = await store.triggers.replace(
        made, RENAMED, enabled=True, since=made.since, next_at=made.next_at
    )

    assert isinstance(changed, Trigger)
    assert (changed.next_at, changed.since, changed.settings) == (later, made.since, RENAMED)
    assert await due_of(store, account) == {made.id: later}


async def test_a_deleted_trigger_leaves_nothing(store: Store, account: Account) -> None:
    schedule, hook = await save_schedule(store, account), await save_hook(store, account)
    for each in (schedule, hook):
        for key in keys.occurrence_keys(account.id, each.id):
            await store.client.send("ZADD", key, 1, "o")
        await store.client.send("ZADD", keys.event_times(account.id), 1, f"{each.id}/o")
        await store.client.send("HSET", keys.event_bodies(account.id), f"{each.id}/o", b"body")

    await store.triggers.delete(schedule)

    assert await store.triggers.list(account.id) == [hook]
    assert await due_of(store, account) == {}
    assert not await store.client.send("EXISTS", *keys.occurrence_keys(account.id, schedule.id))
    bodies = await store.client.send("HKEYS", keys.event_bodies(account.id))
    assert bodies == [f"{hook.id}/o".encode()]
    with pytest.raises(TriggerNotFound):
        await store.triggers.delete(schedule)

    await store.triggers.delete(hook)
    partition = partition_of(account.id)
    left = [keys.triggers(account.id), keys.hooks(partition), keys.event_times(account.id)]
    assert await store.client.send("EXISTS", *left) == 0


async def test_a_rotated_hook_has_another_token(store: Store, account: Account) -> None:
    made = await save_hook(store, account)

    rotated = await store.triggers.rotate(made)

    assert rotated.token != made.token
    assert rotated == replace(made, token=rotated.token, updated_at=rotated.updated_at)
    assert rotated.token is not None
    known = await store.client.send("HKEYS", keys.hooks(partition_of(account.id)))
    assert known == [tokens.digest(rotated.token).encode()]
    with pytest.raises(TriggerNotFound):
        await store.triggers.rotate(await save_schedule(store, account))


async def test_twenty_rotations_at_once_leave_one_token(store: Store, account: Account) -> None:
    made = await save_hook(store, account)

    await asyncio.gather(*(store.triggers.rotate(made) for _ in range(20)))

    token = (await store.triggers.get(account.id, made.id)).token
    assert token is not None
    known = await store.client.send("HKEYS", keys.hooks(partition_of(account.id)))
    assert known == [tokens.digest(token).encode()]


async def test_acts_stand_in_the_audit_log_without_inputs(store: Store, account: Account) -> None:
    made = await save_schedule(store, account)
    await store.triggers.replace(made, RENAMED, enabled=True, since=0, next_at=None, by="acc_9")
    await store.triggers.delete(made, by="acc_9")

    entries, _ = await store.audit.page(limit=10)
    acts = [each for each in entries if each.subject == made.id]
    facts = acts[1].after
    assert [each.action for each in acts] == ["trigger.delete", "trigger.change"]
    assert facts is not None and facts["name"] == "Weekly" and facts["accountId"] == account.id
    assert "hi" not in str(facts)


async def test_the_secret_of_a_webhook_is_sealed_to_its_trigger(
    store: Store, account: Account
) -> None:
    sealed = await store.triggers.seal_webhook(account.id, "trg_1", "a secret of its own")
    webhook = TriggerWebhook(url="https://example.com", sealed_secret=sealed)
    made = await save_schedule(store, account, webhook=webhook)

    assert b"secret of" not in sealed
    assert made.settings.webhook == webhook
    opened = store.triggers.open_webhook(account.id, "trg_1", webhook)
    assert opened == "a secret of its own"
    assert store.triggers.open_webhook(account.id, "trg_2", webhook) is None


async def test_a_deleted_key_disables_the_triggers_that_it_made(
    store: Store, account: Account
) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    kept, _ = await store.api_keys.create(account, name="l", capabilities=["workflow:run"])
    own = [
        await save_schedule(store, account, key_id=key.id),
        await save_hook(store, account, key_id=key.id),
    ]
    others = [
        await save_schedule(store, account, key_id=kept.id),
        await save_schedule(store, account),
        await save_hook(store, account, key_id=kept.id),
    ]

    await store.api_keys.revoke(key.id)

    for each in own:
        found = await store.triggers.get(account.id, each.id)
        assert (found.enabled, found.next_at, found.revision) == (False, None, 2)
        assert found.settings == each.settings
        assert await store.hooks.find(found.token or "") is None
    for each in others:
        assert await store.triggers.get(account.id, each.id) == each
    assert set(await due_of(store, account)) == {others[0].id, others[1].id}


async def test_no_trigger_is_made_with_a_deleted_key(store: Store, account: Account) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])

    made, _ = await asyncio.gather(
        save_schedule(store, account, key_id=key.id),
        store.api_keys.revoke(key.id),
        return_exceptions=True,
    )
    with pytest.raises(Unauthorized):
        await save_schedule(store, account, key_id=key.id)

    enabled = [each for each in await store.triggers.list(account.id) if each.enabled]
    assert enabled == []
    assert isinstance(made, Trigger | Unauthorized)


@pytest.mark.parametrize("pinned", [True, False])
async def test_a_version_that_a_trigger_names_is_kept(
    store: Store, account: Account, pinned: bool
) -> None:
    await save(store, account)
    made = await save_schedule(store, account, version=1 if pinned else None)
    for number in range(VERSIONS_KEPT + 2):
        await store.workflows.update(account.id, "echo", document(text=f"{number}"), [])
    await store.versions.prune()

    key = keyspace.workflow(account.id, "echo")
    fields = await store.client.send("HKEYS", key)
    assert (b"d1" in fields) is pinned
    assert b"d2" not in fields
    await store.triggers.replace(made, SCHEDULE, enabled=True, since=made.since, next_at=None)
    due = keyspace.workflows_due(partition_of(account.id))
    await store.client.send("ZADD", due, 1, keyspace.reference(account.id, "echo"))
    await store.versions.prune()
    assert not await store.client.send("HEXISTS", key, "d1")
