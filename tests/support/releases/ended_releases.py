"""Runs of canaries that have ended, in one line each."""

from dataclasses import dataclass
from typing import Any

from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.releases.run_counts import CanaryCounts
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.releases.keys import RELEASE, canary_counts
from tests.support.store.ended import FAILED, Ending

OWN, BESIDE = "one:c", "one:l"


@dataclass(frozen=True)
class EndedReleases:
    """Ends of runs of a workflow whose canary has the id `one`."""

    ending: Ending

    @classmethod
    async def of(cls, store: Store, account: Account, name: str = "Echo") -> "EndedReleases":
        """Save the workflow."""
        return cls(await Ending.of(store, account, name))

    @property
    def slug(self) -> str:
        """Slug of the workflow."""
        return self.ending.workflow.slug

    async def accept(self, release: str | None) -> str:
        """Accept an execution for a canary and a side; return its reference."""
        reference = await self.ending.accept()
        if release is not None:
            record = keyspace.execution(*keyspace.parse_reference(reference))
            await self.ending.store.client.send("HSET", record, RELEASE, release)
        return reference

    async def complete(self, release: str | None) -> str:
        """Return the reference of an execution that has completed."""
        reference = await self.accept(release)
        await self.ending.walk(reference, has_release=release is not None)
        return reference

    async def end(self, release: str, status: ExecutionStatus, code: str = "") -> None:
        """End an execution with an error of this code."""
        reference = await self.accept(release)
        claimed = await self.ending.store.walks.claim(reference, "w1")
        assert claimed is not None
        step = Step(
            settled=[(0, NodeStatus.FAILED)],
            end=status,
            error={**FAILED, "code": code} if code else None,
            slug=self.slug,
            has_release="release" in claimed.record,
        )
        await self.ending.store.walks.advance(claimed.lease, 1, step)

    async def fail(self, release: str = OWN) -> None:
        """End an execution with the failure of a node."""
        await self.end(release, ExecutionStatus.FAILED, "EXECUTION_FAILED")

    async def counts(self) -> dict[str, CanaryCounts]:
        """Return the counts of all canaries of the workflow."""
        key = canary_counts(self.ending.account.id, self.slug)
        fields: Any = await self.ending.store.client.send("HGETALL", key)
        found: dict[str, CanaryCounts] = CanaryCounts.parse_all(parse_hash(fields))
        return found
