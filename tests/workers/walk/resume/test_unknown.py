"""Executions with a part that a worker does not know: left to others, and ended after a wait."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.access.capabilities import Tier
from engine.errors import RecordTooNew
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.media.objects import ObjectStore
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.hints import BULK_QUEUE, InlineRun, make_hint
from engine.store.redis import keyspace, process_keys
from engine.store.redis.record_packing import pack, unpack
from engine.telemetry.metrics import EXECUTIONS_LEFT_UNKNOWN
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.manifests import manifest, model
from tests.support.nodes.later_type import LATER, known_later
from tests.support.store.claims import claim, due_at
from tests.support.workers.draft_runs import accept_draft, drafted
from tests.support.workers.held_walker import HeldWalker
from tests.support.workers.paying_account import PRO, PayingAccount, answer, model_node
from workers.walk.resume import unknown
from workers.walk.resume.unknown import LEFT_PER_SECOND, MOST_PASSES

PART = "the node type 'teaTime'"
WAITS = f"The execution waits for a worker that knows {PART}"


def serving(**data: object) -> Graph:
    graph = Graph("who").node("t", LATER, **data).node("out", "responseOutput")
    return graph.wire("in.who > t.value-in", "t.text-out > out.result-in")


class Shift:
    """Two walkers, one of which knows the later type, as two releases side by side do."""

    def __init__(self, runner: Runner, old: HeldWalker, new: HeldWalker, old_store: Store) -> None:
        self.runner = runner
        self.old_store = old_store
        """That of the walker without the type."""
        self.store = runner.store
        self.old = old
        self.new = new

    async def begin(self, graph: Graph, **options: object) -> str:
        """Accept a run at a gateway that knows the type; return its reference."""
        with known_later():
            slug = await self.runner.save(graph)
            execution_id = await self.runner.begin(slug, {"who": "Ada"}, **options)
        return keyspace.reference(self.runner.account.id, execution_id)

    async def hint_old(self, reference: str, inline_run: InlineRun | None = None) -> None:
        """Let the walker without the type take a hint, and wait until it is done with it."""
        await self._hint(self.old, reference, inline_run)

    async def hint_new(self, reference: str) -> None:
        """Let the walker with the type take a hint, and wait until it is done with it."""
        with known_later():
            await self._hint(self.new, reference)

    async def _hint(
        self, held: HeldWalker, reference: str, inline_run: InlineRun | None = None
    ) -> None:
        released = held.released
        held.walker.take_hint(reference, inline_run)

        async def is_released() -> bool:
            return held.released > released

        await eventually(is_released)

    async def record(self, reference: str) -> dict[str, bytes]:
        return await self.store.walks.records(*keyspace.parse_reference(reference))

    async def execution(self, reference: str) -> Execution:
        return await self.store.executions.get(*keyspace.parse_reference(reference))

    def wait(self, milliseconds: int) -> None:
        """Set the time that executions wait."""
        self.old.walker._unknown._wait_ms = milliseconds


@pytest.fixture
async def shift(runner: Runner, settings: Settings, left_long_ago: None) -> AsyncIterator[Shift]:
    stores = [Store.open(settings, ObjectStore.from_settings(settings)) for _ in range(2)]
    old, new = (HeldWalker(each, worker_id=f"worker-{i}") for i, each in enumerate(stores))
    yield Shift(runner, old, new, stores[0])
    for each in (old, new):
        await each.walker.drain(0)
    for store in stores:
        await store.close()


async def test_an_unknown_node_type_is_left_to_others(shift: Shift) -> None:
    reference = await shift.begin(serving())
    before = EXECUTIONS_LEFT_UNKNOWN._value.get()

    await shift.hint_old(reference)

    record, execution = await shift.record(reference), await shift.execution(reference)
    due = await due_at(shift.store, reference)
    since, words = record["unknown"].decode().split(":", 1)
    assert (execution.status, execution.started_at) == (ExecutionStatus.PROCESSING, None)
    assert execution.warnings == (WAITS,)
    assert words == PART
    assert due == int(since) + 1_000
    assert {"lost", "started", "w1"} & record.keys() == set()
    assert record["holders"] == b"0"
    assert await shift.store.leases.held("worker-0") == []
    assert before + 1 == EXECUTIONS_LEFT_UNKNOWN._value.get()


async def test_a_worker_that_knows_it_walks_it_and_the_wait_is_over(shift: Shift) -> None:
    reference = await shift.begin(serving(milk=True))
    await shift.hint_old(reference)
    await shift.hint_old(reference)

    await shift.hint_new(reference)

    execution = await shift.execution(reference)
    assert execution.result == {"text": "Ada tea with milk"}
    assert execution.warnings == ()
    assert "unknown" not in await shift.record(reference)
    assert execution.started_at is not None


async def test_pauses_grow_from_one_second_to_fifteen(shift: Shift) -> None:
    reference = await shift.begin(serving())
    key = keyspace.execution(*keyspace.parse_reference(reference))
    pauses = []
    for waited in (0, 500, 4_000, 300_000):
        now = await shift.store.leases.now()
        if waited:
            await shift.store.client.send("HSET", key, "unknown", f"{now - waited}:{PART}")
        await shift.hint_old(reference)
        pauses.append(round((await due_at(shift.store, reference) or 0) - now, -3))

    assert pauses == [1_000, 1_000, 4_000, 15_000]


@pytest.mark.parametrize("number", [0, 2])
async def test_after_the_wait_the_execution_fails_at_its_node(shift: Shift, number: int) -> None:
    """It is ended by a worker that meets it: no newer one need be there."""
    reference = await shift.begin(serving())
    for _ in range(number):
        await shift.hint_old(reference)
    shift.wait(0)

    await shift.hint_old(reference)

    execution = await shift.execution(reference)
    message = f"No worker here knows {PART}; the execution has waited 0 minutes"
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {
        "code": "EXECUTION_FAILED",
        "message": f"Node 't' failed: {message}",
        "nodeId": "t",
        "nodeType": LATER,
        "nodeCode": "no_worker_can_run",
        "reason": message,
        "retryable": False,
    }
    assert [node.status for node in execution.nodes] == [
        NodeStatus.SKIPPED,
        NodeStatus.FAILED,
        NodeStatus.SKIPPED,
    ]
    assert execution.nodes[1].error == {"code": "no_worker_can_run", "message": message}
    assert execution.warnings == ()


async def test_the_last_turn_is_when_the_wait_is_over(shift: Shift) -> None:
    reference = await shift.begin(serving())
    shift.wait(400)
    await shift.hint_old(reference)
    since = int((await shift.record(reference))["unknown"].split(b":")[0])

    assert await due_at(shift.store, reference) == since + 400


async def test_a_cancel_ends_a_waiting_execution_at_once(shift: Shift) -> None:
    reference = await shift.begin(serving())
    await shift.hint_old(reference)

    status = await shift.store.executions.cancel(*keyspace.parse_reference(reference))

    assert status is ExecutionStatus.CANCELLED


async def test_a_cancel_that_a_worker_must_carry_out_is_carried_out_by_any(shift: Shift) -> None:
    """One that has begun jobs at providers is cancelled by a worker, which need not know it."""
    reference = await shift.begin(serving())
    await shift.hint_old(reference)
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await shift.store.client.send("HSET", key, "must_cancel", "1")
    await shift.store.executions.cancel(*keyspace.parse_reference(reference))

    await shift.hint_old(reference)

    execution = await shift.execution(reference)
    assert (execution.status, execution.error) == (ExecutionStatus.CANCELLED, None)


async def test_an_unknown_setting_that_the_plan_uses_is_left_too(shift: Shift) -> None:
    """The gateway of a later release has recorded the setting with the version."""
    graph = Graph().node("t", "textBox", text="x", color="red").node("o", "responseOutput")
    slug = await shift.runner.save(graph)
    execution_id = await shift.runner.begin(slug)
    reference = keyspace.reference(shift.runner.account.id, execution_id)
    key = keyspace.workflow(shift.runner.account.id, slug)
    record = unpack(await shift.store.client.send("HGET", key, "d1"))
    await shift.store.client.send("HSET", key, "d1", pack(record | {"needs": ["textBox.color"]}))

    await shift.hint_old(reference, InlineRun(slug=slug, version=1, inputs=pack({})))

    words = (await shift.record(reference))["unknown"].split(b":", 1)[1].decode()
    assert words == "the setting 'color' of 'textBox'"


async def test_a_draft_with_an_unknown_type_is_left_too(shift: Shift) -> None:
    with known_later():
        slug = await drafted(shift.store, shift.runner.account, serving())
        execution_id = await accept_draft(shift.store, shift.runner.account, slug, {"who": "Ada"})
    reference = keyspace.reference(shift.runner.account.id, execution_id)

    await shift.hint_old(reference)
    waiting = await shift.execution(reference)
    await shift.hint_new(reference)

    assert waiting.warnings == (WAITS,)
    assert (await shift.execution(reference)).result == {"text": "Ada tea"}


async def test_a_document_that_is_invalid_fails_at_once(shift: Shift) -> None:
    slug = await shift.runner.save(Graph().node("t", "textBox", text="x"))
    execution_id = await shift.runner.begin(slug)
    key = keyspace.workflow(shift.runner.account.id, slug)
    record = unpack(await shift.store.client.send("HGET", key, "d1"))
    record["document"]["nodes"][0]["data"]["text"] = "{{ nothing }}"
    await shift.store.client.send("HSET", key, "d1", pack(record))

    await shift.hint_old(keyspace.reference(shift.runner.account.id, execution_id))

    execution = await shift.runner.end(execution_id)
    assert execution.error is not None
    assert execution.error["nodeCode"] == "model_gone"


async def test_credits_are_released_when_it_fails(shift: Shift, payer: PayingAccount) -> None:
    graph = answer(model_node(Graph().node("t", LATER), "m"), "m")
    graph.wire("t.text-out > m.prompt-in")
    with known_later():
        execution_id = await payer.accept(graph)
    reserved = (await payer.wallet()).reserved
    shift.wait(0)

    await shift.hint_old(payer.reference(execution_id))

    execution = await payer.end(execution_id)
    assert reserved > 0
    assert execution.status is ExecutionStatus.FAILED
    assert await payer.paid(0)


async def test_executions_of_one_account_come_back_one_after_another(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown, "monotonic", lambda: 5.0)
    other = await shift.store.accounts.create(email="eve@example.com", tier=Tier.PRO)
    count = 2 * LEFT_PER_SECOND
    pauses = [shift.old.walker._unknown._next_pause_ms("one") for _ in range(count)]

    assert pauses == [round(1000 * n / LEFT_PER_SECOND) for n in range(count)]
    assert shift.old.walker._unknown._next_pause_ms(other.id) == 0


async def test_a_part_is_logged_once(shift: Shift, caplog: pytest.LogCaptureFixture) -> None:
    references = [await shift.begin(serving()) for _ in range(3)]
    with caplog.at_level(logging.WARNING):
        for reference in references * 2:
            await shift.hint_old(reference)

    lines = [each for each in caplog.records if "other workers" in each.message]
    assert [each.unknown for each in lines] == [PART]  # type: ignore[attr-defined]


async def test_a_version_is_read_once_though_it_comes_again_and_again(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await shift.begin(serving())
    reads = []
    real = shift.old_store.workflows._reads.version_of_any

    async def read(*arguments: object) -> object:
        reads.append(arguments)
        return await real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(shift.old_store.workflows._reads, "version_of_any", read)
    for _ in range(3):
        await shift.hint_old(reference)

    assert len(reads) == 1


async def test_a_helper_that_does_not_know_it_leaves_the_others_with_it(shift: Shift) -> None:
    reference = await shift.begin(serving())
    first = await claim(shift.store, reference, "worker-3")
    await shift.store.client.send("HSET", first.lease.execution_key, "shares_work", "1")

    await shift.hint_old(reference)

    record = await shift.record(reference)
    assert (record["holders"], record["shares_work"]) == (b"1", b"1")
    assert await shift.store.leases.held("worker-3") == [reference]


async def test_the_wait_of_a_lost_claim_changes_nothing(shift: Shift) -> None:
    reference = await shift.begin(serving())
    claimed = await claim(shift.store, reference)
    await shift.store.walks.give_back(reference, "w1", is_lost=False)
    before = await shift.record(reference)
    part = unknown.UnknownPart(PART)

    left = await shift.store.walks.leave_unknown(claimed.lease, part, wait_ms=1, pause_ms=0)

    assert not left
    assert await shift.record(reference) == before


LATER_RECORD = {"format": "99", "statuses": "pp?", "inputs": b"\xd9"}
FORMAT = "the format of its record"


async def test_a_record_of_a_later_format_is_left_unread_and_fails_as_a_whole(
    shift: Shift,
) -> None:
    reference = await shift.begin(serving())
    key = keyspace.execution(*keyspace.parse_reference(reference))
    before = await shift.store.client.send("HMGET", key, *LATER_RECORD)
    fields = [each for pair in LATER_RECORD.items() for each in pair]
    await shift.store.client.send("HSET", key, *fields)

    await shift.hint_old(reference)
    left = await shift.record(reference)
    shift.wait(0)
    await shift.hint_old(reference)

    restored = [each for pair in zip(LATER_RECORD, before, strict=True) for each in pair]
    await shift.store.client.send("HSET", key, *restored)
    execution = await shift.execution(reference)
    message = f"No worker here knows {FORMAT}; the execution has waited 0 minutes"
    assert left["unknown"].endswith(FORMAT.encode())
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {"code": "no_worker_can_run", "message": message, "reason": message}


async def test_a_cancel_of_a_later_record_waits_for_a_worker_that_knows_its_jobs(
    shift: Shift,
) -> None:
    reference = await shift.begin(serving())
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await shift.store.client.send("HSET", key, "format", "99", "must_cancel", "1", "j1.0", b"\xc1")
    await shift.store.executions.cancel(*keyspace.parse_reference(reference))

    await shift.hint_old(reference)
    left = await shift.record(reference)
    shift.wait(0)
    await shift.hint_old(reference)

    assert left["status"] == b"cancel_requested"
    assert (await shift.record(reference))["status"] == b"cancelled"


async def test_a_version_of_a_later_format_is_left_too(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await shift.begin(serving())

    async def read(*arguments: object) -> object:
        raise RecordTooNew("workflow version")

    monkeypatch.setattr(shift.old_store.workflows._reads, "version_of_any", read)
    await shift.hint_old(reference)

    left = (await shift.record(reference))["unknown"].split(b":", 1)[1].decode()
    assert left == "the format of its workflow version"


async def test_a_hint_is_passed_on_until_a_worker_knows_its_execution(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that has left an execution does not claim it again when its hint comes back."""
    monkeypatch.setattr(unknown, "JUST_LEFT_SECONDS", 60.0)
    reference = await shift.begin(serving())
    queue = process_keys.hints(BULK_QUEUE)
    hints = []
    for _ in range(MOST_PASSES + 2):
        await shift.hint_old(reference)
        hints.append(await shift.old_store.client.send("LPOP", queue))  # after its pass
    fence = (await shift.record(reference))["fence"]
    await shift.hint_new(reference)

    assert hints == [make_hint("walk", reference).encode()] * MOST_PASSES + [None, None]
    assert fence == b"1"
    assert (await shift.execution(reference)).status is ExecutionStatus.COMPLETED


async def test_a_model_whose_manifest_is_of_a_later_release_is_left_too(shift: Shift) -> None:
    store, account = shift.store, shift.runner.account
    graph = Graph().node("m", "customModel", model="own", prompt="x")
    terms = replace(PRO, allowance=1_000)
    with use_models([model("own")]):
        slug = await shift.runner.save(answer(graph, "m"))
        execution_id = await shift.runner.begin(slug, terms=terms)
    reference = keyspace.reference(account.id, execution_id)
    later = manifest("own", call="[telepathy]\nstrength = 1\n")
    await store.models.create("own", later, account.id)

    await shift.hint_old(reference)
    left = (await shift.record(reference))["unknown"].split(b":", 1)[1].decode()
    with use_models([model("own")]):
        await shift.hint_new(reference)

    assert left == "the manifest of the model 'own'"
    assert "unknown" not in await shift.record(reference)


async def test_hints_of_a_crowd_are_not_passed_on(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many workers would claim each of many executions at each turn."""
    monkeypatch.setattr(unknown, "CROWD_MS", 0)
    reference = await shift.begin(serving())

    await shift.hint_old(reference)

    assert await shift.old_store.client.send("LLEN", process_keys.hints(BULK_QUEUE)) == 0
