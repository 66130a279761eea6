"""Checkpoints in memory, which tests inspect."""

from dataclasses import dataclass, field
from typing import Any

from engine.errors.nodes import NodeFailed
from workers.providers.base import CallCheckpoints


@dataclass
class RecordedCheckpoints(CallCheckpoints):
    """The present jobs by item, and all jobs that were saved."""

    account_id: str = "acc"
    is_given_up: bool = False
    jobs: dict[int, Any] = field(default_factory=dict)
    saved: list[tuple[int, Any]] = field(default_factory=list)

    def note_failure(self, failure: NodeFailed) -> None:
        self.is_given_up |= not failure.retryable

    def key(self, item: int) -> str:
        return f"x-{item}"

    async def find_job(self, item: int) -> Any:
        return self.jobs.get(item)

    async def save_job(self, item: int, job: Any) -> None:
        self.saved.append((item, job))
        self.jobs[item] = job
