"""Nobody notices that the worker drains that holds their runs."""

from pathlib import Path

import pytest

from tests.support.drains.drain import Trial, drain

TRIAL = Trial(executions=60, drain_seconds=8.0, short_seconds=9.0, long_seconds=25.0)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.F25
async def test_runs_that_wait_for_a_provider_end_as_without_a_drain(tmp_path: Path) -> None:
    done = await drain(tmp_path, TRIAL)

    half = TRIAL.executions // 2
    assert done.answers == {"waiting 200": half, "async 202": half}
    assert done.wrong == []
    assert done.held > half, "the short ones too"
    assert (done.code, done.attempts_used) == (0, 0)
    assert done.seconds < TRIAL.drain_seconds + 5
    assert 0 < done.repeated <= half, "those that the drain could not wait for"
    assert (done.repeated_with_one_key, done.most_calls) == (done.repeated, 2)
