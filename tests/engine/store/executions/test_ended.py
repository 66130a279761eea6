"""Facts of ended executions: told once, however an execution ends and whichever answer is lost."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import ExecutionNotCancellable
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.executions.ended import EndedExecution, Ends
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.child_runs import ChildRuns
from tests.support.store.claims import advance, claim
from tests.support.store.ended import Ending
from tests.support.store.records import BOTH_DONE, save

TRACE = "00-" + "a" * 32 + "-" + "b" * 16
ERROR = {
    "code": "EXECUTION_FAILED",
    "message": "Node 't' failed: the secret word",
    "nodeId": "t",
    "nodeType": "textBox",
    "reason": "the secret word",
    "nodeCode": "http_status",
    "retryable": False,
}


@pytest.fixture
async def ending(store: Store, account: Account) -> Ending:
    return await Ending.of(store, account)


@pytest.fixture
def told(store: Store) -> list[EndedExecution]:
    """Return the ends that the process has told so far."""
    told: list[EndedExecution] = []
    store.ends.subscribe(told.append)
    return told


def name(reference: str) -> str:
    return keyspace.parse_reference(reference)[1]


async def traced(store: Store, reference: str, flags: str) -> str:
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await store.client.send("HSET", key, "trace", f"{TRACE}-{flags}")
    return reference


async def end(
    ending: Ending, store: Store, reference: str, status: ExecutionStatus, **changes: Any
) -> tuple[Any, Step]:
    """Claim an execution and end it in one step; return the claim and the step."""
    claimed = await claim(store, reference)
    step = Step(end=status, slug=ending.workflow.slug, **changes)
    await advance(store, claimed, 1, step)
    return claimed, step


async def test_a_claimed_walk_tells_the_facts_of_its_end(
    ending: Ending, store: Store, told: list[EndedExecution]
) -> None:
    reference = await ending.accept(request_id="req_1")
    await end(ending, store, reference, ExecutionStatus.COMPLETED, settled=list(BOTH_DONE))

    (ended,) = told
    execution = await store.executions.get(ending.account.id, name(reference))
    assert (ended.account_id, ended.execution_id) == (ending.account.id, execution.id)
    assert (ended.status, ended.slug, ended.version) == (ExecutionStatus.COMPLETED, "echo", 1)
    assert (ended.source, ended.request_id, ended.key_id) == ("api-workflow", "req_1", "key_1")
    assert (ended.created_at, ended.started_at) == (execution.created_at, execution.started_at)
    assert ended.completed_at == execution.completed_at
    assert (ended.error_code, ended.node_id, ended.batch_id, ended.parent_id) == ("", "", "", "")
    assert (ended.batch_index, ended.child_index, ended.credits) == (None, None, 0)


async def test_a_failure_is_told_by_its_codes_and_its_node_without_a_word_of_its_message(
    ending: Ending, store: Store, told: list[EndedExecution]
) -> None:
    reference = await ending.accept()
    settled = [(0, NodeStatus.FAILED)]
    await end(ending, store, reference, ExecutionStatus.FAILED, settled=settled, error=ERROR)

    (ended,) = told
    assert (ended.status, ended.error_code) == (ExecutionStatus.FAILED, "EXECUTION_FAILED")
    assert (ended.node_id, ended.node_type, ended.node_code) == ("t", "textBox", "http_status")
    assert "secret word" not in repr(ended)


async def test_a_step_that_is_repeated_for_a_lost_answer_tells_the_end(
    ending: Ending, store: Store
) -> None:
    reference = await ending.accept()
    settled = list(BOTH_DONE)
    claimed, step = await end(
        ending, store, reference, ExecutionStatus.COMPLETED, settled=settled
    )  # nobody has taken the answer
    told: list[EndedExecution] = []
    store.ends.subscribe(told.append)

    await advance(store, claimed, 1, step)

    assert [each.execution_id for each in told] == [name(reference)]


async def test_another_walker_tells_nothing_of_an_end(
    ending: Ending, store: Store, told: list[EndedExecution]
) -> None:
    reference = await ending.accept()
    claimed, step = await end(
        ending, store, reference, ExecutionStatus.COMPLETED, settled=list(BOTH_DONE)
    )

    await store.walks.advance(replace(claimed.lease, worker_id="w2", token="other"), 2, step)

    assert len(told) == 1


async def test_a_run_that_is_walked_before_its_claim_tells_its_end_once(
    ending: Ending, store: Store, told: list[EndedExecution]
) -> None:
    reference = await ending.accept()

    assert await ending.finish(reference) is not None
    assert await ending.finish(reference, "other") is None

    (ended,) = told
    assert (ended.execution_id, ended.status) == (name(reference), ExecutionStatus.COMPLETED)


async def test_a_walk_before_its_claim_that_is_repeated_for_a_lost_answer_tells_its_end(
    ending: Ending, store: Store
) -> None:
    reference = await ending.accept()
    first = await ending.finish(reference)
    told: list[EndedExecution] = []
    store.ends.subscribe(told.append)

    assert await ending.finish(reference) == first
    assert [each.execution_id for each in told] == [name(reference)]


async def test_the_wait_of_a_run_that_is_walked_before_its_claim_is_known(
    ending: Ending, store: Store
) -> None:
    reference = await ending.accept()
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await store.client.send("HINCRBY", key, "created", -5_000)

    wait_ms = await ending.finish(reference)

    record = await store.walks.records(*keyspace.parse_reference(reference))
    assert wait_ms == int(record["started"]) - int(record["created"]) >= 4_900


async def test_a_cancel_tells_its_end_once(
    ending: Ending, store: Store, told: list[EndedExecution]
) -> None:
    reference = await ending.accept()
    await store.executions.cancel(ending.account.id, name(reference))
    with pytest.raises(ExecutionNotCancellable):
        await store.executions.cancel(ending.account.id, name(reference))

    (ended,) = told
    assert (ended.status, ended.started_at) == (ExecutionStatus.CANCELLED, None)


async def test_a_cancel_that_a_walker_carries_out_is_told_by_the_walker_alone(
    ending: Ending, store: Store, told: list[EndedExecution]
) -> None:
    reference = await ending.accept()
    claimed = await claim(store, reference)

    await store.executions.cancel(ending.account.id, name(reference))
    assert told == []

    await advance(store, claimed, 1, Step(end=ExecutionStatus.CANCELLED, slug="echo"))
    assert [each.status for each in told] == [ExecutionStatus.CANCELLED]


async def test_children_that_are_walked_as_they_begin_tell_their_ends_once(
    store: Store, account: Account, told: list[EndedExecution]
) -> None:
    runs = ChildRuns(store, account, await save(store, account))
    await runs.begin_root()
    await runs.open(3)
    await runs.park()
    await runs.begin(1)
    walked = [runs.walked(index) for index in range(3)]

    await store.children.finish(await runs.group(), walked, 1_000_000)
    await store.children.finish(await runs.group(), walked, 1_000_000)

    assert [(each.execution_id, each.child_index) for each in told] == [
        (runs.child_id(0), 0),
        (runs.child_id(2), 2),
    ]
    assert {each.parent_id for each in told} == {each.root_id for each in told} == {runs.root_id}
    assert {each.status for each in told} == {ExecutionStatus.COMPLETED}


async def test_a_child_with_a_claim_and_an_item_of_a_batch_tell_where_they_belong(
    ending: Ending, store: Store, told: list[EndedExecution]
) -> None:
    runs = ChildRuns(store, ending.account, (ending.workflow, ending.plan))
    await runs.begin_root()
    await runs.open(2)
    await runs.begin(1)
    claimed = await claim(store, runs.reference(runs.child_id(1)), "w2")
    step = Step(settled=list(BOTH_DONE), end=ExecutionStatus.COMPLETED, slug="echo")
    await advance(store, claimed, 1, step, "w2")

    (ended,) = told
    assert (ended.parent_id, ended.parent_node_id, ended.child_index) == (runs.root_id, "t", 1)
    assert ended.root_id == runs.root_id


@pytest.mark.parametrize(
    ("flags", "status", "is_told"),
    [
        ("01", ExecutionStatus.COMPLETED, True),
        ("03", ExecutionStatus.COMPLETED, True),
        ("00", ExecutionStatus.COMPLETED, False),
        ("00", ExecutionStatus.FAILED, True),
        (None, ExecutionStatus.COMPLETED, False),
        (None, ExecutionStatus.FAILED, True),
    ],
)
async def test_traces_need_the_ends_of_sampled_and_failed_executions_alone(
    ending: Ending, store: Store, flags: str | None, status: ExecutionStatus, is_told: bool
) -> None:
    sampled: list[EndedExecution] = []
    store.ends.subscribe(sampled.append, only_sampled=True)
    reference = await ending.accept()
    if flags is not None:
        await traced(store, reference, flags)

    await end(ending, store, reference, status, settled=list(BOTH_DONE))
    every: list[EndedExecution] = []
    store.ends.subscribe(every.append)
    other = await ending.accept()
    if flags is not None:
        await traced(store, other, flags)
    await end(ending, store, other, status, settled=list(BOTH_DONE))

    assert [each.execution_id for each in sampled] == [name(reference), name(other)] * is_told
    assert [each.execution_id for each in every] == [name(other)]


async def test_without_a_subscriber_the_scripts_return_no_facts(
    ending: Ending, store: Store
) -> None:
    reference = await ending.accept()

    assert await ending.finish(reference) is not None
    assert store.ends.wanted == ""


async def test_a_failing_subscriber_stops_neither_the_walk_nor_the_others(
    ending: Ending, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(ended: EndedExecution) -> None:
        raise ValueError(ended.execution_id)

    told: list[EndedExecution] = []
    store.ends.subscribe(fail)
    store.ends.subscribe(told.append)
    with caplog.at_level(logging.ERROR):
        await ending.completed()

    assert len(told) == 1
    assert [each.message for each in caplog.records] == [
        "a subscriber of ended executions has failed"
    ]


def test_facts_are_parsed_in_the_order_of_the_script() -> None:
    """A fact in a wrong place would be told under another name."""
    script = SCRIPTS["cancel_execution"].text
    listed = script.partition("return redis.call('HMGET', record,")[2].partition(")")[0]
    fields = [each.strip(" '\n") for each in listed.split(",")]
    numbers = {"version", "created", "started", "completed", "spent", "item", "child"}
    values = [
        b"completed"
        if field == "status"
        else pack({"code": "error"})
        if field == "error"
        else str(place).encode()
        if field in numbers
        else field.encode()
        for place, field in enumerate(fields)
    ]

    ended = EndedExecution.parse("acc", "x", values)

    assert (ended.slug, ended.source, ended.request_id, ended.trace) == (
        *("slug", "source", "request", "trace"),
    )
    assert (ended.key_id, ended.models, ended.batch_id, ended.trigger_id) == (
        *("key", "models", "batch", "trigger"),
    )
    assert (ended.occurrence_id, ended.parent_id, ended.parent_node_id, ended.root_id) == (
        *("occurrence", "parent", "parent_node_id", "root"),
    )
    assert (ended.owner_id, ended.retry_of, ended.error_code) == ("owner", "retry_of", "error")
    places = {field: place for place, field in enumerate(fields)}
    assert (ended.version, ended.created_at, ended.started_at, ended.completed_at) == (
        *(places["version"], places["created"], places["started"], places["completed"]),
    )
    assert (ended.credits, ended.batch_index, ended.child_index) == (
        *(places["spent"], places["item"], places["child"]),
    )


def test_ends_are_wanted_as_far_as_somebody_asks() -> None:
    ends = Ends()
    ends.subscribe(lambda ended: None, only_sampled=True)
    sampled = ends.wanted
    ends.subscribe(lambda ended: None)
    ends.subscribe(lambda ended: None, only_sampled=True)

    assert (sampled, ends.wanted) == ("sampled", "all")


async def test_a_log_of_failures_costs_completed_runs_nothing(ending: Ending, store: Store) -> None:
    told: list[EndedExecution] = []
    store.ends.subscribe(told.append, only_failed=True)

    await ending.walked_unclaimed()
    await ending.completed()
    await ending.cancelled()
    failed = await ending.failed()

    assert (store.ends.wanted, store.ends.wanted_of_completed) == ("failed", "")
    assert [each.execution_id for each in told] == [name(failed)]
