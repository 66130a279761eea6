"""Models saved over HTTP: versions, and registries that follow."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineError, InvalidBody, ModelNotFound, Unavailable, VersionConflict
from engine.models.registry import find_model, generation, use_folder, use_saved
from engine.settings import Settings
from engine.store import Store
from engine.store import models as saved_models
from engine.store.redis import channels, keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS
from tests.conftest import RedisServer
from tests.support.eventually import eventually
from tests.support.manifests import manifest
from tests.support.store.script_scenarios import NO_ACT

TEXT = manifest("own")
OTHER = manifest("own", tier="pro")


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    yield
    use_saved(())


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Store]:
    """Store of another process, as far as one process can have it."""
    store = Store.open(settings)
    yield store
    await store.close()


def tier_of(name: str) -> str | None:
    found = find_model(name)
    return found.tier if found else None


async def save_by_script(
    store: Store, operation: str, expected: str, text: str, changes: str
) -> Any:
    """Save the model `own` and publish that on a channel; return the reply."""
    return await store.client.call(
        SCRIPTS["save_model"],
        models=keyspace.models(),
        audit=keyspace.models_audit(),
        model="own",
        operation=operation,
        expected=expected,
        manifest=pack({"text": text, "by": "a"}),
        most_former=50,
        changes=changes,
        most_models=200,
        act=NO_ACT,
    )


async def test_a_saved_model_is_read_as_it_was_saved(store: Store) -> None:
    first = await store.models.create("own", TEXT, "acc_1")
    second = await store.models.update("own", OTHER, "acc_2")

    assert (first.version, first.text, first.saved_by) == (1, TEXT, "acc_1")
    assert (second.version, second.text, second.saved_by) == (2, OTHER, "acc_2")
    assert first.created_at == first.updated_at == second.created_at <= second.updated_at
    assert await store.models.get("own") == second
    assert await store.models.get("own", 1) == first


async def test_a_saved_model_is_in_the_registry_at_once(store: Store) -> None:
    seen = [tier_of("own")]

    await store.models.create("own", TEXT, "a")
    seen.append(tier_of("own"))
    await store.models.update("own", OTHER, "a")
    seen.append(tier_of("own"))
    await store.models.delete("own", "a")
    seen.append(tier_of("own"))

    assert seen == [None, "free", "pro", None]


async def test_a_name_is_taken_once_it_is_saved_and_free_again_when_deleted(store: Store) -> None:
    await store.models.create("own", TEXT, "a")
    with pytest.raises(InvalidBody, match="'own' is saved already; PUT replaces it"):
        await store.models.create("own", OTHER, "a")

    await store.models.delete("own", "a")
    again = await store.models.create("own", OTHER, "a")

    assert again.version == 2
    assert (await store.models.get("own", 1)).text == TEXT


async def test_a_missing_model_is_neither_read_nor_replaced_nor_deleted(store: Store) -> None:
    await store.models.create("gone", TEXT, "a")
    await store.models.delete("gone", "a")

    for name in ("gone", "never", "echo"):
        for call in (
            store.models.get(name),
            store.models.get(name, 1),
            store.models.update(name, TEXT, "a"),
            store.models.delete(name, "a"),
        ):
            with pytest.raises(ModelNotFound):
                await call


async def test_only_the_version_that_is_expected_is_replaced(store: Store) -> None:
    await store.models.create("own", TEXT, "a")
    await store.models.update("own", OTHER, "a", 1)

    with pytest.raises(VersionConflict) as refused:
        await store.models.update("own", TEXT, "a", 1)

    assert refused.value.context == {"version": 2}
    assert (await store.models.get("own")).text == OTHER


async def test_one_of_several_concurrent_saves_of_one_version_wins(store: Store) -> None:
    await store.models.create("own", TEXT, "a")

    results = await asyncio.gather(
        *(store.models.update("own", OTHER, "a", 1) for _ in range(20)), return_exceptions=True
    )

    won = [each for each in results if not isinstance(each, BaseException)]
    assert [each.version for each in won] == [2]
    assert sum(isinstance(each, VersionConflict) for each in results) == 19


async def test_so_many_former_versions_are_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_models, "MAX_FORMER", 3)
    await store.models.create("own", TEXT, "a")
    await store.models.create("other", TEXT, "a")
    for _ in range(5):
        await store.models.update("own", TEXT, "a")

    fields = await store.client.send("HKEYS", keyspace.models())

    kept = {each for each in fields if each.startswith((b"manifest:own:", b"at:own:"))}
    assert kept == {f"{part}:own:{n}".encode() for part in ("manifest", "at") for n in range(3, 7)}
    assert b"manifest:other:1" in fields
    with pytest.raises(ModelNotFound):
        await store.models.get("own", 2)


def test_fifty_former_versions_are_kept_in_earnest() -> None:
    assert saved_models.MAX_FORMER == 50


async def test_all_versions_that_are_kept_are_listed_newest_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_models, "MAX_FORMER", 2)
    await store.models.create("own", TEXT, "a")
    await store.models.create("own2", TEXT, "a")
    for who in "bcd":
        await store.models.update("own", OTHER, who)

    found = await store.models.versions("own")

    assert [(each.version, each.saved_by) for each in found] == [(4, "d"), (3, "c"), (2, "b")]
    assert found == [await store.models.get("own", number) for number in (4, 3, 2)]
    assert len(await store.models.versions("own2")) == 1
    with pytest.raises(ModelNotFound):
        await store.models.versions("other")


async def test_no_more_models_are_saved_than_may_be(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_models, "MAX_SAVED", 2)
    await store.models.create("a", manifest("a"), "acc")
    await store.models.create("b", manifest("b"), "acc")

    with pytest.raises(InvalidBody, match="2 models are saved, as many as may be: delete one"):
        await store.models.create("c", manifest("c"), "acc")

    await store.models.update("a", manifest("a"), "acc")
    await store.models.delete("b", "a")
    await store.models.create("c", manifest("c"), "acc")
    assert [tier_of(name) for name in "abc"] == ["free", None, "free"]


async def test_of_deleted_models_no_more_are_remembered_and_the_oldest_are_forgotten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_models, "MAX_SAVED", 2)
    for name in ("first", "second", "third"):
        await store.models.create(name, manifest(name), "acc")
        saved = await store.models.update(name, manifest(name), "acc")
        await store.models.delete(name, "a")
        await eventually(store.leases.now, saved.updated_at.__lt__)

    await store.models.create("fourth", manifest("fourth"), "acc")

    fields = await store.client.send("HKEYS", keyspace.models())
    known = {each.split(b":")[1] for each in fields if b":" in each}
    assert known == {b"second", b"third", b"fourth"}
    await store.models.delete("fourth", "a")
    assert (await store.models.create("second", TEXT, "acc")).version == 3
    assert (await store.models.get("second", 1)).text == manifest("second")


def test_two_hundred_models_may_be_saved_in_earnest() -> None:
    assert saved_models.MAX_SAVED == 200


async def test_a_save_whose_answer_was_lost_is_not_done_twice(store: Store) -> None:
    first, second = [
        await save_by_script(store, "operation", "new", TEXT, channels.model_changes())
        for _ in range(2)
    ]

    assert first == second
    assert (await store.models.get("own")).version == 1


async def test_a_delete_whose_answer_was_lost_is_not_done_twice(store: Store) -> None:
    await store.models.create("own", TEXT, "a")

    versions = [
        await store.client.call(
            SCRIPTS["delete_model"],
            models=keyspace.models(),
            audit=keyspace.models_audit(),
            model="own",
            operation="operation",
            changes="changes",
            act=(60_000, "a", "model.delete", "own", "", ""),
        )
        for _ in range(2)
    ]

    assert versions == [1, 1]
    assert await store.client.send("XLEN", keyspace.models_audit()) == 2


async def test_models_saved_by_another_process_are_loaded_on_a_read(
    store: Store, other: Store
) -> None:
    await other.models.create("own", TEXT, "a")
    use_saved(())
    await store.models.look()
    seen = [tier_of("own")]

    await other.models.update("own", OTHER, "a")
    await other.models.delete("own", "a")
    await other.models.create("own", OTHER, "a")
    use_saved(())
    await store.models.look()
    seen.append(tier_of("own"))

    assert seen == ["free", "pro"]


async def test_unchanged_models_are_not_read_again(store: Store) -> None:
    await store.models.create("own", TEXT, "a")
    before, model = generation(), find_model("own")

    await store.models.look()
    assert generation() == before
    await store.models.create("other", manifest("other"), "a")

    assert find_model("own") is model


@pytest.mark.parametrize("pause", [60.0, 0.05])
async def test_a_registry_follows_by_notifications_and_by_reads(
    settings: Settings,
    store: Store,
    other: Store,
    monkeypatch: pytest.MonkeyPatch,
    pause: float,
) -> None:
    monkeypatch.setattr(saved_models, "LOOK_SECONDS", pause)
    monkeypatch.setattr(saved_models, "FOLDER_SECONDS", pause)
    if pause < 1:
        monkeypatch.setattr(saved_models, "CHANGES", "nobody listens here")
    watching = asyncio.create_task(store.models.watch(RedisAddress.parse(settings.redis_url)))

    async def listening() -> int:
        return int((await store.client.send("PUBSUB", "NUMSUB", saved_models.CHANGES))[1])

    async def seen() -> list[str]:
        tier = tier_of("own")
        return [tier] if tier else []

    await eventually(listening)
    for tier in ("free", "creator", "pro", "business"):  # the first models are read at the start
        expected, text = "new" * (tier == "free"), manifest("own", tier=tier)
        await save_by_script(other, tier, expected, text, channels.model_changes())
        await eventually(seen, [tier].__eq__)

    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_models_are_read_again_after_a_lost_subscription(
    settings: Settings, store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was not notified of the save."""
    monkeypatch.setattr(saved_models, "LOOK_SECONDS", 60.0)
    monkeypatch.setattr(saved_models, "FOLDER_SECONDS", 60.0)
    watching = asyncio.create_task(store.models.watch(RedisAddress.parse(settings.redis_url)))

    async def listening() -> int:
        return int((await store.client.send("PUBSUB", "NUMSUB", saved_models.CHANGES))[1])

    async def seen() -> str | None:
        return tier_of("own")

    await eventually(listening)
    await asyncio.sleep(0.1)  # the process has read by now
    await save_by_script(other, "token", "new", TEXT, "nobody listens here")
    before = await seen()
    await store.client.send("CLIENT", "KILL", "TYPE", "PUBSUB")

    await eventually(seen, lambda tier: tier == "free")

    assert before is None
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_manifest_that_no_longer_parses_is_left_out_and_logged_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await store.models.create("own", TEXT, "a")
    old = TEXT.replace('tier = "free"', 'tier = "gold"\nsince = 1')

    with caplog.at_level(logging.WARNING):
        await store.models.create("old", old, "a")
        await store.models.create("third", manifest("third"), "a")

    told = [each for each in caplog.records if each.msg == "a saved manifest is left out"]
    assert [each.__dict__["model"] for each in told] == ["old", "old"]
    assert any("tier must be one of" in each.__dict__["reason"] for each in told)
    assert (find_model("old"), tier_of("own"), tier_of("third")) == (None, "free", "free")
    assert (await store.models.get("old")).text == old


