"""`headrace account erase`: nothing of the account is left, and all of the others is."""

from pathlib import Path

import pytest

from deploy.admin import erasure as module
from deploy.admin.erasure import erase
from deploy.output.problems import CommandFailed
from engine.access.capabilities import Role, Tier
from engine.errors import AccountNotFound
from engine.executions.batches import BatchKind
from engine.graph.document import parse_document
from engine.history.archiving.batch_archive import BatchArchive
from engine.history.archiving.deliveries import write_deliveries
from engine.history.archiving.entries import write_audit, write_ledger
from engine.history.archiving.entry_archive import EntryArchive
from engine.history.archiving.execution_archive import ExecutionArchive
from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.archiving.occurrences import write_occurrences
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.retention.removal import RemovedRows, count_rows
from engine.history.schema import audit_entries, rollups
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.services.media import MediaService
from engine.services.workflow_tests.listed_tests import ListedTest, make_items
from engine.settings import Settings
from engine.store import Account, HookEvent, NewBatch, NewItem, NewRecord, Store
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.archive.entries import ArchivedEntries, audit_streams
from engine.store.batches.run_lists import ItemVerdict
from engine.store.executions.record_fields import parse_name
from engine.store.media import AssetSource
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.releases import keys as release_keys
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.store.workflows.workflow_test_records import WorkflowTest
from engine.triggers.occurrences import OccurrenceStatus
from engine.webhooks.events import EVENTS
from tests.engine.store.test_media import kept
from tests.support.gateway.documents import node
from tests.support.history.rows import table_rows
from tests.support.lists.store_lists import Lists
from tests.support.replays.ended_calls import ended_call
from tests.support.replays.replayed_runs import accept_replay
from tests.support.store.child_runs import ChildRuns
from tests.support.store.ended import URL, Ending
from tests.support.store.ended_batches import EndingBatches
from tests.support.store.records import document
from tests.support.store.redis_contents import contents
from tests.support.triggers.occurrences import occurrence
from tests.support.triggers.records import save_hook, save_schedule
from tests.support.triggers.starts import Starts
from tests.support.waits.runs import WaitRuns

LEFT = ("asset", ":audit", ":top_up:", ":event:", "hr:hints:")
"""Parts of the names of what goes later, by itself: media, the audit log, markers, hints."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.4)


async def live(store: Store, account: Account, database: Database) -> Ending:
    """Let the account have something of everything."""
    ending = await Ending.of(store, account, f"Of {account.email}")
    key_id = await ending.with_webhook()
    await ending.deliver(await ending.completed(key_id=key_id, webhook_url=URL))
    await ending.failed(watcher="")
    terms = store.tiers.terms(Tier.PRO, Role.USER)
    await store.wallets.top_up(account.id, terms, 5)
    await store.secrets.save(account.id, "TOKEN", "a secret value")
    await store.sessions.redeem(await store.sessions.create_login(account.id))
    await kept(store, account)
    await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    await ExecutionArchive(store, database).archive()
    entries = EntryArchive(store, database)
    await entries.archive_deliveries()
    await entries.archive_ledgers([account.id])
    batches = EndingBatches(store, account.id)
    await batches.over(items=[NewItem({"text": "x" * 300_000})])
    await BatchArchive(store, database).archive()
    write_occurrences(database, [(account.id, occurrence())])
    await with_triggers(store, account, ending)
    await batches.over()
    await with_lists(store, account, ending.workflow.slug)
    await store.client.send("UNLINK", keyspace.workflow(account.id, "echo"))  # it is no workflow
    await ending.accept()
    runs = ChildRuns(store, account, (ending.workflow, ending.plan))
    await runs.begin_root()
    await runs.open(1)
    await runs.begin(0)
    await runs.end_child(0)
    await runs.end_parent()
    waits = WaitRuns(store, account, (ending.workflow, ending.plan))
    await waits.begin_root()
    await waits.ask()
    return ending


async def with_lists(store: Store, account: Account, slug: str) -> None:
    """Let the account have a replay that is over, with objects, and a test run that goes on."""
    lists = Lists(store, account)
    replay_id = await lists.begin(items=[NewItem({"text": "x" * 300_000})], version=0)
    verdicts = {0: ItemVerdict("s", {"of": account.email})}
    await store.lists.record_verdicts(account.id, replay_id, verdicts)
    await lists.end(replay_id)
    await lists.begin(BatchKind.TESTS, version=0, slug=slug)


async def with_triggers(store: Store, account: Account, ending: Ending) -> None:
    """Let the account have triggers with occurrences of all kinds."""
    starts = Starts(store, account, (ending.workflow, ending.plan))
    schedule = await starts.set_next(await save_schedule(store, account), 60_000)
    await starts.start_due(schedule, 120_000)
    hook = await save_hook(store, account)
    await starts.start_event(hook, "digest", HookEvent(body="b", headers={}).pack())
    failed = occurrence(trigger_id=hook.id, status=OccurrenceStatus.FAILED)
    event = HookEvent(body=account.email, headers={}).pack()
    await store.occurrences.record_event(account.id, NewRecord(failed, event))


@pytest.fixture
async def other(store: Store, database: Database) -> Account:
    account = await store.accounts.create(email="b@example.com", tier=Tier.PRO)
    await live(store, account, database)
    return account


async def names_with(store: Store, account_id: str) -> set[str]:
    """Return the keys that have the account's id in their name or their contents."""
    found = await contents(store.client)
    wanted = account_id.encode()
    return {
        name.decode()
        for name, value in found.items()
        if wanted in name or wanted in repr(value).encode()
    }


