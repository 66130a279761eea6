"""Recorded answers for items of a list are reused, however an attempt ends."""

from collections.abc import Sequence

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.models.registry import use_models
from engine.nodes.assistant import LIST_SENTENCE
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.claim import Lease
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.manifests import ANSWER, PROMPT, model
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.media.object_files import outputs_of
from tests.support.workers.held_walker import WORKER, HeldWalker
from tests.support.workers.paying_account import PRICE, PayingAccount, PlainPool, answer, costs

OTHER = "worker-2"
SOON = {"attempts": 3, "backoff": 0}
LATER = {"attempts": 3, "backoff": 30}
PER_IMAGE = '[[pricing]]\nunit = "image"\nusd = "0.010"\n'


def prompts(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def asking(count: int, node_type: str = "customModel", **data: object) -> Graph:
    """Return a graph with a node that calls `echo` for each prompt of a list."""
    graph = Graph().node("list", "list", items=[{"value": each} for each in prompts(count)])
    graph.node("many", node_type, model="echo", **data)
    return answer(graph.wire("list.items-out > many.prompt-in"), "many")


def answers(count: int) -> list[str]:
    return [f"<{each}>" for each in prompts(count)]


def asked_once(calls: Sequence[str], *, twice: Sequence[str]) -> bool:
    """Return whether these prompts were sent twice and all others once."""
    return sorted(calls) == sorted([*set(calls), *twice])


async def record(payer: PayingAccount, execution_id: str) -> dict[str, bytes]:
    return await payer.store.walks.records(payer.account.id, execution_id)


def kept(record: dict[str, bytes]) -> list[str]:
    return [name for name in record if name == "answer_batches" or (name[0] == "k" and "." in name)]


async def begin_held(payer: PayingAccount, graph: Graph, held: Sequence[str], count: int) -> str:
    """Start an execution with waiting calls for these prompts, the other answers on record."""
    payer.models.held = set(held)
    execution_id = await payer.begin(graph)
    await payer.models.called(count)

    async def is_recorded() -> bool:
        return bool(kept(await record(payer, execution_id)))

    await eventually(is_recorded)
    return execution_id


async def recover(payer: PayingAccount, execution_id: str) -> Execution:
    """End an execution at another worker, whose calls do not wait, after its worker is gone."""
    reference = payer.reference(execution_id)
    await payer.store.walks.give_back(reference, WORKER, is_lost=True)
    other = HeldWalker(payer.store, PlainPool(), payer.models, OTHER)
    payer.models.held = set()
    other.walker.take_hint(reference)
    try:
        return await payer.end(execution_id)
    finally:
        await other.walker.drain(0)


async def test_only_the_item_that_failed_is_asked_again(payer: PayingAccount) -> None:
    payer.models.failures = {"p3": 1}

    execution = await payer.run(asking(10, retry=SOON))

    assert execution.result == answers(10)
    assert len(payer.models.calls) == 11
    assert asked_once(payer.models.calls, twice=["p3"])
    assert costs(execution) == [10 * PRICE]
    assert await payer.paid(10 * PRICE)
    assert kept(await record(payer, execution.id)) == []


async def test_a_worker_that_takes_over_asks_for_missing_answers(payer: PayingAccount) -> None:
    execution_id = await begin_held(payer, asking(8), ["p1", "p4", "p6"], 8)

    execution = await recover(payer, execution_id)

    assert execution.result == answers(8)
    assert asked_once(payer.models.calls, twice=["p1", "p4", "p6"])
    assert costs(execution) == [8 * PRICE]
    assert await payer.paid(8 * PRICE)
    assert kept(await record(payer, execution_id)) == []


async def test_an_attempt_that_was_lost_does_not_make_the_next_one_the_last(
    payer: PayingAccount,
) -> None:
    """Two attempts are allowed beside the lost one: the first keeps answers for the second."""
    payer.models.held = set(prompts(6))
    execution_id = await payer.begin(asking(6, retry={"attempts": 2, "backoff": 0}))
    await payer.models.called(6)
    before = list(payer.models.calls)
    payer.models.failures = {"p3": 1}

    execution = await recover(payer, execution_id)

    assert execution.result == answers(6)
    assert asked_once(payer.models.calls[len(before) :], twice=["p3"])
    assert await payer.paid(6 * PRICE)


async def test_answers_are_kept_when_the_time_of_an_attempt_is_up(
    payer: PayingAccount,
) -> None:
    retry = {"attempts": 2, "backoff": 0}
    graph = asking(4, retry=retry, timeoutSeconds=0.2)
    execution_id = await begin_held(payer, graph, ["p2"], 4)

    await payer.models.called(5)
    payer.models.open()
    execution = await payer.end(execution_id)

    assert execution.result == answers(4)
    assert asked_once(payer.models.calls, twice=["p2"])
    assert await payer.paid(4 * PRICE)


async def test_others_go_on_after_a_failure_when_there_is_another_attempt(
    payer: PayingAccount,
) -> None:
    payer.models.failures, payer.models.held = {"p0": 1}, set(prompts(60)[1:])

    execution_id = await payer.begin(asking(60, retry=SOON))
    await payer.models.called(16)
    payer.models.open()
    execution = await payer.end(execution_id)

    assert execution.result == answers(60)
    assert payer.models.calls == [*prompts(60), "p0"]


async def test_others_are_stopped_when_there_is_no_other_attempt(payer: PayingAccount) -> None:
    payer.models.failures, payer.models.held = {"p0": 1}, set(prompts(60)[1:])

    execution = await payer.run(asking(60))

    assert execution.status is ExecutionStatus.FAILED
    assert len(payer.models.calls) == 16
    assert kept(await record(payer, execution.id)) == []
    assert await payer.paid(0)


async def test_a_bad_answer_is_asked_again_and_good_ones_are_not(payer: PayingAccount) -> None:
    lists = {f"{each}\n\n{LIST_SENTENCE}": f'["{each}"]' for each in prompts(4)}
    _, bad, worse, _ = lists
    payer.models.answers = lists | {bad: '["breaks', worse: " "}
    execution_id = await payer.begin(asking(4, "assistant", retry=LATER, exportMode="list"))
    await waits_for_a_retry(payer, execution_id)

    payer.models.answers = lists
    execution = await hurry(payer, execution_id)

    assert execution.result == prompts(4)
    assert asked_once(payer.models.calls, twice=[bad, worse])
    assert await payer.paid(4 * PRICE)


async def test_recorded_answers_are_removed_when_the_execution_is_cancelled(
    payer: PayingAccount,
) -> None:
    payer.models.failures = {"p1": 1}
    execution_id = await payer.begin(asking(4, retry=LATER))
    await waits_for_a_retry(payer, execution_id)
    before = kept(await record(payer, execution_id))

    await payer.store.executions.cancel(payer.account.id, execution_id)
    execution = await payer.end(execution_id)

    assert before
    assert execution.status is ExecutionStatus.CANCELLED
    assert kept(await record(payer, execution_id)) == []
    assert await payer.paid(0)


async def test_large_answers_are_kept_in_objects(payer: PayingAccount, settings: Settings) -> None:
    large = {each: each * 70_000 for each in prompts(3)}
    payer.models.answers = dict(large)
    execution_id = await begin_held(payer, asking(3), ["p2"], 3)
    files = outputs_of(settings, payer.account.id, execution_id)
    in_redis = sum(len(value) for value in (await record(payer, execution_id)).values())

    execution = await recover(payer, execution_id)

    assert [path.stat().st_size > 280_000 for path in files] == [True]
    assert in_redis < 10_000
    assert execution.result == list(large.values())
    assert asked_once(payer.models.calls, twice=["p2"])


async def test_large_answers_that_cannot_be_kept_are_asked_again(
    payer: PayingAccount, store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_pauses(monkeypatch)
    blob_store = use(store, Faulty(settings.media_url, 1_000))
    payer.models.answers = {"p0": "x" * 300_000}
    payer.models.failures = {"p1": 1}
    execution_id = await payer.begin(asking(3, retry=LATER))
    await waits_for_a_retry(payer, execution_id)
    blob_store.left = 0

    execution = await hurry(payer, execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert len(payer.models.calls) == 6
    assert await payer.paid(3 * PRICE)


async def test_usage_of_all_attempts_counts_once(payer: PayingAccount) -> None:
    images = model("echo", category="image", fields=PROMPT, call=ANSWER, pricing=PER_IMAGE)
    payer.models.failures = {"p1": 1}
    with use_models([images]):
        graph = asking(3, retry=SOON)
        graph.edges[-1]["sourceHandle"] = "image-out"
        execution = await payer.run(graph)

    assert execution.micro_usd == 30_000
    assert await payer.paid(39)


async def test_a_batch_is_recorded_once_and_only_by_the_holder_of_the_node(
    payer: PayingAccount,
) -> None:
    execution_id = await begin_held(payer, asking(3), ["p2"], 3)
    ids = payer.account.id, execution_id
    before = await record(payer, execution_id)
    index = int(before["answer_batches"].split(b"=")[0])
    key = keyspace.held(partition_of(ids[0]), WORKER)
    token = (await payer.store.client.send("HVALS", key))[0].decode().partition(":")[2]

    async def keep(worker_id: str, fence: int, node: int = index) -> bool:
        return await payer.store.checkpoints.save_item_answers(
            Lease(*ids, worker_id, fence, token), node, 1, before[f"k{index}.1"], is_offloaded=False
        )

    again, foreign, late = await keep(WORKER, 1), await keep(OTHER, 1), await keep(WORKER, 2)
    unclaimed = await keep(WORKER, 1, 0)

    assert (again, foreign, late, unclaimed) == (True, False, False, False)
    assert kept(await record(payer, execution_id)) == kept(before)
    assert before["answer_batches"] == b"%d=1" % index


async def waits_for_a_retry(payer: PayingAccount, execution_id: str) -> None:
    """Wait until a node of the execution waits for its next attempt and no worker holds it."""

    async def status() -> tuple[bytes, bytes]:
        found = await record(payer, execution_id)
        return found["statuses"], found.get("holders", b"")

    await eventually(status, lambda found: b"t" in found[0] and found[1] == b"0")


async def hurry(payer: PayingAccount, execution_id: str) -> Execution:
    """End an execution whose retry is due now."""
    key = keyspace.execution(payer.account.id, execution_id)
    for name, value in (await record(payer, execution_id)).items():
        if name[0] == "n" and name[1:].isdigit():
            owner, attempts, _, lost = value.split(b":")
            await payer.store.client.send(
                "HSET", key, name, b":".join([owner, attempts, b"1", lost])
            )
    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    return await payer.end(execution_id)
