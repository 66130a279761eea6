"""Kills again and again, and the row of a table that shows their outcome."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.failover.servers import running_servers
from tests.support.failover.trial import Outcome, scene_on

TITLES = {
    "single": "one server, restarted",
    "sentinel": "3 sentinels, 1 + 2 servers",
    "cluster": "cluster, 3 + 3 servers",
}
GOOD_STATUSES = ("200", "202", "204")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One trial: topology, kills, and the replicas' settings. `lag` is in seconds."""

    topology: str
    kills: int
    min_replicas: int = 0
    lag: float = 0.0

    @property
    def title(self) -> str:
        return TITLES[self.topology]


async def measure(plan: Plan, folder: Path) -> Outcome:
    """Kill each shard's primary in turn, and return the outcome."""
    began = time.monotonic()
    servers_running = running_servers(plan.topology, min_replicas=plan.min_replicas, lag=plan.lag)
    servers = await asyncio.to_thread(servers_running.__enter__)
    try:
        async with scene_on(servers, folder) as scene:
            for number in range(plan.kills):
                await scene.kill_and_bring_back(number % servers.shard_count)
        scene.outcome.seconds = time.monotonic() - began
        return scene.outcome
    finally:
        await asyncio.to_thread(servers_running.__exit__, None, None, None)


COLUMNS = (
    "servers",
    "`min-replicas-to-write`",
    "replicas behind by (s)",
    "kills",
    "accepted again, p50 (s)",
    "max (s)",
    "answered again, p50 (s)",
    "max (s)",
    "accepted",
    "ended",
    "doubled",
    "lost",
    "of these unexplained",
    "calls repeated",
    "answers other than 2xx",
)
HEADER = f"| {' | '.join(COLUMNS)} |\n|---|{'---:|' * (len(COLUMNS) - 2)}---|"


def row(plan: Plan, outcome: Outcome) -> str:
    """Return the row of a trial."""
    verdict = outcome.verdict
    cells = (
        plan.title,
        plan.min_replicas,
        f"{plan.lag:g}",
        len(outcome.kills),
        *_times(outcome.accepted_again),
        *_times(outcome.answered_again),
        f"{verdict.accepted:,}",
        f"{verdict.ended:,}",
        verdict.doubled,
        len(verdict.lost),
        len(verdict.unexplained(outcome.kills, plan.lag)),
        verdict.called_twice,
        describe_others(outcome),
    )
    return f"| {' | '.join(map(str, cells))} |"


def describe_others(outcome: Outcome) -> str:
    """Return the counts of answers that were not a success, by status and code."""
    return (
        ", ".join(
            f"{count:,} × {name}"
            for name, count in sorted(outcome.statuses.items())
            if name.split()[0] not in GOOD_STATUSES
        )
        or "none"
    )


def _times(seconds: list[float]) -> tuple[str, str]:
    return f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}"
