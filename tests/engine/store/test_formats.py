"""Records as a later release would write them: they break no reader of this one."""

from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import RecordTooNew
from engine.executions.events import EventName, read_events
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.history.archiving.execution_rows import make_rows
from engine.ids.partitions import partition_of
from engine.media.formats import Facts
from engine.store import Account, Store
from engine.store.accounts.account_events import ChangeKind
from engine.store.accounts.key_records import parse_key
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.archive.state import ArchiverStates
from engine.store.executions.notifier import CompletionWaiter
from engine.store.formats import Format
from engine.store.media import AssetSource
from engine.store.metrics.samples import add_up, subtract
from engine.store.metrics.snapshots import Snapshots
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack, unpack
from engine.webhooks.deliveries import DeliveryStatus
from tests.support.manifests import manifest
from tests.support.store.ended import URL, Ending
from tests.support.store.watched_runs import CHANNEL, Run

LATER = {"of_a_later_release": {"nested": [1, None]}}
FIELDS = ("o.k", "x", "o1.k", "x", "rate.1", "x", "r", "x", "k.1", "x", "later", pack(LATER))
"""Names and values of fields that a later release adds to a hash."""


async def add(store: Store, key: str, *fields: Any) -> None:
    await store.client.send("HSET", key, *(fields or FIELDS))


async def repack(store: Store, key: str, field: str, **members: Any) -> None:
    """Add members to the packed part of a field of a hash."""
    stored = await store.client.send("HGET", key, field)
    head, bar, packed = stored.partition(b"|") if b"|" in stored[:80] else (b"", b"", stored)
    await add(store, key, field, head + bar + pack(unpack(packed) | members))


# -- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Format)
def test_a_record_without_a_format_is_of_the_first_release(kind: Format) -> None:
    assert kind.knows({})
    assert kind.knows({"format": 1})
    assert kind.knows({"format": str(kind.known).encode()})
    assert kind.members == {"format": kind.known}
    kind.check(kind.members)


@pytest.mark.parametrize("kind", Format)
def test_a_later_format_is_refused_in_a_sentence(kind: Format) -> None:
    later = {"format": kind.known + 1}

    assert not kind.knows(later)
    with pytest.raises(RecordTooNew, match=f"This {kind.noun} was written by a newer version"):
        kind.check(later)


# -- executions -----------------------------------------------------------------------------------


