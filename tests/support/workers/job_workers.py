"""Worker processes that wait for jobs at a provider, and manifests of such jobs."""

import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from engine.settings import Settings
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.http.providers import ENDPOINT, MODEL_KEYS
from tests.support.workers.worker_process import WorkerProcess
from workers.providers import jobs

IDEMPOTENT = 'idempotency_header = "Idempotency-Key"\n'
JOB = """
path = "/jobs"
body = { input = { prompt = "{{ prompt }}" } }
result = "output"

[http.job]
id = "id"
path = "/jobs/{{ job }}"
status = "status"
done = ["succeeded"]
failed = ["failed"]
"""
AGAIN = "resubmit = true\n"
CANCEL = 'cancel_path = "/jobs/{{ job }}/cancel"\n'
VIDEO = f"[http]{ENDPOINT}{IDEMPOTENT}{JOB}{CANCEL}"
"""A section that the stub understands, with all that there may be."""


def poll_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between polls of jobs in this process."""
    monkeypatch.setattr(jobs, "FIRST_PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(jobs, "MAX_PAUSE_SECONDS", 0.01)


class JobWorker(WorkerProcess):
    """A worker process that knows the folder of manifests and the provider."""

    def __init__(self, settings: Settings, provider_url: str, more: Mapping[str, str]) -> None:
        known = {"HEADRACE_MODELS_DIR": settings.models_dir, "PROVIDER_URL": provider_url}
        super().__init__(settings.redis_url, **known, **MODEL_KEYS, **more)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


@asynccontextmanager
async def job_workers(
    settings: Settings, store: Store, provider_url: str, count: int, **more: str
) -> AsyncIterator[list[JobWorker]]:
    """Yield worker processes with live heartbeats and a larger environment."""
    processes = [JobWorker(settings, provider_url, more) for _ in range(count)]
    for process in processes:
        await process.start()
    try:
        await eventually(store.leases.workers, lambda found: len(found) == count, timeout=30)
        yield processes
    finally:
        for process in processes:
            await process.end(signal.SIGKILL)


async def holder_of(store: Store, workers: list[JobWorker]) -> JobWorker | None:
    """Return the process that holds the only execution, None for none."""
    for worker_id in await store.leases.workers():
        if await store.leases.held(worker_id):
            number = int(worker_id.split("-")[-2])
            return next((each for each in workers if each.pid == number), None)
    return None
