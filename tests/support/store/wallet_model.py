"""What the scripts promise about credits, written again in plain Python for the stateful test."""

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
    """What a tier gives."""

    allowance: int
    idempotency_key: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What is asked for when an execution is accepted."""

    credits: int
    cap: int | None = None
    trials: tuple[tuple[str, str, int], ...] = ()
    """Model, 'r' or 'd', and how many runs or milliseconds."""


@dataclass(slots=True)
class Purse:
    """What an execution has set aside and spent."""

    cap: float
    trials: set[str]
    """Models that are tried, no node of which has finished."""
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
    """0 while nobody holds it."""
    fences: int = 0
    step: int = 0

    @property
    def reserved(self) -> int:
        return sum(credits for _, credits in self.parts)

    @property
    def is_open(self) -> bool:
        return self.status in ("processing", "cancel_requested")


@dataclass(slots=True)
class Move:
    """A walker's step: nodes that ended and their charges, nodes to claim and their holds."""

    settled: dict[int, str] = field(default_factory=dict)
    charges: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Credits and millionths of USD of nodes that have finished."""
    holds: dict[int, int] = field(default_factory=dict)
    end: str = ""


class Refused(Exception):
    """The call changes nothing and has this answer."""

    def __init__(self, *answer: Any) -> None:
        self.answer = list(answer)


def lapses(bucket: str) -> float:
    """When a bucket's credits are over."""
    return int(bucket[1:].partition(".")[0]) or math.inf


def month_end(now: int) -> int:
    """The first moment of the next month."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    later = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    return int(later.replace(day=1).timestamp()) * 1000


class Model:
    """One account's wallet and executions."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.given: int | None = None
        """What the allowance of this period has given, less what was taken back."""
        self.ends = 0
        self.tier: Tier | None = None
        self.uses: dict[str, tuple[str, int]] = {}
        self.top_ups: set[str] = set()
        self.purses: dict[str, Purse] = {}
        self.first: dict[str, str] = {}
        """Idempotency key to the execution."""

    @property
    def balance(self) -> int:
        return sum(self.left.values())

    def play(self, act: Callable[["Model"], list[Any]]) -> tuple["Model", list[Any]]:
        """The account after an act, and the act's answer; as before where it is refused."""
        after = copy.deepcopy(self)
        try:
            return after, act(after)
        except Refused as refused:
            return self, refused.answer

    # -- the wallet -------------------------------------------------------------------------------

    def lapse(self, now: int) -> None:
        """What is over is gone."""
        self.left = {name: left for name, left in self.left.items() if lapses(name) > now}

    def refresh(self, now: int, tier: Tier) -> None:
        """The allowance as this tier has it now."""
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
        """Set aside: the allowance first, then what lapses first."""
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
        return [sum(each.reserved for each in self.purses.values() if each.is_open)]

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
        if name in self.purses:
            raise Refused("ok")
        if key in self.first:
            raise Refused("repeated", "body", self.first[key], "")
        self.lapse(now)
        self.refresh(now, tier)
        for model, kind, most in quote.trials:
            self._use_trial(now, model, kind, most)
        if self.balance < quote.credits:
            raise Refused("poor", self.balance)
        tried = frozenset(model for model, _, _ in quote.trials)
        cap = math.inf if quote.cap is None else quote.cap
        self.purses[name] = Purse(cap, set(tried), tried, self.take(quote.credits))
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
        purse = self.purses[name]
        purse.token = token
        purse.fences += 1
        purse.fence, purse.step = purse.fences, 0
        return ["claimed", str(purse.fence)]

    def give_back(self, name: str) -> list[Any]:
        purse = self.purses[name]
        purse.fence = 0
        purse.codes = ["p" if code == "r" else code for code in purse.codes]
        return [1]

    def cancel(self, now: int, name: str) -> list[Any]:
        purse = self.purses[name]
        if not purse.is_open:
            raise Refused("ended", purse.status)
        if purse.status == "cancel_requested":
            raise Refused(purse.status)
        if purse.fence:
            purse.status = "cancel_requested"
        else:
            self._end(now, purse, "cancelled")
        return [purse.status]

    def advance(self, now: int, name: str, move: Move) -> list[Any]:
        purse = self.purses[name]
        goes_on = move.holds or move.end in ("completed", "failed")
        if purse.status == "cancel_requested" and goes_on:
            raise Refused("cancel")
        self._settle(now, purse, move)
        for index, credits in move.holds.items():
            self._hold(now, purse, index, credits)
        purse.step += 1
        if move.end:
            self._end(now, purse, move.end)
        return ["ok", purse.status]

    def _settle(self, now: int, purse: Purse, move: Move) -> None:
        if move.settled or move.holds or move.end:
            self.lapse(now)
        for index, code in move.settled.items():
            purse.codes[index] = code
            purse.holds.pop(index, None)
        for index, (credits, usd) in move.charges.items():
            taken = min(credits, purse.reserved)
            purse.charged[index] = taken
            purse.spent, purse.usd = purse.spent + taken, purse.usd + usd
            purse.trials -= {NODES[index]} & purse.tried
            purse.parts = _less(purse.parts, taken)

    def _hold(self, now: int, purse: Purse, index: int, credits: int) -> None:
        purse.holds.pop(index, None)
        held = sum(purse.holds.values())
        if purse.spent + held + credits > purse.cap:
            raise Refused("over", "processing", index, 0, self.balance)
        missing = held + credits - purse.reserved
        if missing > 0:
            assert self.tier is not None
            self.refresh(now, self.tier)
            if self.balance < missing:
                raise Refused("poor", "processing", index, missing, self.balance)
            purse.parts += self.take(missing)
        purse.holds[index] = credits
        purse.codes[index] = "r"

    def _end(self, now: int, purse: Purse, status: str) -> None:
        self.lapse(now)
        for name, credits in purse.parts:
            bucket = name
            if name[0] == "m" and name not in self.left and lapses(name) > now:
                bucket = f"m{self.ends}"  # the tier has changed meanwhile
            if lapses(bucket) > now:
                self.left[bucket] = self.left.get(bucket, 0) + credits
        for model in purse.trials:
            kind, used = self.uses[model]
            if kind == "r":
                self.uses[model] = (kind, max(0, used - 1))
        purse.parts, purse.holds, purse.trials = [], {}, set()
        purse.status, purse.fence = status, 0


def _less(parts: list[tuple[str, int]], credits: int) -> list[tuple[str, int]]:
    left = []
    for name, part in parts:
        taken = min(credits, part)
        credits -= taken
        if part > taken:
            left.append((name, part - taken))
    return left
