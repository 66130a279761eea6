"""Large inputs: stored before their execution, and removed after a refusal."""

import asyncio
import re
from dataclasses import replace
from typing import cast

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.errors import (
    ExecutionNotFound,
    IdempotencyKeyReused,
    InsufficientCredits,
    StorageFailed,
    StoreFull,
    TooManyExecutions,
    Unavailable,
    WorkflowNotFound,
)
from engine.ids.idempotency import IdempotencyKey, make_idempotency_key
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, CompletionNotifier, IdempotentReplay, Store
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import OFFLOAD_FROM_BYTES
from engine.store.redis.record_packing import pack, unpack
from tests.conftest import RedisServer
from tests.support.factories import Graph, Runner, greeting
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.media.object_files import all_outputs, outputs_of
from tests.support.redis.proxy import running_proxy
from tests.support.store.authorizations import outdated_authorization
from tests.support.store.records import NotAccepted, accept

LARGE = {"who": "x" * 300_000}
PRO = load().terms(Tier.PRO, Role.USER)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_pauses(monkeypatch)


@pytest.fixture
def blob_store(store: Store, settings: Settings) -> Faulty:
    return use(store, Faulty(settings.media_url))


@pytest.fixture
async def slug(runner: Runner) -> str:
    return await runner.save(greeting())


async def claim(runner: Runner, execution_id: str) -> ClaimedExecution:
    claimed = await runner.store.walks.claim(f"{runner.account.id}/{execution_id}", "w1")
    assert claimed is not None
    return claimed


async def test_large_inputs_are_an_object_of_their_execution_and_the_record_names_it(
    runner: Runner, settings: Settings, slug: str
) -> None:
    execution_id = await runner.begin(slug, LARGE)

    claimed = await claim(runner, execution_id)
    (file,) = outputs_of(settings, runner.account.id, execution_id)
    assert claimed.inputs_name == file.name
    assert re.fullmatch(rf"inputs-\d{{13}}\.{len(pack(LARGE))}", file.name)
    assert unpack(file.read_bytes()) == LARGE
    assert sum(map(len, claimed.record.values())) < 1_000


@pytest.mark.parametrize("inputs", [LARGE, {"who": "Ada"}])
async def test_large_inputs_are_removed_with_their_execution(
    runner: Runner, slug: str, inputs: dict[str, str]
) -> None:
    execution_id = await runner.begin(slug, inputs)
    await runner.store.executions.cancel(runner.account.id, execution_id)

    pruned = await runner.store.leases.prune(await runner.store.leases.now() + 1)

    assert pruned.executions == 1
    left = [f"{runner.account.id}/{execution_id}"] if inputs is LARGE else []
    assert list(pruned.with_objects) == left


@pytest.mark.parametrize(("more", "count"), [(0, 0), (1, 1)])
async def test_inputs_of_up_to_256_kib_are_on_record(
    runner: Runner, settings: Settings, slug: str, more: int, count: int
) -> None:
    overhead = len(pack({"who": "x" * 100_000})) - 100_000

    execution_id = await runner.begin(slug, {"who": "x" * (OFFLOAD_FROM_BYTES - overhead + more)})

    assert len(outputs_of(settings, runner.account.id, execution_id)) == count


async def test_small_inputs_ask_nothing_of_the_place_for_objects_and_send_one_write(
    runner: Runner, settings: Settings, slug: str
) -> None:
    workflow, plan = await runner.store.workflows.plan(slug)
    assert plan is not None
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(replace(settings, redis_url=proxy.url))  # has no storage
        await far.ping()
        proxy.requests.clear()

        await accept(far, runner.account, workflow, plan, {"who": "x"})

        assert len(proxy.requests) == 1
        await far.close()


async def test_values_of_fields_that_nothing_uses_are_not_kept_however_large(
    runner: Runner, settings: Settings
) -> None:
    graph = Graph("who", "rest").node("out", "responseOutput").wire("in.who > out.result-in")
    slug = await runner.save(graph)

    execution_id = await runner.begin(slug, {"who": "Ada", "rest": "x" * 900_000})

    assert (await claim(runner, execution_id)).inputs == {"who": "Ada"}
    assert all_outputs(settings) == []


