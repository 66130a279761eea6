"""Gateways and workers killed while clients follow tasks: each is found again, and right."""

from pathlib import Path

import pytest

from tests.support.mcp.task_trial import TaskFigures, run_trial


def check(figures: TaskFigures) -> None:
    assert figures.wrong == []
    assert figures.statuses.total() == figures.tasks
    assert figures.executions == figures.tasks  # none was begun twice


@pytest.mark.F66
async def test_each_task_is_found_again_although_gateway_and_worker_were_killed(
    tmp_path: Path,
) -> None:
    figures = await run_trial(tmp_path, tasks=6, kills=2, workers=1)

    check(figures)
    assert figures.kills == {"gateway": 1, "worker": 1}


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_each_of_many_tasks_is_found_again_however_often_parts_are_killed(
    tmp_path: Path,
) -> None:
    figures = await run_trial(tmp_path, tasks=200, kills=24)

    check(figures)
    assert figures.kills == {"gateway": 12, "worker": 12}
