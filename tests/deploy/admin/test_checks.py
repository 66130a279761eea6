import resource
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis

from deploy.admin import checks
from deploy.admin.checks import (
    Check,
    check_descriptors,
    check_gateway,
    check_media,
    check_models,
    check_overcommit,
    check_providers,
    check_store,
)
from deploy.stack.location import Stack
from engine.models.registry import use_folder, use_models
from engine.settings import Settings
from engine.store import Store
from tests.support.manifests import manifest, model
from tests.support.media.disk import GIB, Disk
from tests.support.workers.leases import beat

KEYED = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\napi_key_env = "A_KEY"\n'
ANY_ROOM = {"HEADRACE_MEDIA_FREE_BYTES": "0"}


def by_name(found: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in found}


async def test_a_store_is_judged_by_what_its_redis_says(store: Store, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        found = by_name(await check_store(store))
        client.config_set("maxmemory-policy", "noeviction")

    assert found["redis"].is_well
    assert found["clock"].is_well
    assert (found["eviction"].is_well, found["eviction"].seen) == (False, "allkeys-lru")
    assert (found["append-only file"].is_well, found["append-only file"].seen) == (False, "off")
    assert (found["workers"].is_well, found["workers"].seen) == (False, "0 alive")


@pytest.mark.parametrize(
    ("is_well", "warns", "expected"),
    [
        (True, False, {"state": "ok", "ok": True}),
        (True, True, {"state": "warning", "ok": True, "warning": True, "fix": "do"}),
        (False, False, {"state": "failed", "ok": False, "fix": "do"}),
        (False, True, {"state": "failed", "ok": False, "warning": True, "fix": "do"}),
    ],
)
def test_a_check_has_a_name_a_state_a_sentence_and_a_remedy(
    is_well: bool, warns: bool, expected: dict[str, object]
) -> None:
    check = Check(name="memory", is_well=is_well, warns=warns, seen="full", fix="do")

    assert check.as_dict() == {"name": "memory", "seen": "full", **expected}


@pytest.mark.parametrize("seconds", [-10, 10])
async def test_a_clock_that_is_ahead_or_behind_is_not_well(
    store: Store, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    here = SimpleNamespace(time=lambda: time.time() - seconds)
    monkeypatch.setattr(checks, "time", here)

    clock = by_name(await check_store(store))["clock"]

    assert not clock.is_well
    assert clock.seen.startswith("+" if seconds > 0 else "-")
    assert clock.fix in clock.as_dict()["fix"]


@pytest.mark.parametrize(("share", "is_well"), [(2.0, True), (1.1, False)])
async def test_the_memory_of_a_redis_is_told_beside_its_limit(
    store: Store, redis_url: str, share: float, is_well: bool
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        limit = int(share * client.info("memory")["used_memory"])
        client.config_set("maxmemory", limit)
        check = by_name(await check_store(store))["memory"]

    assert f" of {limit:,} bytes used (" in check.seen
    assert check.is_well is is_well
    assert not check.warns


async def test_a_redis_without_a_limit_is_warned_of(store: Store) -> None:
    check = by_name(await check_store(store))["memory"]

    assert (check.is_well, check.warns) == (True, True)
    assert check.seen.endswith(" bytes used, and no limit (maxmemory)")
    reported = check.as_dict()
    assert (reported["ok"], reported["warning"]) == (True, True)
    assert "CONFIG SET maxmemory" in reported["fix"]


async def test_a_worker_with_a_lease_counts_as_alive(store: Store) -> None:
    await beat(store, "worker", 5_000)

    assert by_name(await check_store(store))["workers"].seen == "1 alive"


async def test_a_store_out_of_reach_is_one_check_that_failed() -> None:
    silent = Store.open(Settings(redis_url="unix:///nowhere/at/all.sock"))

    (found,) = await check_store(silent)

    assert (found.name, found.is_well) == ("redis", False)
    assert "headrace up" in found.as_dict()["fix"]
    await silent.close()


async def test_a_gateway_that_does_not_answer_is_not_well() -> None:
    stack = Stack(data_dir=Path(), redis_url="", url="http://127.0.0.1:1")

    assert not (await check_gateway(stack)).is_well


async def test_a_stack_without_a_gateway_here_is_well() -> None:
    stack = Stack(data_dir=Path(), redis_url="")

    assert (await check_gateway(stack)).is_well


async def test_a_place_for_media_is_tried(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    places = {
        (tmp_path / "media").as_uri(): True,
        (tmp_path / "file").as_uri(): False,
        "ftp://example.com/media": False,
        "file:///proc/nowhere": False,
        "": False,
    }

    found = {url: await check_media({"HEADRACE_MEDIA_URL": url, **ANY_ROOM}) for url in places}

    assert {url: check.is_well for url, check in found.items()} == places
    assert "HEADRACE_MEDIA_URL" in found[""].seen
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("free", "is_well"), [(GIB + 4, True), (GIB, False)])
async def test_the_room_of_a_media_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_well: bool
) -> None:
    Disk(monkeypatch, free=free)

    check = await check_media({"HEADRACE_MEDIA_URL": (tmp_path / "media").as_uri()})

    assert check.is_well is is_well
    assert check.seen.endswith(f"; {free:,} bytes are free, of which 1,073,741,824 are to stay so")


async def test_models_are_told_that_no_worker_has_the_key_of(store: Store) -> None:
    models = [model("free"), *(model(name, call=KEYED) for name in ("a", "b"))]
    with use_models(models):
        without = await check_providers(store)
        await beat(store, "w1", 5_000, ["A_KEY"])
        keyed = await check_providers(store)

    assert (without.is_well, without.warns) == (True, False)
    assert without.seen == "workers can call 1 of 3 models; none of them has A_KEY (a, b)"
    assert keyed.seen == "workers can call 3 of 3 models"


async def test_wrong_manifests_are_told(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "good.toml").write_text(manifest("good"))
    store = Store.open(replace(settings, models_dir=str(folder)))
    try:
        well = check_models(store)
        (folder / "bad.toml").write_text(manifest("bad", tier="gold"))
        use_folder("")
        use_folder(str(folder))
        wrong = check_models(store)
    finally:
        use_folder("")
        await store.close()

    assert (well.is_well, well.name) == (True, "models")
    assert not wrong.is_well
    assert wrong.seen.startswith(f"{folder}/bad.toml:4: tier must be one of")


def test_old_servers_are_told_from_new_ones() -> None:
    versions = {
        "7.2.4": {"redis_version": "7.2.4"},
        "7.4.0": {"redis_version": "7.4.0"},
        "valkey": {"server_name": "valkey", "redis_version": "7.2.4", "valkey_version": "9.1.2"},
    }

    assert {name: checks._version(info).is_well for name, info in versions.items()} == {
        "7.2.4": False,
        "7.4.0": True,
        "valkey": True,
    }


@pytest.mark.parametrize(
    ("soft", "expected"), [(1_024, False), (65_536, True), (resource.RLIM_INFINITY, True)]
)
def test_too_few_descriptors_are_said(
    monkeypatch: pytest.MonkeyPatch, soft: int, expected: bool
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))

    assert check_descriptors().is_well is expected


@pytest.mark.parametrize(
    ("redis_url", "value", "observed", "warns"),
    [
        ("unix:///data/redis.sock", "0\n", "vm.overcommit_memory = 0", True),
        ("unix:///data/redis.sock", "1\n", "vm.overcommit_memory = 1", False),
        ("unix:///data/redis.sock", None, "not a setting of this system", False),
        ("redis://10.0.0.9/0", "0\n", "Redis may run on another machine", False),
    ],
)
def test_a_kernel_that_may_refuse_redis_a_fork_is_warned_of(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    value: str | None,
    observed: str,
    warns: bool,
) -> None:
    setting = tmp_path / "overcommit_memory"
    if value is not None:
        setting.write_text(value)
    monkeypatch.setattr(checks, "OVERCOMMIT", setting)

    check = check_overcommit(Stack(data_dir=tmp_path, redis_url=redis_url))

    assert (check.is_well, check.seen, check.warns) == (True, observed, warns)
    assert "sysctl vm.overcommit_memory=1" in check.fix or not warns
