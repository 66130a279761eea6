"""Model of the scripts' credits in plain Python, for the stateful test."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

NODES = ("one", "two", "one")
"""The model of each node of every execution."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Terms of a tier."""

    allowance: int
    idempotency_key: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """Quote of an execution at its acceptance."""

    credits: int
    cap: int | None = None
    trials: tuple[tuple[str, str, int], ...] = ()
    """Model, 'r' or 'd', and how many runs or milliseconds."""


@dataclass(slots=True)
class Reservation:
    """Reserved and spent credits of an execution."""

    cap: float
    trials: set[str]
    """Models on trial without a completed node."""
    tried: frozenset[str]
    parts: list[tuple[str, int]]
    holds: dict[int, int] = field(default_factory=dict)
    spent: int = 0
    usd: int = 0
    charged: dict[int, int] = field(default_factory=dict)
    codes: list[str] = field(default_factory=lambda: ["p"] * len(NODES))
    status: str = "processing"
    fence: int = 0
    token: str = ""
    """0 without a worker."""
    fences: int = 0
    step: int = 0

    @property
    def reserved(self) -> int:
        return sum(credits for _, credits in self.parts)

    @property
    def is_open(self) -> bool:
        return self.status in ("processing", "cancel_requested")


def captured(name: str, reservation: Reservation) -> int:
    """Return the spent credits that stay reserved, as those of an open hidden run do.

    The names of hidden runs, which are of another account's workflow, begin with an `h`.
    """
    return reservation.spent if name[0] == "h" and reservation.is_open else 0


@dataclass(slots=True)
class Move:
    """Step of a walker: ended nodes with charges, claimed nodes with reservations."""

    settled: dict[int, str] = field(default_factory=dict)
    charges: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Credits and millionths of USD of completed nodes."""
    holds: dict[int, int] = field(default_factory=dict)
    end: str = ""


class Refused(Exception):
    """The call changes nothing and has this answer."""

    def __init__(self, *answer: Any) -> None:
        self.answer = list(answer)


def lapses(bucket: str) -> float:
    """Return the time at which a bucket's credits lapse."""
    return int(bucket[1:].partition(".")[0]) or math.inf


