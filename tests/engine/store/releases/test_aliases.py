"""Aliases at rest: set, deleted, promoted, and the versions that they keep."""

import pytest

from engine.errors import AliasNotFound, InvalidBody, QuotaExceeded, VersionNotFound
from engine.releases.aliases import LIVE, MOST_HISTORY, Alias, Canary
from engine.store import Account, Store, Workflow
from engine.store.redis import keyspace
from engine.store.releases.aliases import CanaryChanged
from engine.store.releases.keys import alias_history
from engine.store.workflows.saves import WorkflowSave
from tests.support.store.records import document

RULE = Canary(version=0, percent=5, max_error_rate=0.1)


async def save(store: Store, account: Account, versions: int = 2) -> Workflow:
    """Return an own workflow of as many versions."""
    workflow = await store.workflows.create(account.id, document(name="Echo"), [])
    for number in range(versions - 1):
        workflow = await store.workflows.update(
            account.id, workflow.slug, document(name="Echo", text=f"{number}"), []
        )
    return workflow


async def publish_canary(store: Store, account: Account, canary_id: str = "one") -> Workflow:
    live = await store.workflows.get("echo")
    draft = await store.drafts.write(account.id, "echo", document(name="Echo", text="new"), [])
    rule = Canary(id=canary_id, version=0, percent=5)
    return await store.workflows.publish(draft, "Try it", live.version, rule)


def promoted(workflow: Workflow) -> WorkflowSave:
    return WorkflowSave(
        account_id=workflow.account_id,
        slug=workflow.slug,
        document=workflow.document,
        problems=(),
        expected="",
        operation="promotion",
    )


async def test_an_alias_names_a_version(store: Store, account: Account) -> None:
    await save(store, account)

    aliases = await store.aliases.set(account.id, "echo", "stable", 1, None)

    assert aliases.by_name["stable"].version == 1
    assert aliases.revision == 1
    assert (await store.workflows.get("echo")).aliases == aliases


async def test_a_set_that_changes_nothing_makes_no_revision(store: Store, account: Account) -> None:
    await save(store, account)
    canary = Canary(id="one", version=2, percent=5, max_p95_ms=900)
    first = await store.aliases.set(account.id, "echo", "stable", 1, canary)

    again = Canary(id="two", version=2, percent=5, max_p95_ms=900)
    assert await store.aliases.set(account.id, "echo", "stable", 1, again) == first
    assert len(await store.aliases.history(account.id, "echo", "stable")) == 1


async def test_a_version_that_is_not_there_is_refused(store: Store, account: Account) -> None:
    await save(store, account)

    with pytest.raises(VersionNotFound):
        await store.aliases.set(account.id, "echo", "stable", 9, None)
    with pytest.raises(VersionNotFound):
        canary = Canary(id="one", version=9, percent=5)
        await store.aliases.set(account.id, "echo", "stable", 1, canary)


async def test_a_canary_is_another_version(store: Store, account: Account) -> None:
    await save(store, account)

    with pytest.raises(InvalidBody):
        canary = Canary(id="one", version=1, percent=5)
        await store.aliases.set(account.id, "echo", "stable", 1, canary)


async def test_live_takes_its_own_version_alone(store: Store, account: Account) -> None:
    await save(store, account)
    canary = Canary(id="one", version=1, percent=5)

    with pytest.raises(InvalidBody, match="a publish or a restore sets it"):
        await store.aliases.set(account.id, "echo", LIVE, 1, None)
    aliases = await store.aliases.set(account.id, "echo", LIVE, None, canary)
    assert aliases.by_name[LIVE].version == 2
    assert (await store.aliases.set(account.id, "echo", LIVE, 2, None)).by_name == {}


async def test_a_workflow_has_a_bounded_number_of_aliases(store: Store, account: Account) -> None:
    await save(store, account)
    for number in range(20):
        await store.aliases.set(account.id, "echo", f"a{number}", 1, None)

    with pytest.raises(QuotaExceeded):
        await store.aliases.set(account.id, "echo", "more", 1, None)
    await store.aliases.set(account.id, "echo", "a3", 2, None)


async def test_an_alias_is_deleted_with_its_history(store: Store, account: Account) -> None:
    await save(store, account)
    before = await store.client.send("HGET", keyspace.stored_documents(account.id), "bytes")
    await store.aliases.set(account.id, "echo", "stable", 1, None)

    await store.aliases.delete(account.id, "echo", "stable")

    assert await store.aliases.history(account.id, "echo", "stable") == []
    assert await store.client.send("HGET", keyspace.stored_documents(account.id), "bytes") == before
    with pytest.raises(AliasNotFound):
        await store.aliases.delete(account.id, "echo", "stable")


async def test_a_history_has_both_states_newest_first(store: Store, account: Account) -> None:
    await save(store, account)
    await store.aliases.set(account.id, "echo", "stable", 1, None)
    await store.aliases.set(
        account.id, "echo", "stable", 1, Canary(id="one", version=2, percent=5, max_error_rate=0.1)
    )

    newest, oldest = await store.aliases.history(account.id, "echo", "stable")

    assert (newest.by, newest.reason) == ("user", "The canary was set")
    assert newest.change.before is not None
    assert newest.change.before.canary is None
    assert newest.change.after is not None
    assert newest.change.after.canary == Canary(id="one", version=2, percent=5, max_error_rate=0.1)
    assert oldest.change.before is None