async def test_inputs_that_cannot_be_stored_are_refused_and_nothing_is_accepted(
    runner: Runner, blob_store: Faulty, slug: str
) -> None:
    blob_store.left = 1_000

    with pytest.raises(StorageFailed) as failed:
        await runner.begin(slug, LARGE, execution_id="x", terms=PRO)

    assert failed.value.retry_after_seconds
    with pytest.raises(ExecutionNotFound):
        await runner.store.executions.get(runner.account.id, "x")
    assert await runner.store.hints.depth() == 0


async def test_a_place_that_fails_for_a_moment_refuses_no_run(
    runner: Runner, blob_store: Faulty, slug: str
) -> None:
    blob_store.left = 2

    execution_id = await runner.begin(slug, LARGE)

    assert (await claim(runner, execution_id)).inputs_name is not None


async def test_inputs_that_were_stored_and_not_for_certain_are_removed(
    runner: Runner, settings: Settings, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ObjectStore.write

    async def write_and_fail(objects: ObjectStore, key: str, data: bytes) -> None:
        await write(objects, key, data)
        raise StorageFailed

    monkeypatch.setattr(ObjectStore, "write", write_and_fail)

    with pytest.raises(StorageFailed):
        await runner.begin(slug, LARGE)

    assert all_outputs(settings) == []


async def test_without_a_place_large_inputs_are_refused_and_small_ones_are_not(
    runner: Runner, settings: Settings, slug: str
) -> None:
    away = Store.open(settings)
    without = Runner(away, runner.account, runner.notifier)

    with pytest.raises(StorageFailed):
        await without.begin(slug, LARGE)
    await without.begin(slug, {"who": "Ada"})

    await away.close()


async def test_a_run_of_an_older_version_is_refused_and_leaves_no_object(
    runner: Runner, settings: Settings, slug: str
) -> None:
    workflow, plan = await runner.store.workflows.plan(slug)
    await runner.store.workflows.update(runner.account.id, slug, workflow.document, [])

    with pytest.raises(NotAccepted, match="StaleWorkflow"):
        await accept(runner.store, runner.account, workflow, plan, LARGE)

    assert all_outputs(settings) == []


async def test_a_run_of_a_deleted_workflow_is_refused_and_leaves_no_object(
    runner: Runner, settings: Settings, slug: str
) -> None:
    workflow, plan = await runner.store.workflows.plan(slug)
    await runner.store.workflows.delete(runner.account.id, slug)

    with pytest.raises(WorkflowNotFound):
        await accept(runner.store, runner.account, workflow, plan, LARGE)

    assert all_outputs(settings) == []


async def test_a_run_too_many_is_refused_and_leaves_no_object(
    runner: Runner, settings: Settings, slug: str
) -> None:
    one = replace(PRO, executions_at_once=1)
    first = await runner.begin(slug, LARGE, terms=one)

    with pytest.raises(TooManyExecutions):
        await runner.begin(slug, LARGE, terms=one)

    assert all_outputs(settings) == outputs_of(settings, runner.account.id, first)


async def test_a_run_that_cannot_be_paid_is_refused_and_leaves_no_object(
    runner: Runner, settings: Settings
) -> None:
    graph = Graph("who").node("one", "customModel", model="echo").wire("in.who > one.prompt-in")
    graph.node("out", "responseOutput").wire("one.text-out > out.result-in")
    slug = await runner.save(graph)

    with pytest.raises(InsufficientCredits):
        await runner.begin(slug, LARGE, terms=replace(PRO, allowance=0))

    assert all_outputs(settings) == []


async def test_a_refused_run_is_refused_though_its_object_cannot_be_removed(
    runner: Runner, settings: Settings, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise StorageFailed

    monkeypatch.setattr(ObjectStore, "delete", fails)

    with pytest.raises(TooManyExecutions):
        await runner.begin(slug, LARGE, terms=replace(PRO, executions_at_once=0))

    assert len(all_outputs(settings)) == 1


async def test_a_refusal_does_not_wait_for_a_place_that_hangs(
    runner: Runner, settings: Settings, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ObjectStore, "delete", hangs)
    monkeypatch.setattr("engine.store.executions.inputs.REMOVE_SECONDS", 0.01)

    with pytest.raises(TooManyExecutions):
        await runner.begin(slug, LARGE, terms=replace(PRO, executions_at_once=0))


async def test_a_full_redis_refuses_a_run_which_leaves_no_object(
    own_server: RedisServer, settings: Settings
) -> None:
    there = replace(settings, redis_url=own_server.url)
    store = Store.open(there, ObjectStore.from_settings(there))
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    async with SilentNotifier(store, account) as runner:
        slug = await runner.save(greeting())
        await store.workflows.plan(slug)
        await store.client.send("CONFIG", "SET", "maxmemory", 1)

        with pytest.raises(StoreFull):
            await runner.begin(slug, LARGE)

    assert all_outputs(settings) == []
    await store.close()


class SilentNotifier:
    """Runner without notifications."""

    def __init__(self, store: Store, account: Account) -> None:
        self._runner = Runner(store, account, cast(CompletionNotifier, Silent()))

    async def __aenter__(self) -> Runner:
        return self._runner

    async def __aexit__(self, *_: object) -> None:
        return


class Silent:
    channel = ""


def idempotency_key(body: bytes = b"{}") -> IdempotencyKey:
    return make_idempotency_key("POST", "/run", "key-1", body)


async def test_a_repeated_call_replays_the_first_and_stores_nothing(
    runner: Runner, blob_store: Faulty, slug: str
) -> None:
    first = await runner.begin(slug, LARGE, idempotency_key=idempotency_key())
    stored = list(blob_store.written)

    with pytest.raises(NotAccepted) as repeated:
        await runner.begin(slug, LARGE, idempotency_key=idempotency_key())
    with pytest.raises(IdempotencyKeyReused):
        await runner.begin(slug, LARGE, idempotency_key=idempotency_key(b"[]"))
    blob_store.left = 1_000
    with pytest.raises(NotAccepted, match="IdempotentReplay"):
        await runner.begin(slug, LARGE, idempotency_key=idempotency_key())

    assert repeated.value.verdict == IdempotentReplay(idempotency_key(), first, "")
    assert blob_store.written == stored


async def test_of_two_calls_with_one_key_at_once_one_is_accepted_and_one_object_stays(
    runner: Runner, settings: Settings, slug: str
) -> None:
    calls = (runner.begin(slug, LARGE, idempotency_key=idempotency_key()) for _ in range(2))

    ended = await asyncio.gather(*calls, return_exceptions=True)

    [accepted] = [each for each in ended if isinstance(each, str)]
    assert any("IdempotentReplay" in repr(each) for each in ended)
    assert all_outputs(settings) == outputs_of(settings, runner.account.id, accepted)


async def test_nothing_is_stored_for_a_call_that_is_not_authorized_yet(
    runner: Runner, blob_store: Faulty, slug: str
) -> None:
    with pytest.raises(NotAccepted, match="AuthorizationRejected"):
        authorization = await outdated_authorization(runner.store, runner.account)
        await runner.begin(slug, LARGE, authorization=authorization)

    assert blob_store.written == []


async def test_a_lost_reply_leaves_the_object_since_the_run_may_have_been_accepted(
    runner: Runner, settings: Settings, slug: str
) -> None:
    workflow, plan = await runner.store.workflows.plan(slug)
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(
            replace(settings, redis_url=proxy.url), ObjectStore.from_settings(settings)
        )
        await far.ping()
        proxy.swallow_replies = True

        with pytest.raises(Unavailable):
            await accept(far, runner.account, workflow, plan, LARGE, execution_id="x")

        await far.close()
    (file,) = outputs_of(settings, runner.account.id, "x")
    assert (await claim(runner, "x")).inputs_name == file.name


async def test_inputs_are_read_with_their_own_account_and_execution_alone(
    runner: Runner, store: Store, slug: str
) -> None:
    execution_id = await runner.begin(slug, LARGE)
    other = await runner.begin(slug, {"who": "Bob"})
    claimed = await claim(runner, execution_id)
    name = claimed.inputs_name or ""
    stranger = await store.accounts.create(email="eve@example.com", tier=Tier.PRO)

    for owner in ((stranger.id, execution_id), (runner.account.id, other)):
        with pytest.raises(FileNotFoundError):
            await store.offloaded.read(*owner, name)
    with pytest.raises(ExecutionNotFound):
        await store.executions.get(stranger.id, execution_id)