@pytest.mark.A107
async def test_an_erased_account_is_nowhere_and_others_have_all_that_they_had(
    store: Store, account: Account, other: Account, database: Database
) -> None:
    ending = await live(store, account, database)
    [key] = await store.api_keys.list(account.id)
    own = RunWebhook(url=URL, events=EVENTS, is_own=True)
    await ending.deliver(await ending.completed(key_id=key.id, webhook=own))
    await EntryArchive(store, database).archive_deliveries()
    before = await names_with(store, other.id)
    rows = count_rows(database, other.id)

    counts = await erase(store, database, account.id, dry_run=False)

    assert counts == {
        "apiKeys": 1,
        "sessions": 1,
        "secrets": 1,
        "workflows": 1,
        "triggers": 2,
        "mediaBytes": 5,
        "executionsInRedis": 8,
        "executionsInHistory": 2,
        "batchesInHistory": 1,
        "deliveriesInHistory": 2,
        "occurrencesInHistory": 1,
        "movementsInHistory": 2,
    }
    left = await names_with(store, account.id)
    assert {name for name in left if not any(word in name for word in LEFT)} == {"hr:slugs"}
    assert set(count_rows(database, account.id).values()) == {0}
    with pytest.raises(AccountNotFound):
        await store.accounts.get(account.id)
    assert await names_with(store, other.id) == before
    assert count_rows(database, other.id) == rows
    page, _ = await store.audit.page(limit=1)
    assert (page[0].action, page[0].subject) == ("account.erase", account.id)
    assert ending.workflow.slug


