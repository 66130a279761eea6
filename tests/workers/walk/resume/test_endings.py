"""Ends of executions without a walk: which jobs at providers are cancelled with them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.executions.statuses import NodeStatus
from engine.models.registry import use_models
from engine.store.redis.record_packing import pack
from tests.support.http.providers import provided
from tests.support.manifests import PROMPT
from tests.support.workers.claimed_execution import CLAIMED
from tests.support.workers.job_workers import CANCEL, JOB
from workers.walk.resume.checkpoints import MAX_CANCELLED
from workers.walk.resume.endings import find_cancellable_jobs

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
