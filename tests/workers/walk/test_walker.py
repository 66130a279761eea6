"""Many executions in one process: hints, duplicates, losses, and the end."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import InvalidGraph, StoreFull, Unavailable
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.process.pool import PoolTimeout
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.worker_leases import Leases
from engine.store.executions.advance import Step
from engine.store.executions.walks import Walks
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.workflows.workflows import Workflows
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting, http_fan, http_line
from tests.support.workers.held_walker import WORKER, HeldWalker, begin_waiting, executions_held
from workers.main import worker
from workers.walk.walk import Walk


class LatePool:
    """A pool whose first calls time out."""

    def __init__(self, times: int) -> None:
        self._left = times

    async def run(self, function: object, expression: str, values: Any, **options: object) -> Any:
        self._left -= 1
        if self._left >= 0:
            raise PoolTimeout("too late")
        return values["value"]


def spoil(
    monkeypatch: pytest.MonkeyPatch, kind: type, name: str, *errors: Exception, after: bool = False
) -> None:
    """Make the first calls of a method raise; with `after`, once they have taken effect."""
    real, left = getattr(kind, name), list(errors)

    async def call(*args: Any, **options: Any) -> Any:
        if left and not after:
            raise left.pop(0)
        value = await real(*args, **options)
        if left:
            raise left.pop(0)
        return value

    monkeypatch.setattr(kind, name, call)


AWAY = Unavailable("The store cannot be reached right now")


@pytest.mark.parametrize("verb", ["claim", "advance"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_step_whose_reply_was_lost_is_asked_again(
    verb: str, after: bool, runner: Runner, held_walker: HeldWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    spoil(monkeypatch, Walks, verb, AWAY, AWAY, after=after)

    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    execution = await runner.end(execution_id)

    assert execution.result == {"text": "Hello Ada"}


async def test_a_full_disk_delays_a_step_and_loses_nothing(
    runner: Runner, held_walker: HeldWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    spoil(monkeypatch, Walks, "advance", StoreFull(), StoreFull())

    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))

    assert (await runner.end(execution_id)).status is ExecutionStatus.COMPLETED


async def test_an_execution_that_cannot_begin_is_given_back_though_the_store_is_away(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    reference = keyspace.reference(runner.account.id, execution_id)
    spoil(monkeypatch, Workflows, "plan_of", AWAY)
    spoil(monkeypatch, Walks, "give_back", AWAY, StoreFull(), AWAY)

    held_walker.walker.take_hint(reference)
    await eventually(_async(lambda: held_walker.released == 1))

    assert await store.leases.held(WORKER) == []
    assert reference in (await store.leases.promote(5_000)).references


async def test_a_version_that_cannot_be_walked_any_more_fails(
    runner: Runner, held_walker: HeldWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    spoil(monkeypatch, Workflows, "plan_of", InvalidGraph([]))

    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))

    assert (await runner.end(execution_id)).status is ExecutionStatus.FAILED


async def test_a_surprise_after_a_cancel_ends_as_cancelled(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})

    async def surprise(walk: Walk) -> None:
        await store.executions.cancel(runner.account.id, execution_id)
        raise ArithmeticError

    monkeypatch.setattr(Walk, "run", surprise)
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))

    assert (await runner.end(execution_id)).status is ExecutionStatus.CANCELLED


async def test_an_expression_over_its_time_is_retried_as_its_policy_says(
    runner: Runner, store: Store
) -> None:
    held_walker = HeldWalker(store, LatePool(2))
    policy = {"retry": {"attempts": 3, "backoff": 0.01}}
    graph = Graph("who").node("size", "transform", expression="value", **policy)
    graph.node("out", "responseOutput")
    graph.wire("in.who > size.value-in", "size.value-out > out.result-in")
    execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})

    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    execution = await runner.end(execution_id)

    assert execution.result == "Ada"
    assert [node.attempts for node in execution.nodes] == [1, 3, 1]


@pytest.mark.F32
async def test_a_doubled_hint_frees_its_slot_and_runs_nothing_twice(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    reference = await begin_waiting(runner, held_walker)

    for _ in range(5):
        held_walker.walker.take_hint(reference)
    await eventually(_async(lambda: held_walker.released == 5))

    assert executions_held(held_walker.walker) == 1
    held_walker.gate.opened.set()
    await eventually(_async(lambda: held_walker.released == 6))
    assert len(held_walker.gate.calls) == 1


async def test_executions_that_wait_or_have_ended_leave_their_room_for_computing_to_others(
    runner: Runner, held_walker: HeldWalker
) -> None:
    most = await held_walker.load_gate.wait_quiet(0)
    slug = await runner.save(greeting())
    pure = [await runner.begin(slug, {"who": "Ada"}) for _ in range(most + 1)]
    for execution_id in pure:
        held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await eventually(_async(lambda: held_walker.released == len(pure)))
    after_the_end = await held_walker.load_gate.wait_quiet(0)

    reference = await begin_waiting(runner, held_walker)
    held_walker.walker.take_hint(reference)  # a duplicate
    held_walker.walker.take_hint("nonsense")

    async def free_limit() -> int:
        return await held_walker.load_gate.wait_quiet(0)

    assert after_the_end == most
    assert await eventually(free_limit, lambda found: found == most)


@pytest.mark.parametrize("hint", ["", "/", "nonsense", "acc/", "/x", "acc/unknown"])
async def test_a_hint_of_nothing_frees_its_slot(hint: str, held_walker: HeldWalker) -> None:
    held_walker.walker.take_hint(hint)
    held_walker.walker.take_hint(hint)

    await eventually(_async(lambda: held_walker.released == 2))
    assert executions_held(held_walker.walker) == 0


async def test_an_execution_that_was_taken_away_and_is_hinted_at_begins_again(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    reference = await begin_waiting(runner, held_walker)

    await store.walks.give_back(reference, WORKER, is_lost=True)
    held_walker.walker.take_hint(reference)
    await eventually(_async(lambda: len(held_walker.gate.calls) == 2))
    held_walker.gate.opened.set()
    execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert execution.nodes[0].attempts == 2
    await eventually(_async(lambda: held_walker.released == 2))


async def test_attempts_that_were_lost_with_their_workers_use_up_no_retry(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    retry = {"attempts": 2, "backoff": 0.01}
    slug = await runner.save(http_line("https://example.com/fail", 1, retry=retry))
    execution_id = await runner.begin(slug)
    reference = keyspace.reference(runner.account.id, execution_id)
    await lose_at_the_first_node(store, reference, 2)

    held_walker.walker.take_hint(reference)
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert len(held_walker.gate.calls) == 2, "both attempts that its policy allows"
    assert execution.nodes[0].attempts == 4


@pytest.mark.parametrize(("lost", "calls", "code"), [(2, 1, "http_status"), (3, 0, "worker_lost")])
async def test_a_node_at_which_three_workers_died_is_not_run_again(
    runner: Runner, held_walker: HeldWalker, store: Store, lost: int, calls: int, code: str
) -> None:
    execution_id = await runner.begin(await runner.save(http_line("https://example.com/fail", 1)))
    reference = keyspace.reference(runner.account.id, execution_id)
    await lose_at_the_first_node(store, reference, lost)

    held_walker.walker.take_hint(reference)
    execution = await runner.end(execution_id)

    assert len(held_walker.gate.calls) == calls
    assert execution.nodes[0].error is not None
    assert execution.nodes[0].error["code"] == code


async def lose_at_the_first_node(store: Store, reference: str, times: int) -> None:
    """Let this many workers die while they run the execution's first node."""
    for number in range(times):
        worker_id = f"dead-{number}"
        claimed = await store.walks.claim(reference, worker_id)
        assert claimed is not None
        await store.walks.advance(claimed.lease, 1, Step(claimed=[0]))
        await store.walks.give_back(reference, worker_id, is_lost=True)


