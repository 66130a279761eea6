"""A provider from the side of worker processes: events of calls, and a clock of the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.models.limits import ModelLimits
from engine.store import Store
from engine.store.limits.governor import (
    LEASE_SECONDS,
    USUAL_PACING,
    CallOutcome,
    CallReport,
    Pacing,
    ProviderStanding,
)

START = 1_000_000
UNKNOWN = ModelLimits()
LEASE_MS = int(LEASE_SECONDS * 1000)


def ask(call_id: str, account_id: str = "acc", tokens: int = 0) -> CallReport:
    return CallReport(kind=CallOutcome.ASK, call_id=call_id, account_id=account_id, amount=tokens)


def ended(kind: CallOutcome, call_id: str = "", account_id: str = "acc", **more: int) -> CallReport:
    return CallReport(kind=kind, call_id=call_id, account_id=account_id, **more)


def asks(count: int, account_id: str = "acc", tokens: int = 0) -> list[CallReport]:
    return [ask(f"{account_id}-{number:04}", account_id, tokens) for number in range(count)]


@dataclass
class Provider:
    """Provider from the side of worker processes, with its clock."""

    store: Store
    limits: ModelLimits
    pacing: Pacing = USUAL_PACING
    now: int = START
    taken: dict[str, int] = field(default_factory=dict)
    """Time of permission by call."""

    async def turn(
        self, *events: CallReport, caller: str = "one", after: int = 0
    ) -> ProviderStanding:
        """Return the reply `after` milliseconds later, and begin the permitted calls."""
        self.now += after
        turns = await self.see(*events, caller=caller)
        for call_id in turns.granted:
            self.taken[call_id] = self.now
        if turns.granted:
            await self.see(
                *(ended(CallOutcome.TOOK, each) for each in turns.granted), caller=caller
            )
        return turns

    async def see(self, *events: CallReport, caller: str = "one") -> ProviderStanding:
        return await self.store.governor.turn(
            "p", caller, self.limits, events, pacing=self.pacing, now=self.now
        )

    async def run(self, seconds: float, step_ms: int = 20, *, caller: str = "one") -> int:
        """Let time pass and return the calls permitted meanwhile; each succeeds at once."""
        before = len(self.taken)
        for _ in range(int(seconds * 1000 / step_ms)):
            turns = await self.turn(caller=caller, after=step_ms)
            done = [ended(CallOutcome.DONE, each) for each in turns.granted]
            await self.see(*done, caller=caller)
        return len(self.taken) - before


def provider(store: Store, **limits: int) -> Provider:
    return Provider(store, ModelLimits(**limits))


def most_in_a_minute(times: Sequence[int]) -> int:
    """Return the most calls in any window of 60 s."""
    return max(sum(each <= other < each + 60_000 for other in times) for each in times)
