"""Records of jobs with which a retry of a failed execution goes on."""

from typing import Any

import pytest

from engine.models.calls.provider_jobs import failed_rounds, is_cancellable, job_for_retry
from engine.models.registry import use_models
from tests.support.http.providers import provided
from tests.support.workers.job_workers import CANCEL, JOB

PLAIN = provided("http", JOB, name="plain", category="video")
STOPPABLE = provided("http", JOB + CANCEL, name="stoppable", category="video")


@pytest.mark.parametrize(
    ("record", "left"),
    [
        ({"model": "plain", "id": "7", "round": 1}, {"model": "plain", "id": "7", "round": 1}),
        ({"model": "stoppable", "id": "7", "round": 1}, {"round": 2}),
        ({"model": "stoppable", "round": 1}, {"model": "stoppable", "round": 1}),
        ({"model": "plain", "submitting": True, "round": 0}, {"model": "plain", "round": 0}),
        ({"submitting": True}, None),
        (None, None),
        ("text", None),
    ],
    ids=str,
)
def test_a_retry_goes_on_with_jobs_that_were_not_cancelled(record: Any, left: Any) -> None:
    with use_models([PLAIN, STOPPABLE]):
        assert job_for_retry(record) == left


def test_a_job_is_cancellable_where_its_model_has_a_path_for_it() -> None:
    with use_models([PLAIN, STOPPABLE]):
        found = [is_cancellable({"model": each, "id": "7"}) for each in ("plain", "stoppable")]

    assert found == [False, True]
    assert not is_cancellable({"model": "gone", "id": "7"})
    assert failed_rounds({"round": 3}) == 3
    assert failed_rounds(None) == 0
