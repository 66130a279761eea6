import asyncio
import base64
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import (
    ExecutionNotCancellable,
    ExecutionNotFound,
    InvalidCursor,
    WorkflowNotFound,
)
from engine.executions.execution import Execution
from engine.executions.rows import NodeRow
from engine.executions.statuses import TERMINAL, ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, ExecutionFilter, Store, Workflow
from engine.store.executions.advance import Step
from engine.store.redis import keyspace, process_keys
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS, Script
from tests.support.eventually import eventually
from tests.support.redis.proxy import When, running_proxy
from tests.support.store.acceptance import acceptance
from tests.support.store.records import BOTH_DONE, NotAccepted, accept, document, save
from tests.support.store.redis_contents import contents

Saved = tuple[Workflow, Plan]
SOME_ID = uuid.UUID(int=7)


@pytest.fixture
async def saved(store: Store, account: Account) -> Saved:
    return await save(store, account)


async def accept_at(store: Store, account: Account, saved: Saved, now: int) -> str:
    """Accept an execution at a given time."""
    execution_id = str(uuid.uuid4())
    names = acceptance(
        execution_id,
        workflow=keyspace.workflow(account.id, saved[0].slug),
        execution=keyspace.execution(account.id, execution_id),
        executions=keyspace.account_executions(account.id),
        due=keyspace.due(partition_of(account.id)),
        active=keyspace.active(account.id),
        now=now,
        reference=keyspace.reference(account.id, execution_id),
        version=1,
        statuses="pp",
        fields={"slug": saved[0].slug, "source": "test", "inputs": pack({})},
    )
    accept_execution = SCRIPTS["accept_execution"]
    await store.client.call(accept_execution, **names)
    return execution_id


async def end(store: Store, account: Account, execution_id: str, status: ExecutionStatus) -> None:
    claimed = await store.walks.claim(keyspace.reference(account.id, execution_id), "w1")
    assert claimed is not None
    step = Step(settled=BOTH_DONE, end=status, result=pack(None))
    await store.walks.advance(claimed.lease, 1, step)


async def read_all(
    store: Store, account: Account, limit: int, status: ExecutionStatus | None = None
) -> Sequence[Execution]:
    wanted = ExecutionFilter(statuses=() if status is None else (status,))
    rows: list[Execution] = []
    cursor: str | None = None
    for _ in range(1_000):
        page, cursor = await store.executions.list(account.id, wanted, limit=limit, cursor=cursor)
        assert len(page) <= limit
        rows += page
        if cursor is None:
            return rows
    raise AssertionError("the list does not end")


async def test_an_accepted_execution_is_processing_with_all_its_nodes(
    store: Store, account: Account, saved: Saved
) -> None:
    accepted = await accept(store, account, *saved)

    execution = await store.executions.get(account.id, accepted.id)
    assert execution.status is ExecutionStatus.PROCESSING
    assert [node.status for node in execution.nodes] == [NodeStatus.PENDING] * 2
    assert execution.created_at == accepted.created_at
    assert (execution.started_at, execution.completed_at, execution.duration_ms) == (None,) * 3
    assert (execution.workflow_slug, execution.workflow_version) == ("echo", 1)
    assert (execution.source, execution.result, execution.error) == ("api-workflow", None, None)
    assert execution.status not in TERMINAL
    head = await store.executions.head(account.id, accepted.id)
    assert (head.id, head.status, head.nodes) == (execution.id, execution.status, ())
    assert await store.hints.depth() == 1


async def test_accepting_sends_record_and_hint_in_one_write(
    settings: Settings, store: Store, account: Account, saved: Saved
) -> None:
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))
        await far.ping()
        proxy.requests.clear()

        await accept(far, account, *saved)

        assert len(proxy.requests) == 1
        await far.close()


@pytest.mark.F24c
@pytest.mark.parametrize("after", ["before", "run"])
async def test_an_execution_whose_acceptance_was_sent_again_has_a_hint(
    settings: Settings, store: Store, account: Account, saved: Saved, after: When
) -> None:
    """The hint was on its way behind the first call, and was lost with the connection."""
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))
        await far.ping()
        loss = proxy.lose("accept_execution", after=after)

        await accept(far, account, *saved)

        assert loss.left == 0
        assert await eventually(store.hints.depth)
        await far.close()


async def test_a_hint_in_another_redis_is_not_sent_before_its_execution_is_there(
    settings: Settings, store: Store, account: Account, saved: Saved
) -> None:
    workflow, plan = saved
    apart = Store.open(
        Settings(redis_url=settings.redis_url, queue_url=settings.redis_url + "?db=5")
    )
    await store.workflows.update(account.id, workflow.slug, document(text="two"), [])
    with pytest.raises(NotAccepted, match="StaleWorkflow"):
        await accept(apart, account, workflow, plan)
    assert await apart.hints.depth() == 0

    newer, plan = await store.workflows.plan_of(account.id, workflow.slug, 2)
    await accept(apart, account, newer, plan)

    assert await apart.hints.depth() == 1
    await apart.close()


