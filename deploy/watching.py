"""Following an execution to its end, with or without showing its nodes on the way."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from deploy.callers import Answer, Caller
from deploy.http_client import Unreachable
from deploy.problems import Refused

TERMINAL = frozenset({"completed", "failed", "cancelled"})
FIRST_PAUSE_SECONDS = 0.02
MAX_PAUSE_SECONDS = 0.5
MAX_SILENCES = 60
"""How many reads in a row may go unanswered: a gateway that restarts is back long before."""
UNAVAILABLE = 503


async def follow(
    caller: Caller, execution_id: str, notice: Callable[[Answer], None] | None = None
) -> Answer:
    """Read the execution until it has ended; each reading is shown to `notice`."""
    pause, silences = FIRST_PAUSE_SECONDS, 0
    while True:
        try:
            execution = await caller.execution(execution_id)
        except (Unreachable, Refused) as error:
            silences += 1
            if _is_final(error) or silences > MAX_SILENCES:
                raise
        else:
            silences = 0
            if notice is not None:
                notice(execution)
            if execution["status"] in TERMINAL:
                return execution
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, MAX_PAUSE_SECONDS)


async def watch(caller: Caller, execution_id: str) -> Answer:
    """Follow the execution while its nodes are shown on standard error."""
    if not sys.stderr.isatty():
        return await follow(caller, execution_id, _Lines())
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=10) as live:
        return await follow(caller, execution_id, lambda seen: live.update(_table(seen)))


class _Lines:
    """One line for each node whose status has changed, for a screen that cannot be redrawn."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, execution: Answer) -> None:
        for node in execution["nodes"]:
            if self._seen.get(node["id"], "pending") != node["status"]:
                print(f"{node['id']}: {node['status']}", file=sys.stderr, flush=True)
            self._seen[node["id"]] = node["status"]


def _table(execution: Answer) -> Any:
    from rich.table import Table

    title = f"{execution['workflowSlug']} {execution['status']}"
    drawn = Table("node", "type", "status", "attempts", "ms", title=title)
    for node in execution["nodes"]:
        took = "" if node["durationMs"] is None else str(node["durationMs"])
        drawn.add_row(node["id"], node["type"], node["status"], str(node["attempts"]), took)
    return drawn


def _is_final(error: Unreachable | Refused) -> bool:
    return isinstance(error, Refused) and error.status != UNAVAILABLE
