"""Submits of jobs whose answers a test holds back, and counts of unknown outcomes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.models.manifest import Model
from engine.telemetry import metrics
from tests.support.http.providers import (
    Provider,
    provided,
    serving_provider,
)
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.workers.job_workers import JOB

STARTED = {"id": "j-1", "status": "starting"}
DONE = {"id": "j-1", "status": "succeeded", "output": "https://cdn.example/1.mp4"}
BEGUN = {"model": "own", "submitting": True, "round": 0}
KNOWN = {"model": "own", "id": "j-1", "round": 0}
NOTHING = {"model": "own", "round": 0}


@dataclass(kw_only=True)
class Slow(Provider):
    """Holds the answers to submits until it is opened."""

    checkpoints: RecordedCheckpoints | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    submitted: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    on_record: list[Any] = field(default_factory=list)
    """Records at the time of each submit."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = await super().answer(request)
        if request.path == "/jobs":
            self.on_record.append(self.checkpoints and self.checkpoints.jobs.get(0))
            self.submitted.release()
            await self.opened.wait()
        return response

    @property
    def submits(self) -> int:
        return sum(each.path == "/jobs" for each in self.asked)


@contextlib.asynccontextmanager
async def serving_slow(checkpoints: RecordedCheckpoints) -> AsyncIterator[Slow]:
    """Serve a job that starts and then succeeds; the context's end lets all submits pass."""
    provider = Slow(checkpoints=checkpoints, answers=[STARTED, DONE])
    async with serving_provider(provider):
        yield provider
        provider.opened.set()


def video(more: str = "", *, header: str = "") -> Model:
    return provided("http", f"{header}{JOB}{more}", category="video")


class Counts:
    """Counts of either outcome since the test began."""

    def __init__(self) -> None:
        self._before = self._read()

    def since(self) -> tuple[float, float]:
        """Return the numbers of jobs submitted again, and of failed nodes."""
        again, failed = self._read()
        return again - self._before[0], failed - self._before[1]

    def _read(self) -> tuple[float, float]:
        again, failed = (
            metrics.REGISTRY.get_sample_value(
                "headrace_provider_jobs_unknown_total", {"outcome": outcome}
            )
            for outcome in ("resubmitted", "failed")
        )
        return again or 0, failed or 0