async def test_accepting_one_id_twice_is_one_execution(
    store: Store, account: Account, saved: Saved
) -> None:
    first = await accept(store, account, *saved, execution_id="x")
    before = await contents(store.client)

    again = await accept(store, account, *saved, execution_id="x")

    after = await contents(store.client)
    assert again == first
    del before[process_keys.hints("walk").encode()], after[process_keys.hints("walk").encode()]
    assert after == before


async def test_accepting_again_does_not_take_an_execution_back(
    store: Store, account: Account, saved: Saved
) -> None:
    accepted = await accept(store, account, *saved, execution_id="x")
    await end(store, account, "x", ExecutionStatus.COMPLETED)

    assert await accept(store, account, *saved, execution_id="x") == accepted

    head = await store.executions.head(account.id, "x")
    assert head.status is ExecutionStatus.COMPLETED
    assert await store.leases.due() == 0


async def test_one_id_may_belong_to_two_accounts(
    store: Store, account: Account, saved: Saved
) -> None:
    other = await store.accounts.create(email="eve@example.com", tier=Tier.PRO)
    theirs = await save(store, other)
    await accept(store, account, *saved, execution_id="x")

    await accept(store, other, *theirs, execution_id="x")

    assert (await store.executions.get(account.id, "x")).workflow_slug == "echo"
    assert (await store.executions.get(other.id, "x")).workflow_slug == "echo-2"


async def test_a_stale_or_missing_workflow_is_not_accepted(
    store: Store, account: Account, saved: Saved
) -> None:
    workflow, plan = saved
    await store.workflows.update(account.id, workflow.slug, document(text="two"), [])
    before = await contents(store.client)

    with pytest.raises(NotAccepted, match="StaleWorkflow"):
        await accept(store, account, workflow, plan)
    await store.client.send("DEL", process_keys.hints("walk"))
    assert await contents(store.client) == before

    await store.workflows.delete(account.id, workflow.slug)
    with pytest.raises(WorkflowNotFound):
        await accept(store, account, workflow, plan)
    assert await store.executions.list(account.id) == ([], None)
    assert await store.leases.due() == 0


async def test_a_foreign_execution_is_not_found(
    store: Store, account: Account, saved: Saved
) -> None:
    other = await store.accounts.create(email="eve@example.com", tier=Tier.PRO)
    accepted = await accept(store, account, *saved)

    for execution_id in (accepted.id, "nothing", "", "*"):
        with pytest.raises(ExecutionNotFound):
            await store.executions.get(other.id, execution_id)
        with pytest.raises(ExecutionNotFound):
            await store.executions.head(other.id, execution_id)
        with pytest.raises(ExecutionNotFound):
            await store.executions.cancel(other.id, execution_id)
    assert await store.executions.list(other.id) == ([], None)
    head = await store.executions.head(account.id, accepted.id)
    assert head.status is ExecutionStatus.PROCESSING


async def test_an_execution_that_nobody_holds_is_cancelled_at_once(
    store: Store, account: Account, saved: Saved
) -> None:
    accepted = await accept(store, account, *saved)

    status = await store.executions.cancel(account.id, accepted.id)

    execution = await store.executions.get(account.id, accepted.id)
    assert status is ExecutionStatus.CANCELLED
    assert execution.status is ExecutionStatus.CANCELLED
    assert execution.status in TERMINAL
    assert execution.completed_at is not None
    assert {node.status for node in execution.nodes} == {NodeStatus.CANCELLED}
    assert await store.walks.claim(keyspace.reference(account.id, accepted.id), "w1") is None


async def test_an_execution_in_hand_is_asked_to_stop_once_and_again(
    store: Store, account: Account, saved: Saved
) -> None:
    accepted = await accept(store, account, *saved)
    await store.walks.claim(keyspace.reference(account.id, accepted.id), "w1")

    statuses = [await store.executions.cancel(account.id, accepted.id) for _ in range(2)]

    assert statuses == [ExecutionStatus.CANCEL_REQUESTED] * 2
    assert await store.walks.is_cancel_requested(keyspace.reference(account.id, accepted.id))


@pytest.mark.parametrize("status", [ExecutionStatus.COMPLETED, ExecutionStatus.FAILED])
async def test_an_ended_execution_cannot_be_cancelled(
    store: Store, account: Account, saved: Saved, status: ExecutionStatus
) -> None:
    accepted = await accept(store, account, *saved)
    await end(store, account, accepted.id, status)

    with pytest.raises(ExecutionNotCancellable) as caught:
        await store.executions.cancel(account.id, accepted.id)

    assert caught.value.context == {"status": status.value}
    assert (await store.executions.head(account.id, accepted.id)).status is status


