"""Summaries of workflows: the facts of their rows, kept beside their documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.executions.statuses import ExecutionStatus, parse_status
from engine.graph.bodies import walk_nodes
from engine.graph.calls import calls_of
from engine.graph.document import Document
from engine.store.redis.record_packing import pack, unpack

READ_FIELDS = ("state", "version", "updated", "draft_saved", "summary", "runs")
"""Fields of a workflow's record that `parse_summary` takes."""
MEMBERS = (
    *("name", "description", "tags", "public_playground", "is_template", "folder_id", "hidden"),
    *("archived", "cover"),
)
"""Members of a document that a summary has."""
RUN_DAYS = 7
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The account's execution that was accepted last, `at` a time in milliseconds."""

    at: int
    status: ExecutionStatus
    credits_cost: int
    """0 before it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSummary:
    """A workflow without its graph. Times are milliseconds since the epoch."""

    slug: str
    account_id: str
    version: int
    """The live one; 0: it was never published."""
    has_draft: bool
    updated_at: int
    name: str
    description: str
    tags: tuple[str, ...]
    public_playground: bool
    is_template: bool
    folder_id: str | None
    hidden: bool
    archived: bool
    cover: str | None
    has_models: bool
    """Whether a node of it names a model or calls a workflow, so that a run may cost credits."""
    last_run: LastRun | None
    runs_of_7_days: int
    """Accepted executions of versions, by any account, on this day (UTC) and the six before."""


def pack_summary(document: Document) -> bytes:
    """Encode the summary of a document."""
    members = {name: getattr(document, name) for name in MEMBERS}
    models = any(_may_cost(node) for _, node in walk_nodes(document.nodes))
    return pack(members | {"has_models": models})


def _may_cost(node: Mapping[str, Any]) -> bool:
    data = node.get("data")
    return isinstance(data, dict) and ("model" in data or bool(calls_of(node)))


def parse_summary(
    account_id: str, slug: str, values: Sequence[bytes | None], now: int
) -> WorkflowSummary | None:
    """Return the summary of the values of `READ_FIELDS`; None for a workflow that is gone.

    Members of later versions are ignored.
    """
    state, version, updated, draft_saved, summary, runs = values
    if summary is None or state is None or state == b"deleted":
        return None
    stored: dict[str, Any] = unpack(summary)
    shown = {name: stored[name] for name in (*MEMBERS, "has_models")}
    last_run, runs_of_7_days = parse_runs(runs, now)
    return WorkflowSummary(
        **(shown | {"tags": tuple(shown["tags"])}),
        slug=slug,
        account_id=account_id,
        version=int(version or 0),
        has_draft=draft_saved is not None,
        updated_at=int((updated if version else draft_saved) or 0),
        last_run=last_run,
        runs_of_7_days=runs_of_7_days,
    )


def parse_runs(data: bytes | None, now: int) -> tuple[LastRun | None, int]:
    """Return the last run and the number of runs of seven days; see `count_run.lua`."""
    if data is None:
        return None, 0
    counted, _, last = data.decode().partition("|")
    day, _, counts = counted.partition(":")
    recent = counts.split(",")[: max(0, RUN_DAYS - (now // DAY_MS - int(day)))]
    number = sum(map(int, recent))
    if not last:
        return None, number
    at, _, status, credits_cost = last.split(":")[:4]
    run = LastRun(at=int(at), status=parse_status(status), credits_cost=int(credits_cost))
    return run, number
