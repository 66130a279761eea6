"""State of the archiver, which shows whether the history is complete."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.archive.occurrence_outbox import OccurrenceOutbox
from engine.store.archive.outbox import HistoryBacklog
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client

SILENT_MS = 30_000
"""Time without a sign of life after which the archiver counts as gone."""
BEHIND_MS = 300_000
"""Age of the oldest end that waits from which on the history counts as behind."""
MOST_REFUSALS = 100
"""Most records that are named because they cannot be archived."""
SHOWN_REFUSALS = 3
UNFIT_SECONDS = 60.0
"""Time for which a report of a wrong database counts."""
UNFIT = "unfit."
"""Prefix of the fields with the reports of processes."""
SILENT = "no archiver runs: is a worker running with HEADRACE_DATABASE_URL?"
NO_DATABASE = "there is a history, and this process has no HEADRACE_DATABASE_URL"
ANOTHER_DATABASE = (
    "this database has not the history of this installation: "
    "HEADRACE_DATABASE_URL names another one than before"
)
CANNOT_READ = "The history cannot be read right now"

InstalledId = Callable[[], Awaitable[str]]
"""Returns the id of the database that has this installation's history, empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfitProcess:
    """Process without the installation's database."""

    name: str
    reason: str
    seen_at: int
    """Time of its report in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiverState:
    """State as the leading archiver wrote it last. Times are in milliseconds."""

    database_id: str = ""
    """Id of the database that has this installation's history; empty before the first write."""
    seen_at: int = 0
    """Time of the last sign of life; 0: there never was one."""
    error: str = ""
    """Reason for which nothing can be archived; empty: there is none."""
    refused: int = 0
    """Number of records that cannot be archived."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Reasons of the first ones by name."""
    unfit: Sequence[UnfitProcess] = ()
    """Processes without this database, by name."""

    @property
    def has_begun(self) -> bool:
        """Whether an archiver has ever run here; in an installation without a history none has."""
        return bool(self.database_id or self.seen_at or self.error or self.refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryHealth:
    """State of the archiver and its backlogs, at a time in milliseconds."""

    state: ArchiverState
    executions: HistoryBacklog
    deliveries: HistoryBacklog
    occurrences: HistoryBacklog
    now: int

    @property
    def unfit(self) -> Sequence[UnfitProcess]:
        """Return the processes that have reported lately that they lack the database."""
        since = self.now - int(UNFIT_SECONDS * 1000)
        return [each for each in self.state.unfit if each.seen_at > since]

    def problem(self, own: str = "") -> str:
        """Return why the history is incomplete; empty when it is not.

        `own` says what is wrong with the database of the asking process itself.
        """
        if own or self.state.error:
            return own or self.state.error
        if self.unfit:
            return "; ".join(f"{each.name}: {each.reason}" for each in self.unfit)
        if self.state.refused:
            return self._refusals()
        backlogs = self.executions, self.deliveries, self.occurrences
        if not any(each.count for each in backlogs):
            return ""
        oldest = min(each.oldest_at or self.now for each in backlogs)
        # An archiver that has yet to start is not silent before something has waited for it.
        if self.now - max(self.state.seen_at, oldest) > SILENT_MS:
            return SILENT
        behind = self.now - oldest
        return f"it is {behind // 60_000} minutes behind" if behind > BEHIND_MS else ""

    def _refusals(self) -> str:
        named = list(self.state.refusals.items())[:SHOWN_REFUSALS]
        names = "; ".join(f"{name}: {reason}" for name, reason in named)
        return f"cannot be archived and stay in Redis: {self.state.refused} ({names})"


class ArchiverStates:
    """Reads and writes the state."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._executions = EndedExecutions(client)
        self._deliveries = EndedDeliveries(client)
        self._occurrences = OccurrenceOutbox(client)

    async def read(self) -> ArchiverState:
        """Return the state as the archiver wrote it last."""
        fields = parse_hash(await self._client.send("HGETALL", keyspace.history()))
        return ArchiverState(
            database_id=fields.get("database", b"").decode(),
            seen_at=int(fields.get("seen", 0)),
            error=fields.get("error", b"").decode(),
            refused=int(fields.get("refused", 0)),
            refusals={
                name: str(reason)
                for name, reason in msgspec.json.decode(fields.get("refusals", b"{}")).items()
            },
            unfit=tuple(
                _parse_unfit(name.removeprefix(UNFIT), value)
                for name, value in sorted(fields.items())
                if name.startswith(UNFIT)
            ),
        )

    async def database_id(self) -> str:
        """Return the id of the database that has the history; empty before the first write."""
        data = await self._client.send("HGET", keyspace.history(), "database")
        return (data or b"").decode()

    async def report_unfit(self, process: str, reason: str) -> None:
        """Record that a process lacks the database; the report counts for a minute."""
        time = await self._client.send("TIME")
        now = int(time[0]) * 1000
        since = now - int(UNFIT_SECONDS * 1000)
        over = [each.name for each in (await self.read()).unfit if each.seen_at <= since]
        await asyncio.gather(*map(self.report_fit, over))
        await self._client.send("HSET", keyspace.history(), UNFIT + process, f"{now} {reason}")

    async def report_fit(self, process: str) -> None:
        """Record that a process has the database now."""
        await self._client.send("HDEL", keyspace.history(), UNFIT + process)

    async def waiting(self) -> int:
        """Return the number of ended executions that the history lacks, as far as known."""
        return (await self._executions.backlog()).count

    async def health(self) -> HistoryHealth:
        """Return the state with the backlogs."""
        state, executions, deliveries, occurrences, time = await asyncio.gather(
            self.read(),
            self._executions.backlog(),
            self._deliveries.backlog(),
            self._occurrences.backlog(),
            self._client.send("TIME"),
        )
        return HistoryHealth(
            state=state,
            executions=executions,
            deliveries=deliveries,
            occurrences=occurrences,
            now=int(time[0]) * 1000 + int(time[1]) // 1000,
        )

    async def write(self, *, seen_at: int, error: str, refused: Mapping[str, str]) -> None:
        """Write a sign of life, with the reasons of the records that cannot be archived."""
        first = dict(itertools.islice(refused.items(), MOST_REFUSALS))
        await self._client.send(
            *("HSET", keyspace.history(), "seen", seen_at, "error", error),
            *("refused", len(refused), "refusals", msgspec.json.encode(first)),
        )

    async def claim_database(self, database_id: str) -> str:
        """Return the id of the database that has the history: this one if there was none."""
        key = keyspace.history()
        await self._client.send("HSETNX", key, "database", database_id)
        return bytes(await self._client.send("HGET", key, "database")).decode()


def _parse_unfit(name: str, value: bytes) -> UnfitProcess:
    at, _, reason = value.decode().partition(" ")
    return UnfitProcess(name=name, reason=reason, seen_at=int(at))
