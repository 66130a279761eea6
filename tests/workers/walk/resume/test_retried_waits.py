"""A retry does not ask again where a person has answered, nor wait again where a delay was over."""

from engine.executions.node_waits import Decision
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.retries import FailedExecution
from engine.settings import Settings
from engine.store import Accepted, Account, NewRun, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.waits.node_waits import WaitEnded, WaitRef, timeout_answer
from tests.support.factories import Graph, Runner
from tests.support.store.claims import advance, claim
from tests.support.waits.answers import answer, bring_forward, open_waits, until_waiting
from tests.support.workers.retried_runs import media_service
from workers.main import worker


def waiting() -> Graph:
    """Two approvals and a delay beside each other."""
    graph = Graph("who").node("wait", "delay", seconds=3600)
    graph.node("asked", "approval", title="Asked").node("late", "approval", title="Late")
    graph.node("out", "responseOutput", fields=[{"name": "a"}, {"name": "b"}, {"name": "c"}])
    return graph.wire(
        *("in.who > wait.value-in", "in.who > asked.value-in", "in.who > late.value-in"),
        *("wait.value-out > out.a", "asked.answer-out > out.b", "late.answer-out > out.c"),
    )


async def fail(store: Store, account: Account, execution_id: str) -> None:
    """End a run as failed, as the failure of a node beside its waits does."""
    claimed = await claim(store, f"{account.id}/{execution_id}", "w9")
    error = {"code": "EXECUTION_FAILED", "message": "broken"}
    step = Step(end=ExecutionStatus.FAILED, error=error, slug=claimed.slug)
    assert await advance(store, claimed, 1, step, "w9") is Verdict.OK


async def retry(store: Store, account: Account, execution_id: str) -> str:
    media = media_service(store)
    failed = await FailedExecution.read(store, media, account.id, execution_id)
    terms = store.tiers.terms(account.tier, account.role)
    new = NewRun(account_id=account.id, terms=terms, source=Source.WORKFLOW, key_id="key")
    acceptance = Acceptance(store=store, media_service=media, allow_http=True)
    verdict = await acceptance.accept(new, failed, {})
    assert isinstance(verdict, Accepted)
    return verdict.id


async def test_a_retry_keeps_answers_and_delays_and_asks_anew_after_a_time_out(
    store: Store, account: Account, settings: Settings, runner: Runner
) -> None:
    async with worker(settings):
        first = await runner.begin(await runner.save(waiting()), {"who": "Ada"})
        waits = await until_waiting(store, account.id, first, 3)
    by_node = {each.node_id: each for each in waits}
    await answer(store, by_node["asked"], Decision.REFUSE, note="Not yet")
    for name in ("wait", "late"):
        wait = by_node[name]
        await bring_forward(store, wait)
        ref = WaitRef(account.id, first, wait.node_index)
        assert isinstance(await store.node_waits.end(ref, timeout_answer(wait)), WaitEnded)
    await fail(store, account, first)

    async with worker(settings):
        second = await retry(store, account, first)
        [late] = await until_waiting(store, account.id, second)
        assert (late.node_id, late.title) == ("late", "Late")
        await answer(store, late)
        execution = await runner.end(second)

    assert execution.result["a"] == "Ada", execution.error
    assert execution.result["b"]["note"] == "Not yet"
    assert execution.result["c"]["decision"] == "approve"
    assert all(
        node.started_at is None or node.started_at >= execution.created_at
        for node in execution.nodes
    )
    assert await open_waits(store, account.id, second) == []