async def test_an_execution_with_further_fields_rows_and_members_is_read(
    store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    reference = await ending.completed()
    ids = keyspace.parse_reference(reference)
    key = keyspace.execution(*ids)
    row = [0, 1, 5, 7, None, pack({"text-out": "hello"}), 0, 0, "a further member", {"and": 1}]
    await add(store, key)
    await add(store, key, "r9.1", pack([[row], [], ["a further list"]]))

    execution = await store.executions.get(*ids)
    [listed], _ = await store.executions.list(account.id)
    record = await store.executions.record(*ids)
    [ended] = (await EndedExecutions(store.client).read([reference])).records

    assert execution.status is ExecutionStatus.COMPLETED
    assert [node.status for node in execution.nodes] == [NodeStatus.COMPLETED] * 2
    assert execution.nodes[0].outputs == pack({"text-out": "hello"})
    assert (listed.id, execution.result) == (ids[1], {"text": "hello"})
    assert record["later"] == pack(LATER)
    assert make_rows(ended, ()).execution["status"] == "completed"


async def test_an_execution_with_statuses_of_a_later_release_goes_on(
    store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    ids = keyspace.parse_reference(await ending.accept())
    key = keyspace.execution(*ids)
    await add(store, key, "status", "parked", "statuses", "cy", "n1", "1:2:3:4:5:6")

    execution = await store.executions.get(*ids)
    summary = (await store.workflow_list.own(account.id))[0]

    assert execution.status is ExecutionStatus.PROCESSING
    assert [node.status for node in execution.nodes] == [NodeStatus.COMPLETED, NodeStatus.RUNNING]
    assert execution.nodes[1].attempts == 2
    assert summary.last_run is not None
    assert await store.executions.status(*ids) is ExecutionStatus.PROCESSING
    assert (await store.executions.facts(*ids)).id == ids[1]


async def test_the_last_run_of_a_workflow_may_have_a_later_form(
    store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    reference = await ending.completed()
    key = keyspace.workflow(account.id, ending.workflow.slug)
    runs = (await store.client.send("HGET", key, "runs")).decode()
    at, name, _, spent = runs.partition("|")[2].split(":")
    await add(store, key, "runs", f"{runs.partition('|')[0]}|{at}:{name}:parked:{spent}:more")

    [summary] = await store.workflow_list.own(account.id)

    assert summary.last_run is not None
    assert summary.last_run.status is ExecutionStatus.PROCESSING
    assert reference.endswith(name)


async def test_events_of_a_later_release_are_left_out_and_keep_their_numbers(
    run: Run, store: Store
) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    key = keyspace.events(run.account.id, run.id)
    last = int(
        (await store.client.send("XREVRANGE", key, "+", "-", "COUNT", 1))[0][0].split(b"-")[0]
    )
    before = await run.seen()
    for number, fields in enumerate(
        [
            ("parked", "1", "until", "9"),
            ("node", "0", "attempt", "1", "log", "a line"),
            ("settled", "0yr", "retrying", "", "claimed", "", "further", "x"),
        ],
        start=last + 1,
    ):
        await store.client.send("XADD", key, f"{number}-0", *fields)
    await store.client.send("HSET", keyspace.execution(run.account.id, run.id), "events", last + 3)

    entries = await run.read()

    events = [event for entry in entries for _, event in read_events(entry)]
    assert [entry.number for entry in entries][-3:] == [last + 1, last + 2, last + 3]
    assert (await run.seen())[: len(before)] == before
    assert [event.name for event in events[len(before) :]] == [EventName.NODE_FINISHED]


async def test_a_start_entry_with_a_later_status_is_read(run: Run, store: Store) -> None:
    await run.accept()
    key = keyspace.execution(run.account.id, run.id)
    await add(store, key, "statuses", "yp")

    assert [name for _, name in await run.seen()] == ["execution.started", "node.started"]


def test_a_notification_of_a_later_form_is_one_without_an_outcome() -> None:
    waiter = CompletionWaiter("x", None)  # type: ignore[arg-type]
    outcomes = []
    for message in (b"\x02anything", b"parked\n0\n0\n", b"completed\n0", b"completed\n0\n1\n\xc0"):
        waiter.wake(message)
        outcomes.append(waiter.outcome)

    assert outcomes[:3] == [None] * 3
    assert outcomes[3] is not None


async def test_an_ended_execution_of_a_later_format_stays_for_a_release_that_knows_it(
    store: Store, account: Account
) -> None:
    reference = await (await Ending.of(store, account)).completed()
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await add(store, key, "format", Format.EXECUTION.known + 1)
    [ended] = (await EndedExecutions(store.client).read([reference])).records

    with pytest.raises(ValueError, match="later format"):
        make_rows(ended, ())


# -- accounts and keys ----------------------------------------------------------------------------


async def test_an_account_keeps_members_of_a_later_release_through_changes(
    store: Store, account: Account
) -> None:
    key = keyspace.accounts(partition_of(account.id))
    await repack(store, key, account.id, **LATER)

    changed = await store.accounts.set_tier(account.id, Tier.BUSINESS)

    stored = unpack((await store.client.send("HGET", key, account.id)).partition(b"|")[2])
    assert changed.tier is Tier.BUSINESS
    assert stored["of_a_later_release"] == LATER["of_a_later_release"]
    assert stored["format"] == Format.ACCOUNT.known


@pytest.mark.parametrize("change", [{"format": 3}, {"tier": "team"}, {"role": "auditor"}])
async def test_an_account_that_is_not_understood_may_do_nothing(
    change: dict[str, Any], store: Store, account: Account, api_key: str
) -> None:
    await store.api_keys.authorize(api_key)
    key = keyspace.accounts(partition_of(account.id))
    await repack(store, key, account.id, **change)

    with pytest.raises(RecordTooNew):
        await store.api_keys.authorize(api_key)
    with pytest.raises(RecordTooNew):
        await store.api_keys.authorize_call(api_key, "api")
    with pytest.raises(RecordTooNew):
        await store.accounts.get(account.id)
    if "format" in change:
        with pytest.raises(RecordTooNew):
            await store.accounts.change(account.id, approved=False)


async def test_a_key_keeps_members_of_a_later_release_through_changes(
    store: Store, account: Account, api_key: str
) -> None:
    [key] = await store.api_keys.list(account.id)
    name = keyspace.api_keys(partition_of(account.id))
    [(digest, _)] = (await store.client.send("HGETALL", name)).items()
    await repack(store, name, digest, **LATER)

    renamed = await store.api_keys.change(key.id, owner=account.id, name="other")

    stored = await store.client.send("HGET", name, digest)
    assert renamed.name == parse_key(stored).name == "other"
    assert unpack(stored.partition(b"|")[2])["of_a_later_release"] == LATER["of_a_later_release"]
    assert (await store.api_keys.authorize(api_key)).key == renamed


async def test_a_key_of_a_later_format_opens_nothing_and_stays_as_it_is(
    store: Store, account: Account, api_key: str
) -> None:
    [key] = await store.api_keys.list(account.id)
    name = keyspace.api_keys(partition_of(account.id))
    [(digest, _)] = (await store.client.send("HGETALL", name)).items()
    await repack(store, name, digest, format=Format.API_KEY.known + 1, networks=["10.0.0.0/8"])
    before = await store.client.send("HGET", name, digest)

    with pytest.raises(RecordTooNew, match="This API key was written by a newer version"):
        await store.api_keys.authorize(api_key)
    with pytest.raises(RecordTooNew):
        await store.api_keys.change(key.id, owner=account.id, name="other")

    assert await store.client.send("HGET", name, digest) == before


async def test_sessions_and_streams_of_an_account_with_further_fields_are_read(
    store: Store, account: Account
) -> None:
    login = await store.sessions.create_login(account.id)
    token = await store.sessions.redeem(login)
    [session] = await store.session_list.all(account.id)
    await add(store, keyspace.session_record(partition_of(account.id), session.id))
    await store.client.send(
        *("XADD", keyspace.ledger(account.id), "*", "kind", "refund", "bucket", "z9", "credits", 0),
        *("reserved", 0, "balance", 0, "further", "x"),
    )
    await store.client.send(
        *(
            "XADD",
            keyspace.audit(partition_of(account.id)),
            "*",
            "by",
            "x",
            "action",
            "account.fly",
        ),
        *("subject", account.id, "before", "null", "after", '{"a":1}', "further", "x"),
    )
    seconds, _ = await store.client.send("TIME")
    changes = keyspace.account_changes(account.id)
    for name in ("trigger:t1", "batch", "workflow:echo"):
        await store.client.send("ZADD", changes, int(seconds) * 1_000, name)

    entries = (await store.wallets.entries(account.id, 10)).entries
    acts, _ = await store.audit.page(limit=10)
    events = (await store.account_events.read_since(account.id, 0)).events

    assert (await store.sessions.authorize(token)).account == account
    assert [each.id for each in await store.session_list.all(account.id)] == [session.id]
    assert [entry.kind for entry in entries] == ["refund"]
    assert acts[0].action == "account.fly"
    assert [(each.kind, each.id) for each in events if each.kind is not ChangeKind.BALANCE] == [
        (ChangeKind.WORKFLOW, "echo")
    ]


# -- workflows, models, media, deliveries ---------------------------------------------------------


async def test_a_version_of_a_later_format_is_shown_and_cannot_run_here(
    store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    slug = ending.workflow.slug
    key = keyspace.workflow(account.id, slug)
    await repack(store, key, "d1", format=Format.WORKFLOW_VERSION.known + 1)
    store.workflows.plans._plans.drop((slug, 1))

    found = await store.workflows.get_own(account.id, slug)
    _, plan = await store.workflows.own_plan(account.id, slug)

    assert found.document.name == "Echo"
    assert plan is None
    assert store.workflows.plans.unknown_part(account.id, slug, 1) is not None


async def test_saved_models_of_a_later_format_are_left_out_and_the_others_load(
    store: Store, account: Account
) -> None:
    for name in ("own", "other"):
        await store.models.create(name, manifest(name), account.id)
    await repack(store, keyspace.models(), "manifest:own:1", format=Format.MODEL.known + 1)
    await repack(store, keyspace.models(), "manifest:other:1", **LATER)
    await store.client.send("HINCRBY", keyspace.models(), "generation", 1)

    await store.models.look()

    assert set(store.models.left_out()) == {"own"}
    assert (await store.models.get("other")).text == manifest("other")


async def test_an_asset_of_another_origin_is_nobodys_upload(store: Store, account: Account) -> None:
    place = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    await store.assets.complete(place.asset_id, Facts(content_type="image/png"), 5, "")
    key = keyspace.asset(partition_of(place.asset_id), place.asset_id)
    await add(store, key, "source", "imported", *FIELDS)

    asset = await store.assets.get(account.id, place.asset_id)

    assert (asset.source, asset.bytes) == (AssetSource.PROVIDER, 5)


@pytest.mark.parametrize("kind", ["delivery", "webhook"])
async def test_a_delivery_of_a_later_format_is_left_to_workers_that_know_it(
    kind: str, store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    key_id = await ending.with_webhook()
    reference = await ending.completed(key_id=key_id, webhook_url=URL)
    ids = keyspace.parse_reference(reference)
    record = keyspace.delivery(*ids)
    key = record if kind == "delivery" else keyspace.webhook(account.id, key_id)
    receiver = await store.deliveries.find_receiver(reference)
    assert receiver is not None
    await add(store, key, "format", 3, *FIELDS)
    before = await store.client.send("HGETALL", record)

    left = await store.deliveries.claim(reference, receiver)
    unchanged = await store.client.send("HGETALL", record)
    if kind == "webhook":
        with pytest.raises(RecordTooNew):
            await store.webhooks.save(account.id, key_id, url=URL)
    await add(store, key, "format", 2)
    claimed = await store.deliveries.claim(reference, receiver)

    assert (left, unchanged) == (None, before)
    assert claimed is not None


async def test_a_delivery_with_further_fields_is_read_and_its_format_is_on_record(
    store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    key_id = await ending.with_webhook()
    reference = await ending.completed(key_id=key_id, webhook_url=URL)
    ids = keyspace.parse_reference(reference)
    webhook = await store.webhooks.find(account.id, key_id)
    assert webhook is not None
    tested = await store.deliveries.add_test(account.id, key_id, webhook)
    key = keyspace.delivery(*ids)
    attempt = {"at": 5, "status": 200, "duration_ms": 1, "error": None, "body": None, "proxy": "x"}
    await add(store, key, "status", "held", "a1", pack(attempt), *FIELDS)

    delivery = await store.deliveries.find(*ids)

    assert delivery.status is DeliveryStatus.PENDING
    assert delivery.next_attempt_at is None
    assert [each.status for each in delivery.attempts] == [200]
    formats = [
        await store.client.send("HGET", each, "format")
        for each in (
            key,
            keyspace.delivery(account.id, tested.id),
            keyspace.webhook(account.id, key_id),
        )
    ]
    assert formats == [
        str(kind.known).encode() for kind in (Format.DELIVERY, Format.DELIVERY, Format.WEBHOOK)
    ]


# -- processes ------------------------------------------------------------------------------------


async def test_states_and_metrics_with_further_members_are_read(store: Store) -> None:
    await add(store, keyspace.history(), "refusals", '{"a":{"code":1}}', "later", "x")
    later = [["runs", "counter", "Runs.", [["runs", {"a": "b"}, 2.0, 5]], {"unit": "runs"}]]
    await Snapshots(store.client).put("p1", later)

    state = await ArchiverStates(store.client).read()

    assert state.refusals == {"a": "{'code': 1}"}
    assert add_up([later, later])[0][3] == [["runs", {"a": "b"}, 4.0]]
    assert subtract(later, later)[0][3] == [["runs", {"a": "b"}, 0.0]]


def test_a_row_of_an_earlier_release_has_defaults() -> None:
    assert NodeRow(3) == NodeRow(3, 0, None, None, None, None, 0, 0)
