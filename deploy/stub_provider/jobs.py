"""Jobs that are submitted and polled: their state follows from the clock alone."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deploy.stub_provider.script import CallScript

MAX_JOBS = 200_000
STARTING_PART = 0.1


class JobStatus(StrEnum):
    """Status of a job."""

    STARTING = "starting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED})


@dataclass(slots=True, kw_only=True)
class StubJob:
    """One job; times are seconds of the wall clock."""

    id: str
    model: str
    input: Mapping[str, Any]
    script: CallScript
    created_at: float
    canceled_at: float | None = None
    polls: int = 0

    @property
    def ends_at(self) -> float:
        return self.created_at + self.script.job / 1000

    def progress(self, now: float) -> float:
        """Return the progress from 0 to 1."""
        now = min(now, self.canceled_at or now)
        whole = self.script.job / 1000
        return 1.0 if whole <= 0 else min(1.0, max(0.0, (now - self.created_at) / whole))

    def status(self, now: float) -> JobStatus:
        """Return the status at a time."""
        if self.canceled_at is not None:
            return JobStatus.CANCELED
        progress = self.progress(now)
        if progress >= 1:
            return JobStatus.FAILED if self.script.end == "failed" else JobStatus.SUCCEEDED
        return JobStatus.STARTING if progress < STARTING_PART else JobStatus.PROCESSING


@dataclass(slots=True)
class Jobs:
    """All jobs with their idempotency keys; the oldest are dropped first."""

    clock: Callable[[], float] = time.time
    _jobs: dict[str, StubJob] = field(default_factory=dict)
    _by_key: dict[str, str] = field(default_factory=dict)

    def submit(
        self, model: str, values: Mapping[str, Any], script: CallScript, key: str | None
    ) -> tuple[StubJob, bool]:
        """Return a new job, or the existing one of this key; and whether it is new."""
        known = self._jobs.get(self._by_key.get(key or "", ""))
        if known is not None:
            return known, False
        job = StubJob(
            id=uuid.uuid4().hex, model=model, input=values, script=script, created_at=self.clock()
        )
        self._jobs[job.id] = job
        if key:
            self._by_key[key] = job.id
        for kept in (self._jobs, self._by_key):
            if len(kept) > MAX_JOBS:
                del kept[next(iter(kept))]
        return job, True

    def find(self, job_id: str) -> StubJob | None:
        """Return the job, or None."""
        return self._jobs.get(job_id)

    def cancel(self, job: StubJob) -> bool:
        """Cancel the job; return False when it had ended before."""
        now = self.clock()
        if job.status(now) in ENDED:
            return False
        job.canceled_at = now
        return True

    def forget(self) -> None:
        """Remove all jobs."""
        self._jobs.clear()
        self._by_key.clear()