async def test_a_history_keeps_its_newest_entries(store: Store, account: Account) -> None:
    await save(store, account)
    for number in range(MOST_HISTORY + 3):
        await store.aliases.set(account.id, "echo", "stable", 1 + number % 2, None)

    entries = await store.aliases.history(account.id, "echo", "stable")

    key = alias_history(account.id, "echo")
    assert len(entries) == MOST_HISTORY
    assert await store.client.send("HLEN", key) == MOST_HISTORY + 2
    kept = sum(len(each) for each in await store.client.send("HVALS", key) if each[:1] == b"{")
    assert int(await store.client.send("HGET", key, "bytes")) == kept


async def test_a_canary_is_published_beside_the_live_version(
    store: Store, account: Account
) -> None:
    await save(store, account)

    canary = await publish_canary(store, account)

    live = await store.workflows.get("echo")
    assert (live.version, canary.version) == (2, 3)
    found = live.aliases.by_name[LIVE]
    assert (found.version, found.canary) == (2, Canary(id="one", version=3, percent=5))
    change, *_ = await store.aliases.history(account.id, "echo", LIVE)
    assert change.reason == "Version 3 was published as a canary"


async def test_a_canary_needs_a_live_version(store: Store, account: Account) -> None:
    await store.workflows.create_draft(account.id, document(name="Echo"), [])

    with pytest.raises(InvalidBody, match="no live version"):
        await publish_canary(store, account)


async def test_a_publication_ends_the_canary_of_live_and_takes_the_next_number(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await publish_canary(store, account)

    workflow = await store.workflows.update(account.id, "echo", document(name="Echo"), [])

    assert workflow.version == 4
    assert LIVE not in workflow.aliases.by_name
    change, *_ = await store.aliases.history(account.id, "echo", LIVE)
    assert change.reason == "Version 4 was published"
    assert change.change.before is not None
    assert change.change.before.canary is not None


async def test_a_publication_without_aliases_writes_none(store: Store, account: Account) -> None:
    await save(store, account)

    fields = await store.client.send("HKEYS", keyspace.workflow(account.id, "echo"))

    assert not {b"aliases", b"aliases_revision", b"latest"} & set(fields)
    assert not await store.client.send("EXISTS", alias_history(account.id, "echo"))


async def test_a_promoted_canary_of_live_is_published(store: Store, account: Account) -> None:
    await save(store, account)
    canary = await publish_canary(store, account)
    rule = canary.aliases.by_name[LIVE].canary
    assert rule is not None

    first = await store.aliases.promote(account.id, "echo", LIVE, rule, promoted(canary))
    again = await store.aliases.promote(account.id, "echo", LIVE, rule, promoted(canary))

    live = await store.workflows.get("echo")
    assert first == again
    assert (live.version, live.aliases.by_name) == (3, {})
    assert len(await store.aliases.history(account.id, "echo", LIVE)) == 2


async def test_a_canary_that_was_replaced_is_not_promoted(store: Store, account: Account) -> None:
    await save(store, account)
    canary = await publish_canary(store, account)
    await publish_canary(store, account, "two")
    rule = canary.aliases.by_name[LIVE].canary
    assert rule is not None

    with pytest.raises(CanaryChanged):
        await store.aliases.promote(account.id, "echo", LIVE, rule, promoted(canary))


async def test_a_promoted_canary_of_an_alias_is_its_version(store: Store, account: Account) -> None:
    await save(store, account)
    rule = Canary(id="one", version=2, percent=5)
    await store.aliases.set(account.id, "echo", "stable", 1, rule)

    promotion = await store.aliases.promote(account.id, "echo", "stable", rule, None)

    at = promotion.aliases.by_name["stable"].updated_at
    assert promotion.aliases.by_name == {"stable": Alias(version=2, updated_at=at)}
    assert (await store.workflows.get("echo")).version == 2


async def test_a_deleted_workflow_has_no_aliases_when_it_comes_back(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await store.aliases.set(account.id, "echo", "stable", 1, None)
    await publish_canary(store, account)

    await store.workflows.delete(account.id, "echo")
    await store.workflows.restore(account.id, "echo")

    workflow = await store.workflows.get("echo")
    assert (workflow.aliases.by_name, workflow.version) == ({}, 2)
    assert not await store.client.send("EXISTS", alias_history(account.id, "echo"))


async def test_versions_that_aliases_and_canaries_name_are_kept(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("engine.store.workflows.versions", "engine.store.workflows.saves"):
        monkeypatch.setattr(f"{module}.VERSIONS_KEPT", 1)
    await save(store, account, 1)
    rule = Canary(id="one", version=2, percent=5)
    draft = await store.drafts.write(account.id, "echo", document(name="Echo", text="b"), [])
    await store.workflows.publish(draft, None, 1, Canary(id="a", version=0, percent=5))
    await store.aliases.set(account.id, "echo", "stable", 1, rule)
    for text in "cde":
        await store.workflows.update(account.id, "echo", document(name="Echo", text=text), [])

    await store.versions.prune()
    page = await store.versions.page(account.id, "echo", limit=10)

    assert [row.version for row in page.rows] == [5, 2, 1]
    assert [row.aliases for row in page.rows] == [(), (), ("stable",)]
    assert [row.is_canary for row in page.rows] == [False, True, False]


async def test_the_live_version_is_kept_below_many_canaries(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("engine.store.workflows.versions", "engine.store.workflows.saves"):
        monkeypatch.setattr(f"{module}.VERSIONS_KEPT", 2)
    await save(store, account, 1)
    for number in range(4):
        await publish_canary(store, account, f"{number}")

    await store.versions.prune()

    page = await store.versions.page(account.id, "echo", limit=10)
    assert [(row.version, row.is_live) for row in page.rows] == [(5, False), (4, False), (1, True)]