async def test_an_execution_that_workers_die_of_is_given_up(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    reference = keyspace.reference(runner.account.id, execution_id)
    for death in range(5):
        assert await store.walks.claim(reference, f"dead-{death}")
        await store.walks.give_back(reference, f"dead-{death}", is_lost=True)

    held_walker.walker.take_hint(reference)
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert "5 workers died" in execution.error["reason"]


async def test_outputs_on_record_count_for_the_worker_that_takes_the_execution_up(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may put out a million bytes here: three quarters of that are on record already."""
    execution_id = await runner.begin(await runner.save(http_fan("https://example.com/", 4)))
    reference = keyspace.reference(runner.account.id, execution_id)
    claimed = await store.walks.claim(reference, "dead")
    assert claimed is not None
    packed = pack({"response-out": "x" * 250_000, "status-out": 200})
    rows = [NodeRow(index, 1, claimed.now, 1, None, packed) for index in range(3)]
    await store.walks.advance(
        claimed.lease,
        1,
        Step(settled=[(row.index, NodeStatus.COMPLETED) for row in rows], rows=rows),
    )
    await store.walks.give_back(reference, "dead", is_lost=True)

    async def answer(call: HttpCall) -> HttpAnswer:
        return HttpAnswer(status=200, headers={}, body=b"x" * 260_000)

    monkeypatch.setattr(held_walker.gate, "fetch", answer)
    held_walker.walker.take_hint(reference)
    execution = await runner.end(execution_id)

    assert execution.nodes[3].error is not None
    assert execution.nodes[3].error["code"] == "run_too_large"


async def test_draining_without_a_store_ends(
    runner: Runner, held_walker: HeldWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin_waiting(runner, held_walker)
    spoil(monkeypatch, Walks, "give_back", AWAY)

    await held_walker.walker.drain(0.05)

    assert executions_held(held_walker.walker) == 0


async def test_a_worker_that_could_not_give_back_is_taken_for_dead_at_once(
    runner: Runner, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    reference = keyspace.reference(runner.account.id, execution_id)

    async with worker(settings) as walker:
        worker_id = walker._dependencies.worker_id
        await eventually(store.leases.workers)
        monkeypatch.setattr(Walks, "give_back", _never)
        assert await store.walks.claim("acc/none", worker_id) is None
        await runner.end(execution_id)
        held = keyspace.held(partition_of(runner.account.id), worker_id)
        await store.client.send("HSET", held, reference, "1:token")

    assert await Leases(store.client).dead_workers() == [worker_id]


async def _never(*args: object, **options: object) -> bool:
    raise AWAY


def _async(read: Callable[[], Any]) -> Any:
    async def call() -> Any:
        return read()

    return call


async def test_an_execution_that_is_cancelled_just_as_a_call_is_to_be_retried_ends(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = http_line("https://example.com/fail", 1, retry={"attempts": 2, "backoff": 60})
    execution_id = await runner.begin(await runner.save(graph))
    fetch = held_walker.gate.fetch

    async def cancel_and_fail(call: HttpCall) -> HttpAnswer:
        await store.executions.cancel(runner.account.id, execution_id)  # no order reaches the walk
        return await fetch(call)

    monkeypatch.setattr(held_walker.gate, "fetch", cancel_and_fail)
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))

    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.CANCELLED
    assert held_walker.gate.calls == ["https://example.com/fail?n=0"]
