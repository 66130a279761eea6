"""Replays of one account of a real stack, over HTTP."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.acceptance.running_stack import until
from tests.support.contract.batch_caller import BatchCaller

OVER = {"completed", "cancelled"}


class ReplayCaller(BatchCaller):
    """Runs workflows and replays the runs; calls are repeated while no gateway answers."""

    def runs(self, slug: str, count: int) -> None:
        """Run a workflow so many times, by a batch, and wait for the ends."""
        for first in range(0, count, 100):
            self.end(self.start(slug, min(100, count - first), 100))

    def replay(self, slug: str, count: int, against: int | str, calls: str) -> str:
        """Begin a replay of the newest runs; return its id."""
        body = {"last": count, "against": against, "calls": calls}
        return str(self.ask("POST", f"/api/workflows/{slug}/replay", body)["replayId"])

    def replayed(self, replay_id: str) -> Mapping[str, Any]:
        """Return a replay with its rows."""
        found: Mapping[str, Any] = self.ask("GET", f"/api/replays/{replay_id}")
        return found

    def progress(self, replay_id: str) -> Mapping[str, int]:
        """Return the number of a replay's executions of each status."""
        progress: Mapping[str, int] = self.replayed(replay_id)["progress"]
        return progress

    def await_replay(
        self, replay_id: str, holds: Callable[[Mapping[str, Any]], object], seconds: float = 120.0
    ) -> Mapping[str, Any]:
        """Return a replay once it is as expected."""
        return until(lambda: self.replayed(replay_id), holds, timeout=seconds)

    def end_replay(self, replay_id: str, seconds: float = 120.0) -> Mapping[str, Any]:
        """Return a replay once it is over."""
        return self.await_replay(replay_id, lambda found: found["status"] in OVER, seconds)

    def executions_of(self, slug: str) -> list[Mapping[str, Any]]:
        """Return the rows of all executions of replays of a workflow."""
        rows: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            more = f"&cursor={cursor}" if cursor else ""
            path = f"/api/executions?workflowSlug={slug}&source=replay&limit=100{more}"
            page = self.ask("GET", path)
            rows += page["rows"]
            cursor = page["nextCursor"] or ""
            if not cursor:
                return rows
