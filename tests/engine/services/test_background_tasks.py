"""Background tasks that end are restarted, logged and counted."""

import asyncio
import logging

import pytest

from engine.services import background_tasks as module
from engine.services.background_tasks import background
from engine.telemetry import metrics
from tests.support.eventually import eventually
from tests.support.process.recorded_pauses import NotedPauses


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_SECONDS", (0.01, 0.03, 0.09))


class Work:
    """Work that ends a number of times, then runs on."""

    def __init__(self, times: int, end: BaseException | None) -> None:
        self.begun = 0
        self._times = times
        self._end = end

    async def run(self) -> None:
        self.begun += 1
        if self.begun > self._times:
            await asyncio.Event().wait()
        if self._end is not None:
            raise self._end

    async def has_begun(self) -> int:
        return self.begun


def restarts(name: str) -> float:
    sample = "headrace_background_tasks_restarted_total"
    return metrics.REGISTRY.get_sample_value(sample, {"task": name}) or 0


@pytest.mark.parametrize(
    ("end", "event"),
    [
        (ArithmeticError("a bug"), "a background task failed"),
        (None, "a background task ended"),
        (asyncio.CancelledError(), "a background task was interrupted"),
    ],
)
async def test_a_task_that_ends_starts_again(
    end: BaseException | None, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(3, end)
    before = restarts(event)

    with caplog.at_level(logging.ERROR):
        async with background(event, work.run):
            await eventually(work.has_begun, lambda begun: begun == 4)

    records = [record for record in caplog.records if record.message == event]
    assert len(records) == 3
    assert restarts(event) - before == 3
    assert all((record.exc_info is None) == (end is None) for record in records)


async def test_a_task_ends_with_its_context_and_is_not_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work(0, None)

    async with background("quiet", work.run):
        await eventually(work.has_begun)
    await asyncio.sleep(0.05)

    assert work.begun == 1
    assert caplog.records == []


async def test_a_task_that_fails_again_and_again_waits_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted = NotedPauses()
    monkeypatch.setattr(module, "asyncio", noted)
    work = Work(5, ArithmeticError())

    async with background("failing", work.run):
        await eventually(work.has_begun, lambda begun: begun == 6)

    for seconds, longest in zip(noted.seconds, [0.01, 0.03, 0.09, 0.09, 0.09], strict=True):
        assert longest / 2 <= seconds <= longest
