"""Ends of executions without a walk: which jobs at providers are cancelled with them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from engine.access.capabilities import Role, Tier
from engine.executions.statuses import NodeStatus
from engine.graph.body_paths import format_path
from engine.ids.executions import child_execution_id
from engine.models.registry import use_models
from engine.store.children.keys import GroupRef
from engine.store.children.records import NewChild
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested import each_row
from tests.support.http.providers import provided
from tests.support.manifests import PROMPT
from tests.support.workers.claimed_execution import CLAIMED
from tests.support.workers.held_walker import HeldWalker
from tests.support.workers.job_workers import CANCEL, JOB
from workers.walk.resume.checkpoints import MAX_CANCELLED
from workers.walk.resume.endings import end_without_plan, find_cancellable_jobs

STATUSES = (NodeStatus.COMPLETED, NodeStatus.RUNNING, NodeStatus.RETRYING, NodeStatus.FAILED)
MUST_CANCEL = {"must_cancel": b"1"}


@pytest.fixture(autouse=True)
def cancellable_model() -> Iterator[None]:
    with use_models([provided("http", JOB + CANCEL, fields=PROMPT)]):
        yield


def job(name: str) -> dict[str, Any]:
    return {"model": "own", "id": name}


def found(record: dict[str, bytes]) -> list[Any]:
    claimed = replace(CLAIMED, statuses=STATUSES, record=record)
    return sorted(each["id"] for each in find_cancellable_jobs(claimed))


def test_jobs_of_all_nodes_but_completed_ones_are_cancelled() -> None:
    """A completed node has the answer of its job, though another item's record may be left."""
    jobs = {f"j{index}.0": pack(job(f"job-{index}")) for index in range(len(STATUSES))}

    assert found(MUST_CANCEL | jobs) == ["job-1", "job-2", "job-3"]


def test_jobs_of_all_items_are_cancelled_within_a_bound() -> None:
    few = {f"j1.{item}": pack(job(f"job-{item}")) for item in range(3)}
    many = {f"j1.{item}": pack(job(f"job-{item}")) for item in range(MAX_CANCELLED + 5)}

    assert found(MUST_CANCEL | few) == ["job-0", "job-1", "job-2"]
    assert len(found(MUST_CANCEL | many)) == MAX_CANCELLED


def test_nothing_is_cancelled_where_no_job_can_be() -> None:
    unnamed = {"j1.0": pack({"model": "own", "id": None}), "j1.1": pack(job("job-1"))}

    assert found({"j1.0": pack(job("job-0"))}) == []
    assert found(MUST_CANCEL | unnamed) == ["job-1"]


async def test_a_child_of_a_body_ends_with_the_reason_of_a_model_that_is_gone(
    runner: Runner, held_walker: HeldWalker
) -> None:
    body = Graph("row").node("call", "httpRequest", url="https://example.com/?n={{ row }}")
    body.node("ask", "customModel", model="own").node("out", "responseOutput")
    body.wire("in.row > call.row", "in.row > ask.prompt-in", "ask.text-out > out.result-in")
    store, slug = runner.store, await runner.save(each_row(body))
    root_id = await runner.begin(slug, terms=store.tiers.terms(Tier.PRO, Role.USER))
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, root_id))
    ref = GroupRef(runner.account.id, root_id, 1, root_id)
    group = await eventually(lambda: store.children.find(ref))
    fields = {"slug": slug, "version": 1, "key": "k", "source": "sub", "inputs": pack({})}
    new = NewChild(index=0, statuses="pppp", fields={**fields, "body": format_path(("each",))})
    await store.children.begin(group, [new])
    child_id = child_execution_id(root_id, "each", 0)
    claimed = await store.walks.claim(keyspace.reference(runner.account.id, child_id), "w2")
    assert claimed is not None

    with use_models([]):
        await end_without_plan(store, cast(Any, NoJobs()), claimed)

    [outcome] = await store.children.outcomes(await store.children.find(ref), [0])
    assert outcome.error is not None
    assert (outcome.error["nodeCode"], outcome.status.value) == ("model_gone", "failed")
    assert "own" in outcome.error["reason"]


class NoJobs:
    """An executor without jobs at providers."""

    async def cancel_jobs(self, jobs: object) -> None:
        return
