"""Executions whose record or plan is another release's: a worker leaves them to others."""

from collections.abc import AsyncIterator

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.graph import plan_digest
from engine.graph.plan import compile_plan
from engine.models.registry import use_models
from engine.store import Store
from engine.store.dispatch.hints import InlineRun
from engine.store.executions.record_fields import parse_hash
from engine.store.formats import Format
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack, unpack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting, http_line
from tests.support.manifests import manifest
from tests.support.workers.draft_runs import accept_draft, drafted
from tests.support.workers.held_walker import HeldWalker
from tests.support.workers.paying_account import PayingAccount, answer, model_node

PLAN = "the plan that another release made of its workflow"
FORMAT = "the format of its record"


@pytest.fixture
async def held(store: Store, left_long_ago: None) -> AsyncIterator[HeldWalker]:
    held = HeldWalker(store)
    held.gate.opened.set()
    yield held
    await held.walker.drain(0)


async def hint(held: HeldWalker, reference: str, inline_run: InlineRun | None = None) -> None:
    """Let the walker take a hint, and wait until it is done with it."""
    released = held.released
    held.walker.take_hint(reference, inline_run)

    async def is_released() -> bool:
        return held.released > released

    await eventually(is_released)


async def begin(runner: Runner, graph: Graph, **inputs: str) -> tuple[str, str]:
    """Accept a run; return its reference and the key of its record."""
    execution_id = await runner.begin(await runner.save(graph), inputs)
    ids = runner.account.id, execution_id
    return keyspace.reference(*ids), keyspace.execution(*ids)


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [("plan", "another_", PLAN), ("format", str(Format.EXECUTION.known + 1), FORMAT)],
)
@pytest.mark.parametrize("is_inlined", [True, False])
async def test_a_run_that_another_release_accepted_is_left_and_walked_by_one_that_knows_it(
    field: str, value: str, part: str, is_inlined: bool, runner: Runner, held: HeldWalker
) -> None:
    reference, key = await begin(runner, greeting(), name="Ada")
    slug = (await runner.store.executions.get(*keyspace.parse_reference(reference))).workflow_slug
    inline_run = InlineRun(slug=slug, version=1, inputs=pack({"name": "Ada"}))
    own = await runner.store.client.send("HGET", key, field)
    await runner.store.client.send("HSET", key, field, value)

    await hint(held, reference, inline_run if is_inlined else None)
    left = await runner.store.executions.get(*keyspace.parse_reference(reference))
    await runner.store.client.send("HSET", key, field, own)
    await hint(held, reference)
    ended = await runner.store.executions.get(*keyspace.parse_reference(reference))

    assert left.status is ExecutionStatus.PROCESSING
    assert left.warnings == (f"The execution waits for a worker that knows {part}",)
    assert left.started_at is None
    assert (ended.status, ended.warnings) == (ExecutionStatus.COMPLETED, ())


async def test_a_run_in_the_middle_is_not_continued_with_other_indices(
    runner: Runner, held: HeldWalker
) -> None:
    reference, key = await begin(runner, http_line("https://example.com/", 2))
    claimed = await runner.store.walks.claim(reference, "gone")
    assert claimed is not None
    await runner.store.walks.give_back(reference, "gone", is_lost=True)
    await runner.store.client.send("HSET", key, "plan", "another_")
    before = await runner.store.client.send("HGET", key, "statuses")

    await hint(held, reference)

    assert held.gate.calls == []
    assert await runner.store.client.send("HGET", key, "statuses") == before


async def test_a_run_of_release_0_1_0_has_neither_and_is_walked(
    runner: Runner, held: HeldWalker
) -> None:
    reference, key = await begin(runner, greeting(), name="Ada")
    await runner.store.client.send("HDEL", key, "format", "plan")

    await hint(held, reference)

    ended = await runner.store.executions.get(*keyspace.parse_reference(reference))
    assert ended.status is ExecutionStatus.COMPLETED


async def test_a_draft_is_left_where_its_types_mean_something_else(
    runner: Runner, held: HeldWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = await drafted(runner.store, runner.account, greeting())
    ids = (
        runner.account.id,
        await accept_draft(runner.store, runner.account, slug),
    )

    with monkeypatch.context() as patch:
        patch.setattr(plan_digest, "PLAN_SEMANTICS", 2)
        await hint(held, keyspace.reference(*ids))
    left = await runner.store.executions.get(*ids)
    await hint(held, keyspace.reference(*ids))

    assert f"The execution waits for a worker that knows {PLAN}" in left.warnings
    assert (await runner.store.executions.get(*ids)).status is ExecutionStatus.COMPLETED


async def test_the_digest_costs_no_field_of_a_hint_and_eight_bytes_of_a_record(
    runner: Runner,
) -> None:
    body = greeting().body()
    _, key = await begin(runner, greeting(), name="Ada")

    record = parse_hash(await runner.store.client.send("HGETALL", key))

    digest = plan_digest.plan_digest(compile_plan(body["nodes"], body["edges"]))
    assert (record["plan"], record["format"]) == (digest.encode(), b"2")
    assert len(digest) == 8


async def test_a_run_with_a_model_whose_manifest_cannot_be_read_here_is_left(
    payer: PayingAccount,
) -> None:
    execution_id = await payer.accept(answer(model_node(Graph(), "ask"), "ask"))
    store, reference = payer.store, payer.reference(execution_id)
    name = b"manifest:echo:1"
    await store.models.create("echo", manifest("echo"), payer.account.id)
    stored = unpack(await store.client.send("HGET", keyspace.models(), name))
    later = pack(stored | {"format": Format.MODEL.known + 1})
    await store.client.send("HSET", keyspace.models(), name, later)
    await store.client.send("HINCRBY", keyspace.models(), "generation", 1)

    with use_models([]):
        await hint(payer.held_walker, reference)
    left = await store.executions.get(payer.account.id, execution_id)

    known = "The execution waits for a worker that knows the manifest of the model 'echo'"
    assert (left.status, left.warnings) == (ExecutionStatus.PROCESSING, (known,))