def month_end(now: int) -> int:
    """Return the beginning of the next month."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    later = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    return int(later.replace(day=1).timestamp()) * 1000


class Model:
    """One account's wallet and executions."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.given: int | None = None
        """Amount granted by the allowance of this period, less the amount taken back."""
        self.ends = 0
        self.tier: Tier | None = None
        self.uses: dict[str, tuple[str, int]] = {}
        self.top_ups: set[str] = set()
        self.reservations: dict[str, Reservation] = {}
        self.first: dict[str, str] = {}
        """Execution by idempotency key."""

    @property
    def balance(self) -> int:
        return sum(self.left.values())

    def play(self, act: Callable[["Model"], list[Any]]) -> tuple["Model", list[Any]]:
        """Return the account after an act, unchanged by a refusal, and the act's answer."""
        after = copy.deepcopy(self)
        try:
            return after, act(after)
        except Refused as refused:
            return self, refused.answer

    # -- the wallet -------------------------------------------------------------------------------

    def lapse(self, now: int) -> None:
        """Remove lapsed credits."""
        self.left = {name: left for name, left in self.left.items() if lapses(name) > now}

    def refresh(self, now: int, tier: Tier) -> None:
        """Adjust the allowance to this tier."""
        self.tier = tier
        is_over = 0 < self.ends <= now
        if self.given is None or (is_over and not tier.idempotency_key):
            self.ends = 0 if tier.idempotency_key else month_end(now)
            self.left[f"m{self.ends}"] = self.given = tier.allowance
            return
        if self.given == tier.allowance and tier.idempotency_key == (self.ends == 0):
            return
        left = self.left.pop(f"m{self.ends}", 0)
        fitted = max(0, left + tier.allowance - self.given)
        self.given = tier.allowance if is_over else self.given + fitted - left
        if tier.idempotency_key or self.ends == 0:
            self.ends = 0 if tier.idempotency_key else month_end(now)
        self.left[f"m{self.ends}"] = fitted

    def take(self, credits: int) -> list[tuple[str, int]]:
        """Reserve credits: the allowance first, then the earliest lapse."""
        parts = []
        for name in sorted(self.left, key=lambda each: (each[0], lapses(each), each)):
            part = min(credits, self.left[name])
            if part:
                self.left[name] -= part
                parts.append((name, part))
                credits -= part
        assert credits == 0
        return parts

    # -- calls ------------------------------------------------------------------------------------

    def read(self, now: int, tier: Tier) -> list[Any]:
        self.lapse(now)
        self.refresh(now, tier)
        runs = self.reservations.items()
        return [sum(run.reserved + captured(name, run) for name, run in runs if run.is_open)]

    def top_up(self, now: int, tier: Tier, bucket: str, credits: int) -> list[Any]:
        if lapses(bucket) <= now:
            raise Refused("late")
        self.lapse(now)
        self.refresh(now, tier)
        if bucket in self.top_ups:
            raise Refused("ok", self.balance)
        self.top_ups.add(bucket)
        self.left[bucket] = credits
        return ["ok", self.balance]

    def accept(self, now: int, tier: Tier, name: str, quote: Quote, key: str) -> list[Any]:
        if name in self.reservations:
            raise Refused("ok")
        if key in self.first:
            raise Refused("repeated", "body", self.first[key], "")
        self.lapse(now)
        self.refresh(now, tier)
        for model, kind, most in quote.trials:
            self._use_trial(now, model, kind, most)
        if self.balance < quote.credits:
            raise Refused("insufficient", self.balance)
        tried = frozenset(model for model, _, _ in quote.trials)
        cap = math.inf if quote.cap is None else quote.cap
        self.reservations[name] = Reservation(cap, set(tried), tried, self.take(quote.credits))
        if key:
            self.first[key] = name
        return ["ok"]

    def _use_trial(self, now: int, model: str, kind: str, most: int) -> None:
        known, used = self.uses.get(model, ("", 0))
        if kind == "r":
            used = used + 1 if known == "r" else 1
            is_over = used > most
        else:
            used = used if known == "d" else now + most
            is_over = used <= now
        if is_over:
            raise Refused("exhausted", model)
        self.uses[model] = (kind, used)

    def claim(self, name: str, token: str) -> list[Any]:
        reservation = self.reservations[name]
        reservation.token = token
        reservation.fences += 1
        reservation.fence, reservation.step = reservation.fences, 0
        return ["claimed", str(reservation.fence)]

    def give_back(self, name: str) -> list[Any]:
        reservation = self.reservations[name]
        reservation.fence = 0
        reservation.codes = ["p" if code == "r" else code for code in reservation.codes]
        return [1]

    def cancel(self, now: int, name: str) -> list[Any]:
        reservation = self.reservations[name]
        if not reservation.is_open:
            raise Refused("ended", reservation.status)
        if reservation.status == "cancel_requested":
            raise Refused(reservation.status)
        if reservation.fence:
            reservation.status = "cancel_requested"
        else:
            self._end(now, reservation, "cancelled")
        return [reservation.status]

    def advance(self, now: int, name: str, move: Move) -> list[Any]:
        reservation = self.reservations[name]
        goes_on = move.holds or move.end in ("completed", "failed")
        if reservation.status == "cancel_requested" and goes_on:
            raise Refused("cancel")
        self._settle(now, reservation, move)
        for index, credits in move.holds.items():
            self._hold(now, reservation, index, credits)
        reservation.step += 1
        if move.end:
            self._end(now, reservation, move.end)
        return ["ok", reservation.status]

    def _settle(self, now: int, reservation: Reservation, move: Move) -> None:
        if move.settled or move.holds or move.end:
            self.lapse(now)
        for index, code in move.settled.items():
            reservation.codes[index] = code
            reservation.holds.pop(index, None)
        for index, (credits, usd) in move.charges.items():
            taken = min(credits, reservation.reserved)
            reservation.charged[index] = taken
            reservation.spent, reservation.usd = reservation.spent + taken, reservation.usd + usd
            reservation.trials -= {NODES[index]} & reservation.tried
            reservation.parts = _less(reservation.parts, taken)

    def _hold(self, now: int, reservation: Reservation, index: int, credits: int) -> None:
        reservation.holds.pop(index, None)
        held = sum(reservation.holds.values())
        if reservation.spent + held + credits > reservation.cap:
            raise Refused("over", "processing", index, 0, self.balance)
        missing = held + credits - reservation.reserved
        if missing > 0:
            assert self.tier is not None
            self.refresh(now, self.tier)
            if self.balance < missing:
                raise Refused("insufficient", "processing", index, missing, self.balance)
            reservation.parts += self.take(missing)
        reservation.holds[index] = credits
        reservation.codes[index] = "r"

    def _end(self, now: int, reservation: Reservation, status: str) -> None:
        self.lapse(now)
        for name, credits in reservation.parts:
            bucket = name
            if name[0] == "m" and name not in self.left and lapses(name) > now:
                bucket = f"m{self.ends}"  # the tier has changed meanwhile
            if lapses(bucket) > now:
                self.left[bucket] = self.left.get(bucket, 0) + credits
        for model in reservation.trials:
            kind, used = self.uses[model]
            if kind == "r":
                self.uses[model] = (kind, max(0, used - 1))
        reservation.parts, reservation.holds, reservation.trials = [], {}, set()
        reservation.status, reservation.fence = status, 0


def _less(parts: list[tuple[str, int]], credits: int) -> list[tuple[str, int]]:
    left = []
    for name, part in parts:
        taken = min(credits, part)
        credits -= taken
        if part > taken:
            left.append((name, part - taken))
    return left
