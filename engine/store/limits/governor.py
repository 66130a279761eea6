"""Governor of providers: the next permitted calls over all worker processes, and call outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.models.limits import ModelLimits
from engine.store.redis import provider_keys
from engine.store.redis.client import Client
from engine.store.redis.connection import Argument
from engine.store.redis.scripts import SCRIPTS

LEASE_SECONDS = 10.0
"""Lease of a process; without a renewal its calls are dropped."""
KEPT_MS = 3_600_000
ALL = "*"
"""Value of `blamed` for all accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """Rules of the limit on requests."""

    burst_ms: int = 500
    """Time by which calls may be ahead of the rate."""
    trust_ms: int = 0
    """Time after a successful call in which the limit on requests is lifted; 0: never."""


USUAL_PACING = Pacing()


class CallOutcome(StrEnum):
    """Kind of a reported event of a call."""

    ASK = "ask"
    """The call waits for permission; the amount is the estimate of its tokens."""
    TOOK = "took"
    """The call has begun."""
    LEFT = "left"
    """The call was abandoned, or its outcome is unknown."""
    DONE = "done"
    """The call succeeded; the amount is the tokens used, -1 when unknown."""
    REFUSED = "refused"
    """The provider refused the rate; the amount is its requested pause in milliseconds."""
    FAILED = "failed"
    """The provider failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """Event of a call; a call without a request for permission has no id."""

    kind: CallOutcome
    call_id: str = ""
    account_id: str = ""
    amount: int = 0
    calls_per_minute: int = 0
    """Calls a minute in this process, as of late."""

    def arguments(self) -> tuple[Argument, ...]:
        """Return the arguments of the script."""
        return self.kind.value, self.call_id, self.account_id, self.amount, self.calls_per_minute


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStanding:
    """State of a provider as one process sees it."""

    granted: Sequence[str]
    """Ids of this process's permitted calls, repeated until they begin."""
    was_unknown: bool
    """Whether the governor did not know this process: earlier requests are lost."""
    due_seconds: float | None
    """Time until the next turn is useful; None when no call waits."""
    open_seconds: float
    """Time for which calls must fail at once because the provider fails; 0: none."""
    blamed: str
    """Account whose calls must fail, or `ALL`."""
    pause_seconds: float
    """Pause that the provider has requested."""
    must_ask: bool
    """Whether calls need permission at all."""
    failures: int
    """Consecutive failures."""


class Governor:
    """Permits calls to providers for all worker processes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def turn(
        self,
        provider: str,
        caller: str,
        limits: ModelLimits,
        reports: Sequence[CallReport],
        *,
        pacing: Pacing = USUAL_PACING,
        now: int | None = None,
    ) -> ProviderStanding:
        """Send reports and return the provider's state; safe to repeat after a lost reply.

        `caller` is the channel of the process, on which it hears of permissions caused by others.
        `now` is in milliseconds, None for Redis's clock.
        """
        reply = await self._client.call(
            SCRIPTS["take_provider_turn"],
            state=provider_keys.provider_state(provider),
            calls=provider_keys.provider_calls(provider),
            waiting=provider_keys.provider_waiting(provider),
            shares=provider_keys.provider_shares(provider),
            running=provider_keys.provider_running(provider),
            granted=provider_keys.provider_granted(provider),
            callers=provider_keys.provider_callers(provider),
            now=now,
            caller=caller,
            lease_ms=int(LEASE_SECONDS * 1000),
            provider=provider,
            requests=limits.requests_per_minute or 0,
            tokens=limits.tokens_per_minute or 0,
            concurrency=limits.concurrency or 0,
            keep_ms=KEPT_MS,
            burst_ms=pacing.burst_ms,
            trust_ms=pacing.trust_ms,
            reports=[argument for report in reports for argument in report.arguments()],
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