@pytest.mark.parametrize("record", [b"\xc1", b"", b"{}", pack([]), pack({"manifest": TEXT})])
async def test_a_record_of_another_form_is_left_out_and_nothing_else(
    store: Store, record: bytes
) -> None:
    await store.models.create("odd", manifest("odd"), "a")
    await store.client.send("HSET", keyspace.models(), "manifest:odd:1", record)

    await store.models.create("own", TEXT, "a")

    assert (tier_of("odd"), tier_of("own")) == (None, "free")


async def test_a_manifest_written_by_hand_sends_no_key_anywhere(store: Store) -> None:
    call = '[openai]\nbase_url = "https://evil.example"\nmodel = "m"\n'
    keyed = f'{call}api_key_env = "OPENAI_API_KEY"\n'
    by_variable = f'{call}base_url_env = "OPENAI_API_KEY"\n'

    await store.models.create("plain", manifest("plain", call=call), "a")
    await store.models.create("keyed", manifest("keyed", call=keyed), "a")
    await store.models.create("moved", manifest("moved", call=by_variable), "a")

    assert find_model("plain") is not None
    assert find_model("keyed") is None
    assert find_model("moved") is None


async def test_saved_models_stay_loaded_while_the_store_does_not_answer(
    settings: Settings,
) -> None:
    server = RedisServer()
    server.start()
    store = Store.open(replace(settings, redis_url=server.url))
    await store.models.create("own", TEXT, "a")

    server.kill()

    with pytest.raises(Unavailable):
        await store.models.look()
    assert tier_of("own") == "free"
    with pytest.raises(EngineError):
        await store.models.create("other", TEXT, "a")
    await store.close()
    server.stop()


async def test_a_missing_model_is_read_from_the_store(
    store: Store, other: Store, tmp_path: Path
) -> None:
    use_folder(str(tmp_path))
    assert find_model("dropped") is None  # and the folder is not read for some seconds
    (tmp_path / "dropped.toml").write_text(manifest("dropped"))
    assert find_model("dropped") is None

    has_found = await store.models.catch_up()

    assert (has_found, find_model("dropped") is not None) == (True, True)
    assert not await store.models.catch_up()
    await other.models.create("saved", manifest("saved"), "acc_1")
    use_saved(())
    assert await store.models.catch_up()
    assert find_model("saved") is not None
    use_folder("")