async def test_all_media_of_an_account_go_however_many_pages_they_take(
    store: Store,
    account: Account,
    other: Account,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MEDIA_PAGE", 2)
    for _ in range(5):
        await kept(store, account)
    of_others = await store.assets.stored(other.id)
    assert len((await store.assets.page(account.id, limit=9)).assets) == 5

    await erase(store, database, account.id, dry_run=False)

    page = await store.assets.page(account.id, limit=9)
    assert (page.assets, page.stored) == ([], 0)
    assert await store.assets.stored(other.id) == of_others > 0


async def archive_acts(store: Store, database: Database) -> None:
    """Write the audit log's entries to the database."""
    archive = EntryArchive(store, database)
    for _ in audit_streams():
        await archive.archive_audit()


async def where_named(store: Store, database: Database, text: str) -> set[str]:
    """Return the keys and the tables that have a text in them, in any case."""
    found = await contents(store.client)
    keys = {name.decode() for name, value in found.items() if text in repr(value).lower()}
    acts = [row for row in table_rows(database, audit_entries) if text in repr(row).lower()]
    return keys | ({"audit_entries"} if acts else set())


@pytest.mark.A107
async def test_the_address_of_an_erased_account_is_nowhere_and_its_acts_are(
    store: Store, account: Account, other: Account, database: Database
) -> None:
    terms = store.tiers.terms(Tier.PRO, Role.USER)
    note = f"Refund for {account.email.title()}"
    await store.wallets.top_up(account.id, terms, 5, note=note)
    await archive_acts(store, database)
    acts, _ = await store.audit.page(limit=200)
    assert len(await where_named(store, database, account.email)) >= 3

    await erase(store, database, account.id, dry_run=False)
    await archive_acts(store, database)

    assert await where_named(store, database, account.email) == set()
    assert await where_named(store, database, other.email)
    left, _ = await store.audit.page(limit=200)
    known = {act.id: act for act in left}
    assert [(act.id, act.action, act.subject) for act in acts] == [
        (known[act.id].id, known[act.id].action, known[act.id].subject) for act in acts
    ]
    [created] = [act for act in left if (act.action, act.subject) == ("account.create", account.id)]
    assert created.after == {"email": None, "tier": "pro", "role": "user", "approved": True}


async def test_an_archiver_that_has_read_acts_before_writes_no_address(
    store: Store, account: Account, database: Database
) -> None:
    entries = ArchivedEntries(store.client)
    stream = partition_of(account.id)
    read = await entries.audit(stream, None)

    await erase(store, database, account.id, dry_run=False)
    write_audit(database, stream, read)

    assert table_rows(database, audit_entries)
    assert await where_named(store, database, account.email) == set()


async def test_a_dry_run_changes_nothing(
    store: Store, account: Account, database: Database
) -> None:
    await live(store, account, database)
    before, rows = await contents(store.client), count_rows(database, account.id)

    counts = await erase(store, database, account.id, dry_run=True)

    assert counts["executionsInHistory"] == 2
    assert await contents(store.client) == before
    assert count_rows(database, account.id) == rows


@pytest.mark.A107
async def test_an_erasure_that_broke_off_is_repeated(
    store: Store, account: Account, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(store, account, database)

    async def fail(self: object, account_id: str, **_: object) -> None:
        raise CommandFailed("gone")

    with monkeypatch.context() as patch:
        patch.setattr(module.AccountErasure, "_erase_history", fail)
        with pytest.raises(CommandFailed, match="gone"):
            await erase(store, database, account.id, dry_run=False)
    await erase(store, database, account.id, dry_run=False)

    assert set(count_rows(database, account.id).values()) == {0}


@pytest.mark.A107
async def test_an_erasure_that_broke_off_before_its_end_is_ended(
    store: Store, account: Account, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(store, account, database)

    def fail(database: Database, account_id: str) -> None:
        raise HistoryUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(module, "close_account", fail)
        patch.setattr(module, "erase_account", lambda *_: RemovedRows(count=0))
        with pytest.raises(CommandFailed, match="gone"):
            await erase(store, database, account.id, dry_run=False)
    assert count_rows(database, account.id)["executions"] == 2
    await erase(store, database, account.id, dry_run=False)

    assert set(count_rows(database, account.id).values()) == {0}


async def test_executions_and_deliveries_that_redis_has_forgotten_are_erased(
    store: Store, account: Account, other: Account, database: Database
) -> None:
    await live(store, account, database)
    later = await store.leases.now() + 60_000
    for partition in partitions.every():
        await ExecutionArchive(store, database).forget(partition, later)
    await EntryArchive(store, database).forget_deliveries(later)
    rows = count_rows(database, other.id)

    counts = await erase(store, database, account.id, dry_run=False)

    assert (counts["executionsInRedis"], counts["executionsInHistory"]) == (5, 2)
    left = await names_with(store, account.id)
    assert {name for name in left if not any(word in name for word in LEFT)} == {"hr:slugs"}
    assert set(count_rows(database, account.id).values()) == {0}
    assert count_rows(database, other.id) == rows


async def test_an_archiver_that_has_read_before_brings_nothing_back(
    store: Store, account: Account, database: Database
) -> None:
    ending = await Ending.of(store, account)
    key_id = await ending.with_webhook()
    name = await ending.completed(key_id=key_id, webhook_url=URL)
    await ending.deliver(name)
    await store.wallets.top_up(account.id, store.tiers.terms(Tier.PRO, Role.USER), 5)
    deliveries, entries = EndedDeliveries(store.client), ArchivedEntries(store.client)
    read = (await EndedExecutions(store.client).read([name])).records
    told = await deliveries.records(await deliveries.unarchived(10))
    movements = await entries.ledger(account.id, None)
    assert read
    assert told
    assert movements.entries

    await erase(store, database, account.id, dry_run=False)
    write_executions(database, [make_rows(each, ()) for each in read])
    write_deliveries(database, told)
    write_ledger(database, account.id, movements)
    await entries.mark_ledger(account.id, movements.entries[-1][0])

    assert set(count_rows(database, account.id).values()) == {0}
    assert not table_rows(database, rollups)
    assert not await store.client.send("EXISTS", keyspace.wallet(account.id))


async def test_an_account_whose_executions_do_not_end_is_not_erased(
    store: Store, account: Account, database: Database
) -> None:
    ending = await Ending.of(store, account)
    await store.walks.claim(await ending.accept(), "w1")

    with pytest.raises(CommandFailed, match="have not ended yet"):
        await erase(store, database, account.id, dry_run=False)


async def test_admins_and_unknown_accounts_are_refused(
    store: Store, database: Database, tmp_path: Path
) -> None:
    admin = await store.accounts.create(email="c@example.com", tier=Tier.PRO, role=Role.ADMIN)

    with pytest.raises(CommandFailed, match="take the role first"):
        await erase(store, database, admin.id, dry_run=False)
    with pytest.raises(AccountNotFound):
        await erase(store, database, "acc_unknown", dry_run=True)


async def test_workflows_that_call_each_other_are_erased(
    store: Store, account: Account, database: Database
) -> None:
    for name, callee in (("First", "second"), ("Second", "first")):
        nodes = [node("call", "subWorkflow", workflow=callee)]
        document = parse_document({"name": name, "nodes": nodes})
        await store.workflows.create(account.id, document, [])

    counts = await erase(store, database, account.id, dry_run=False)

    assert counts["workflows"] == 2
    left = await names_with(store, account.id)
    assert {name for name in left if not any(word in name for word in LEFT)} == {"hr:slugs"}


@pytest.mark.A98a
async def test_a_replay_is_erased_with_the_outcomes_that_it_has_taken(
    store: Store, account: Account, database: Database, settings: Settings
) -> None:
    outputs = {"response-out": "x" * 300_000, "status-out": 200}
    _, former_id = await ended_call(store, account, outputs)
    former = await store.executions.get(account.id, former_id)
    media = MediaService.from_settings(settings, store)
    new_id = await accept_replay(store, account, former, 1, media_service=media)
    book = (await store.walks.records(account.id, new_id))["book"]
    await store.executions.cancel(account.id, new_id)
    name = parse_name(book)
    assert name is not None
    assert await store.offloaded.read(account.id, new_id, name)

    await erase(store, database, account.id, dry_run=False)

    left = await names_with(store, account.id)
    assert {name for name in left if not any(word in name for word in LEFT)} == {"hr:slugs"}
    with pytest.raises(FileNotFoundError):
        await store.offloaded.read(account.id, new_id, name)


async def test_aliases_are_erased_with_their_history_and_counts(
    store: Store, account: Account, database: Database
) -> None:
    workflow = await store.workflows.create(account.id, document(), [])
    await store.aliases.set(account.id, workflow.slug, "stable", 1, None)
    counts = release_keys.canary_counts(account.id, workflow.slug)
    await store.client.send("HSET", counts, "one:c:7", 3)

    await erase(store, database, account.id, dry_run=False)

    left = await names_with(store, account.id)
    assert {name for name in left if not any(word in name for word in LEFT)} == {"hr:slugs"}


async def test_tests_are_erased_with_their_runs(
    store: Store, account: Account, database: Database
) -> None:
    workflow = await store.workflows.create(account.id, document(), [])
    test = WorkflowTest(inputs={"name": "Ada"}, expect=("true",))
    await store.workflow_tests.write(account.id, workflow.slug, {"greets": test})
    items, facts = make_items([ListedTest("greets", test)])
    graph = pack({"nodes": ["x" * 300_000], "edges": [], "only": None})
    new = NewBatch(
        account_id=account.id,
        slug=workflow.slug,
        version=0,
        items=items,
        kind=BatchKind.TESTS,
        facts=facts,
        values={"draft": graph},
    )
    await store.batches.add(new)
    [name] = (await store.lists.facts(account.id, new.batch_id, "draft")).values()
    await store.batches.cancel(account.id, new.batch_id)

    await erase(store, database, account.id, dry_run=False)

    left = await names_with(store, account.id)
    assert {each for each in left if not any(word in each for word in LEFT)} == {"hr:slugs"}
    with pytest.raises(FileNotFoundError):
        await store.offloaded.open_value(account.id, new.batch_id, name)
