"""Nodes that wait, on real parts: workers with their sweeper, and Redis."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.access.capabilities import Tier
from engine.executions.execution import Execution
from engine.executions.node_waits import MAX_MESSAGE, Decision
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.document import parse_document
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.redis import keyspace
from engine.store.waits import node_waits
from engine.telemetry import metrics
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested import body_of
from tests.support.waits.answers import answer, bring_forward, open_waits, until_waiting
from workers.main import worker
from workers.walk.waits import EARLY_MS, NEVER, WaitAttempts

NAMED = [{"name": name} for name in ("yes", "no", "answer", "error", "beside")]
REASON = {"name": "reason", "type": "text"}


def asking(**data: Any) -> Graph:
    """Approval of a text, whose outputs are named members of the result, beside a text box."""
    graph = Graph("who").node("ask", "approval", title="Greet {{ name }}?", **data)
    graph.node("beside", "textBox", text="Hi {{ a }}").node("out", "responseOutput", fields=NAMED)
    graph.node("after", "textBox", text="Hello {{ a }}").node("never", "textBox", text="No {{ a }}")
    return graph.wire(
        *("in.who > ask.name", "in.who > ask.value-in", "in.who > beside.a"),
        *("ask.approved-out > after.a", "after.text-out > out.yes"),
        *("ask.refused-out > never.a", "never.text-out > out.no"),
        *("ask.answer-out > out.answer", "beside.text-out > out.beside"),
    )


def delayed(**data: Any) -> Graph:
    graph = Graph("who").node("wait", "delay", **data).node("out", "responseOutput")
    return graph.wire("in.who > wait.value-in", "wait.value-out > out.result-in")


def statuses(execution: Execution) -> list[NodeStatus]:
    return [node.status for node in execution.nodes]


@pytest.mark.usefixtures("walker")
class TestWithAWorker:
    async def test_a_delay_goes_on_at_its_time_and_holds_nothing_before(
        self, runner: Runner
    ) -> None:
        execution_id = await runner.begin(await runner.save(delayed(seconds=1.3)), {"who": "Ada"})

        [wait] = await until_waiting(runner.store, runner.account.id, execution_id)
        meanwhile = await runner.store.executions.get(runner.account.id, execution_id)
        execution = await runner.end(execution_id)

        assert meanwhile.status is ExecutionStatus.PROCESSING
        assert NodeStatus.WAITING in statuses(meanwhile)
        assert execution.result == "Ada", execution.error
        [node] = [each for each in execution.nodes if each.index == wait.node_index]
        assert (node.attempts, node.status) == (1, NodeStatus.COMPLETED)
        assert node.started_at == wait.since
        assert wait.until - wait.since == 1_300
        assert execution.completed_at is not None and execution.completed_at >= wait.until

    @pytest.mark.parametrize("data", [{"seconds": 0}, {"until": "2020-01-01T00:00:00Z"}])
    async def test_a_time_in_the_past_is_no_wait(
        self, runner: Runner, data: dict[str, Any]
    ) -> None:
        execution = await runner.run(delayed(**data), {"who": "Ada"})

        assert execution.result == "Ada"
        assert await open_waits(runner.store, runner.account.id, execution.id) == []

    @pytest.mark.parametrize("handling", ["fail", "continue", "error-out"])
    async def test_a_wrong_time_fails_the_node_as_its_settings_say(
        self, runner: Runner, handling: str
    ) -> None:
        data = {"onError": "continue"} if handling == "continue" else {}
        graph = delayed(**data).wire("in.who > wait.until-in")
        if handling == "error-out":
            graph.wire("wait.error-out > out.result-in")

        execution = await runner.run(graph, {"who": "soon"})

        if handling == "fail":
            assert execution.error is not None
            assert execution.error["nodeCode"] == "invalid_inputs"
        elif handling == "continue":
            assert (execution.status, execution.result) == (ExecutionStatus.COMPLETED, None)
        else:
            assert execution.result["code"] == "invalid_inputs"

    async def test_an_approval_that_fails_approves_nothing(self, runner: Runner) -> None:
        graph = asking(message="{{ name }}", onError="continue")

        execution = await runner.run(graph, {"who": "a" * (MAX_MESSAGE + 1)})

        assert execution.status is ExecutionStatus.COMPLETED
        given = (execution.result[name] for name in ("yes", "no", "answer"))
        assert list(given) == [None, None, None]
        assert statuses(execution).count(NodeStatus.SKIPPED) == 2

    @pytest.mark.parametrize("decision", list(Decision))
    async def test_an_answer_chooses_the_way_while_other_branches_go_on(
        self, runner: Runner, decision: Decision
    ) -> None:
        store, account_id = runner.store, runner.account.id
        execution_id = await runner.begin(
            await runner.save(asking(fields=[REASON], message="{{ name }}!")), {"who": "Ada"}
        )
        [wait] = await until_waiting(store, account_id, execution_id)
        meanwhile = await store.executions.get(account_id, execution_id)

        ended = metrics.WAITS_ENDED.labels("approval", decision.value)
        before = ended._value.get()
        await answer(store, wait, decision, {"reason": "nice"}, "note")
        execution = await runner.end(execution_id)
        assert ended._value.get() == before + 1

        assert (wait.title, wait.message) == ("Greet Ada?", "Ada!")
        assert [field["name"] for field in wait.fields] == ["reason"]
        assert statuses(meanwhile).count(NodeStatus.COMPLETED) == 2
        result = execution.result
        assert result["beside"] == "Hi Ada"
        ways = ("Hello Ada", None) if decision is Decision.APPROVE else (None, "No Ada")
        assert (result["yes"], result["no"]) == ways
        assert result["answer"] | {"at": ""} == {
            "decision": decision.value,
            "fields": {"reason": "nice"},
            "note": "note",
            "by": {"kind": "session", "id": "acc"},
            "at": "",
        }
        assert statuses(execution).count(NodeStatus.SKIPPED) == 1
        assert await open_waits(store, account_id, execution_id) == []

    @pytest.mark.parametrize("on_timeout", ["fail", "refuse", "approve"])
    async def test_without_an_answer_in_time_it_goes_on_as_it_says(
        self, runner: Runner, on_timeout: str
    ) -> None:
        store, account_id = runner.store, runner.account.id
        graph = asking(onTimeout=on_timeout).wire("ask.error-out > out.error")
        execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})
        [wait] = await until_waiting(store, account_id, execution_id)

        await bring_forward(store, wait)
        result = (await runner.end(execution_id)).result

        if on_timeout == "fail":
            assert result["error"]["code"] == "approval_timeout"
            assert (result["yes"], result["no"], result["answer"]) == (None, None, None)
        else:
            assert result["answer"]["decision"] == on_timeout
            assert result["answer"]["by"] == {"kind": "timeout"}
            assert (result["answer"]["fields"], result["answer"]["note"]) == ({}, None)
            assert result["yes" if on_timeout == "approve" else "no"] is not None

    async def test_children_wait_one_by_one(self, runner: Runner) -> None:
        store, account_id = runner.store, runner.account.id
        body = (
            Graph("row").node("ask", "approval", title="{{ row }}?").node("out", "responseOutput")
        )
        body.wire("in.row > ask.row", "in.row > ask.value-in")
        body.wire("ask.approved-out > out.result-in", "ask.refused-out > out.result-in")
        graph = Graph().node("rows", "list", items=[{"value": "a"}, {"value": "b"}])
        graph.node("each", "forEach", body=body_of(body)).node("out", "responseOutput")
        graph.wire("rows.items-out > each.row", "each.results-out > out.result-in")
        execution_id = await runner.begin(await runner.save(graph))

        async def asked() -> Any:
            found = await store.node_waits.of_children(account_id, execution_id)
            return found if len(found) == 2 else None

        waits = await eventually(asked)
        for wait in waits:
            await answer(store, wait)
        execution = await runner.end(execution_id)

        assert {wait.title for wait in waits} == {"a?", "b?"}
        assert execution.result == ["a", "b"], execution.error

    async def test_a_cancel_ends_a_wait_at_once(self, runner: Runner) -> None:
        store, account_id = runner.store, runner.account.id
        execution_id = await runner.begin(await runner.save(asking()), {"who": "Ada"})
        await until_waiting(store, account_id, execution_id)

        await store.executions.cancel(account_id, execution_id)
        execution = await runner.end(execution_id)

        assert execution.status is ExecutionStatus.CANCELLED
        assert NodeStatus.WAITING not in statuses(execution)

    async def test_too_many_executions_that_wait_fail_the_next_one(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(node_waits, "MAX_WAITING", 0)

        execution = await runner.run(asking(), {"who": "Ada"})

        assert execution.error is not None
        assert execution.error["nodeCode"] == "too_many_waits"

    async def test_another_account_than_the_owner_of_the_workflow_asks_nobody(
        self, runner: Runner, store: Store
    ) -> None:
        # A save refuses this workflow; one in between two checks may be public for a moment.
        document = replace(parse_document(asking().body()), public_playground=True)
        slug = (await store.workflows.create(runner.account.id, document, [])).slug
        stranger = await store.accounts.create(email="s@example.com", tier=Tier.PRO)

        foreign = Runner(store, stranger, runner.notifier)
        execution = await foreign.end(await foreign.begin(slug, {"who": "Ada"}))

        assert execution.status is ExecutionStatus.FAILED
        record = await store.walks.records(stranger.id, execution.id)
        assert b"approval_forbidden" in b"".join(record.values())


async def test_a_wait_outlives_the_worker_that_began_it(
    settings: Settings, runner: Runner, account: Account
) -> None:
    graph = asking()
    graph.node("wait", "delay", seconds=2).wire("in.who > wait.value-in", "wait.value-out > out.no")
    async with worker(settings):
        execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})
        waits = await until_waiting(runner.store, account.id, execution_id, 2)
    [ask] = [each for each in waits if each.title]
    await answer(runner.store, ask)
    await asyncio.sleep(0.1)

    async with worker(settings):
        execution = await runner.end(execution_id)

    assert execution.result["yes"] == "Hello Ada", execution.error
    assert [node.attempts for node in execution.nodes if node.attempts > 1] == []


async def test_a_clock_ahead_of_that_of_redis_ends_no_wait_early(runner: Runner) -> None:
    store, account_id = runner.store, runner.account.id
    slug = await runner.save(delayed(seconds=60))
    _, plan = await store.workflows.plan(slug)
    assert plan is not None
    [node] = [each for each in plan.nodes if each.id == "wait"]
    reference = keyspace.reference(account_id, await runner.begin(slug, {"who": "Ada"}))
    claimed = await store.walks.claim(reference, "worker")
    assert claimed is not None
    await store.walks.advance(claimed.lease, 1, Step(claimed=[node.index]))
    attempts = WaitAttempts(claimed, cast(Any, SimpleNamespace(node_waits=store.node_waits)))

    opened = await attempts.run(node, {"value-in": "Ada"}, claimed.now)
    again = await attempts.run(node, {"value-in": "Ada"}, claimed.now + 59_000)
    early = await attempts.run(node, {"value-in": "Ada"}, claimed.now + 90_000)
    await store.executions.cancel(account_id, claimed.execution_id)
    cancelled = await attempts.run(node, {"value-in": "Ada"}, claimed.now + 90_000)

    assert opened.parked_until is not None
    assert again.parked_until == opened.parked_until
    assert early.parked_until == opened.parked_until + EARLY_MS
    assert cancelled.parked_until == NEVER
