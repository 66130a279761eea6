"""Turns at providers: who may call next, over all worker processes, and what became of calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.models.limits import ModelLimits
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.connection import Argument
from engine.store.redis.scripts import SCRIPTS

LEASE_SECONDS = 10.0
"""A process that was not heard of for so long is gone, and its calls with it."""
KEPT_MS = 3_600_000
ALL = "*"
"""Stands for every account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How the limit of requests is kept."""

    burst_ms: int = 500
    """So far calls may be ahead of their time."""
    trust_ms: int = 0
    """So long the limit of requests does not hold after a call was done; 0: it always holds."""


USUAL_PACING = Pacing()


class CallOutcome(StrEnum):
    """What a process has to tell of a call."""

    ASK = "ask"
    """It waits for its turn; the amount are the tokens it may take."""
    TOOK = "took"
    """It has begun."""
    LEFT = "left"
    """It is not made, or nobody knows what became of it."""
    DONE = "done"
    """It was answered; the amount are the tokens it took, -1 for who knows."""
    REFUSED = "refused"
    """There were too many; the amount are the milliseconds that the provider wants to wait."""
    FAILED = "failed"
    """The provider is in trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """Something that happened to a call; one that never asked has no id."""

    kind: CallOutcome
    call_id: str = ""
    account_id: str = ""
    amount: int = 0
    seen: int = 0
    """Calls a minute in this process, as of late."""

    def arguments(self) -> tuple[Argument, ...]:
        """As the script takes it."""
        return self.kind.value, self.call_id, self.account_id, self.amount, self.seen


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStanding:
    """How things stand at a provider, as far as one process is concerned."""

    granted: Sequence[str]
    """Ids of its calls whose turn it is; told again until they are taken."""
    was_unknown: bool
    """What this process asked for before may be forgotten."""
    due_seconds: float | None
    """When it makes sense to ask again; None: nobody waits."""
    open_seconds: float
    """So long calls must fail at once, because the provider is in trouble; 0: they need not."""
    blamed: str
    """Whose calls: an account's or `ALL`."""
    pause_seconds: float
    """So long nobody has a turn, because the provider said so."""
    must_ask: bool
    """Whether there is anything that calls must wait for."""
    failures: int
    """In a row."""


class Governor:
    """Gives turns at providers to the calls of all worker processes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def turn(
        self,
        provider: str,
        caller: str,
        limits: ModelLimits,
        events: Sequence[CallReport],
        *,
        pacing: Pacing = USUAL_PACING,
        now: int = 0,
    ) -> ProviderStanding:
        """Tell what happened and learn whose turn it is; may be repeated when the reply is lost.

        `caller` is the channel of the process: there it hears of turns that others' calls bring.
        `now` are milliseconds, 0 for Redis's clock.
        """
        reply = await self._client.call(
            SCRIPTS["governor_turn"],
            [
                keyspace.provider_state(provider),
                keyspace.provider_calls(provider),
                keyspace.provider_waiting(provider),
                keyspace.provider_ring(provider),
                keyspace.provider_running(provider),
                keyspace.provider_granted(provider),
                keyspace.provider_callers(provider),
            ],
            [
                *(now, caller, int(LEASE_SECONDS * 1000), provider),
                *(*_numbers(limits), KEPT_MS, pacing.burst_ms, pacing.trust_ms),
                *(word for event in events for word in event.arguments()),
            ],
        )
        is_new, due, open_ms, blamed, pause_ms, must_ask, failures, *granted = reply
        return ProviderStanding(
            granted=[call_id.decode() for call_id in granted],
            was_unknown=bool(is_new),
            due_seconds=None if due < 0 else due / 1000,
            open_seconds=open_ms / 1000,
            blamed=blamed.decode(),
            pause_seconds=pause_ms / 1000,
            must_ask=bool(must_ask),
            failures=int(failures),
        )


def _numbers(limits: ModelLimits) -> Iterator[int]:
    yield limits.requests_per_minute or 0
    yield limits.tokens_per_minute or 0
    yield limits.concurrency or 0