async def test_an_error_is_read_as_it_was_recorded(
    store: Store, account: Account, saved: Saved
) -> None:
    accepted = await accept(store, account, *saved)
    claimed = await store.walks.claim(keyspace.reference(account.id, accepted.id), "w1")
    assert claimed is not None
    error = {"code": "EXECUTION_FAILED", "message": "Node 't' failed: ü", "nodeId": "t"}
    node_error = {"code": "bad", "message": "no"}
    step = Step(
        settled=[(0, NodeStatus.FAILED)],
        rows=[NodeRow(0, 3, 1_000, 20, node_error)],
        end=ExecutionStatus.FAILED,
        error=error,
    )

    await store.walks.advance(claimed.lease, 1, step)

    execution = await store.executions.get(account.id, accepted.id)
    first, second = execution.nodes
    assert execution.error == error
    assert (first.status, first.attempts, first.duration_ms) == (NodeStatus.FAILED, 3, 20)
    assert first.error == node_error
    assert second.status is NodeStatus.SKIPPED


@pytest.mark.parametrize("limit", [1, 7, 50, 101, 500])
async def test_pages_bring_every_execution_once_whatever_the_times(
    store: Store, account: Account, saved: Saved, limit: int
) -> None:
    times = [1_000] * 130 + [2_000] * 5 + list(range(3_000, 3_020)) + [4_000] * 110
    expected = {(now, await accept_at(store, account, saved, now)) for now in times}

    rows = await read_all(store, account, limit)

    found = [(row.created_at, row.id) for row in rows]
    assert found == sorted(expected, reverse=True)


async def test_pages_can_be_filtered(store: Store, account: Account, saved: Saved) -> None:
    other = await save(store, account, "Other")
    ids = [(await accept(store, account, *saved)).id for _ in range(120)]
    others = [(await accept(store, account, *other)).id for _ in range(3)]
    for execution_id in (ids[0], ids[60], ids[119]):
        await end(store, account, execution_id, ExecutionStatus.COMPLETED)

    completed = await read_all(store, account, 2, ExecutionStatus.COMPLETED)
    by_slug, cursor = await store.executions.list(
        account.id, ExecutionFilter(workflow_slug=other[0].slug), limit=500
    )
    neither, _ = await store.executions.list(
        account.id,
        ExecutionFilter(workflow_slug=other[0].slug, statuses=[ExecutionStatus.COMPLETED]),
    )

    assert {row.id for row in completed} == {ids[0], ids[60], ids[119]}
    assert {row.id for row in by_slug} == set(others)
    assert cursor is None
    assert neither == []


async def test_a_short_page_reads_no_more_results_than_it_shows(
    store: Store, account: Account, saved: Saved
) -> None:
    for number in range(30):
        await accept_at(store, account, saved, 1_000 + number)
    before = await hmget_calls(store)

    rows, cursor = await store.executions.list(account.id, limit=2)
    after, _ = await store.executions.list(account.id, limit=2, cursor=cursor)

    assert await hmget_calls(store) - before == 4
    assert [row.created_at for row in (*rows, *after)] == [1_029, 1_028, 1_027, 1_026]


async def hmget_calls(store: Store) -> int:
    info: bytes = await store.client.send("INFO", "commandstats")
    lines = [line for line in info.split() if line.startswith(b"cmdstat_hmget:")]
    return sum(int(line.split(b"calls=")[1].split(b",")[0]) for line in lines)


async def test_acceptances_during_a_list_repeat_no_row(
    store: Store, account: Account, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = await store.leases.now()
    ids = [await accept_at(store, account, saved, now - 10_000 + i) for i in range(230)]
    call = store.client.call

    def call_and_accept(script: Script, **names: Any) -> asyncio.Future[Any]:
        reply = call(script, **names)
        if script.name == "list_executions":
            asyncio.get_running_loop().call_soon(begin)
        return reply

    def begin() -> None:
        begun.append(asyncio.ensure_future(accept(store, account, *saved)))

    begun: list[asyncio.Future[Any]] = []
    monkeypatch.setattr(store.client, "call", call_and_accept)

    rows, _ = await store.executions.list(account.id, limit=500)

    assert [row.id for row in rows] == ids[::-1]
    assert len(begun) == 3
    await asyncio.gather(*begun)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        ":",
        "12",
        "12:",
        "12:not-a-uuid",
        f"x:{SOME_ID}",
        f"{SOME_ID}:1",
        "9" * 5_000 + f":{SOME_ID}",
        f"nan:{SOME_ID}",
        f"-1:{SOME_ID}",
        f"{'9' * 19}:{SOME_ID}",
        f"{'9' * 400}:{SOME_ID}",
    ],
)
async def test_an_invalid_cursor_is_refused(store: Store, account: Account, text: str) -> None:
    encoded = base64.urlsafe_b64encode(text.encode()).decode()

    for cursor in (text, encoded, "é", "\ud800"):
        with pytest.raises(InvalidCursor):
            await store.executions.list(account.id, cursor=cursor)


@pytest.mark.parametrize("created", ["0", str(2**53 - 1)])
async def test_a_forged_cursor_harms_nothing(
    store: Store, account: Account, saved: Saved, created: str
) -> None:
    await accept(store, account, *saved)
    cursor = base64.urlsafe_b64encode(f"{created}:{uuid.uuid4()}".encode()).decode()

    rows, following = await store.executions.list(account.id, cursor=cursor)

    assert len(rows) <= 1
    assert following is None
