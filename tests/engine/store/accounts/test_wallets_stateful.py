"""Scripts that move credits against a plain model: every bucket, after every call."""

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.store.acceptance import acceptance
from tests.support.store.script_runner import Scripts, profile
from tests.support.store.script_scenarios import NO_ACT
from tests.support.store.wallet_model import (
    NODES,
    Model,
    Move,
    Quote,
    Reservation,
    Tier,
    captured,
    lapses,
    month_end,
)

START = 1_900_000_000_000
"""Years ahead of Redis's clock, so that entries without retention are folded soon."""
DAY_MS = 86_400_000
TIERS = (Tier(50, True), Tier(100, False), Tier(300, False), Tier(0, False))
FOREVER, NO_TIME = 10**15, 1
TRIALS = (("one", "r", 2), ("two", "d", DAY_MS))
WALLET = ("wallet", "ledger")
REPLAYED = ("accept_execution", "advance_execution", "cancel_execution", "top_up")
"""Calls that change nothing when repeated, whatever has happened since."""
Call = tuple[str, dict[str, Any]]


def plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


class Spending(RuleBasedStateMachine):
    """One account, its executions, and a clock that jumps."""

    def __init__(self, scripts: Scripts) -> None:
        super().__init__()
        self.scripts = scripts
        self.model = Model()
        self.now = START
        self.tier = TIERS[0]
        self.keep = FOREVER
        self.names = itertools.count()
        self.done: list[Call] = []
        """Sent calls that have changed something."""
        scripts.send("FLUSHDB")

    @initialize(tier=st.sampled_from(TIERS), keep=st.sampled_from([FOREVER, NO_TIME]))
    def begin(self, tier: Tier, keep: int) -> None:
        self.tier, self.keep = tier, keep

    # -- calls ------------------------------------------------------------------------------------

    @property
    def terms(self) -> str:
        return f"{self.tier.allowance}:{int(self.tier.idempotency_key)}:{self.keep}"

    def apply(self, act: Callable[[Model], list[Any]], call: Call) -> list[Any]:
        """Return the call's answer after comparing it with the model's."""
        after, expected = self.model.play(act)
        answer = self.send(call)
        assert answer[: len(expected)] == expected, call
        if after is not self.model:
            self.model = after
            if call[0] in REPLAYED:
                self.done.append(call)
        return answer

    def send(self, call: Call) -> list[Any]:
        name, names = call
        reply = self.scripts.run(name, now=self.now, **names)
        answer = [plain(each) for each in (reply if isinstance(reply, list) else [reply])]
        if answer[0] in ("over", "insufficient") and name == "advance_execution":
            del answer[2:4]  # fields that tests of the walk cover
        return answer

    @rule()
    def read(self) -> None:
        act = functools.partial(Model.read, now=self.now, tier=self.tier)
        self.apply(act, ("read_wallet", {"terms": self.terms}))

    @rule()
    def archive(self) -> None:
        """The history gets all entries: these may be folded later."""
        newest = self.scripts.send("XREVRANGE", "ledger", "+", "-", "COUNT", 1)
        if newest:
            self.scripts.run("mark_ledger_archived", entry=newest[0][0])

    @rule(
        credits=st.integers(1, 90),
        lasts=st.sampled_from([None, None, 0, 1, DAY_MS, 40 * DAY_MS]),
    )
    def top_up(self, credits: int, lasts: int | None) -> None:
        ends = 0 if lasts is None else self.now + lasts
        operation = f"o{next(self.names)}"
        act = functools.partial(
            Model.top_up,
            now=self.now,
            tier=self.tier,
            bucket=f"t{ends}.{operation}",
            credits=credits,
        )
        names = {
            "top_up": f"done:{operation}",
            "operation": operation,
            "credits": credits,
            "lapses_at": ends,
            "terms": self.terms,
            "act": NO_ACT,
        }
        self.apply(act, ("top_up", names))

    @rule(
        credits=st.sampled_from([0, 7, 20, 20, 50, 50]),
        cap=st.sampled_from([None, None, None, 30]),
        trials=st.sampled_from([(), TRIALS[:1], TRIALS]),
        key=st.sampled_from(["", "", "", "k"]),
        is_claimed=st.booleans(),
        is_hidden=st.sampled_from([False, False, True]),
        data=st.data(),
    )
    def accept(
        self,
        credits: int,
        cap: int | None,
        trials: Any,
        key: str,
        is_claimed: bool,
        is_hidden: bool,
        data: st.DataObject,
    ) -> None:
        """Accept a run; a hidden one is of another account's workflow."""
        name = f"{'h' if is_hidden else 'x'}{next(self.names)}"
        quote = Quote(credits if cap is None else min(credits, cap), cap, trials)
        act = functools.partial(
            Model.accept, now=self.now, tier=self.tier, name=name, quote=quote, key=key
        )
        texts = ",".join(f"{model}={kind}{most}" for model, kind, most in trials)
        tried = ",".join(model for model, _, _ in trials)
        first_call = {"first_call": f"first:{key}", "body_fingerprint": "body"} if key else {}
        call = acceptance(
            name,
            statuses="p" * len(NODES),
            fields={
                "trials": tried,
                "cap": "inf" if cap is None else cap,
                **({"owner": "eve"} if is_hidden else {}),
            },
            credits=quote.credits,
            terms=self.terms,
            trials=texts,
            wallet="wallet",
            ledger="ledger",
            first_call_ms=60_000,
            **first_call,
        )
        self.apply(act, ("accept_execution", call))
        if name in self.model.reservations and is_claimed:
            self.claim(name)
            self.walk(data, name)

    @precondition(
        lambda self: self.among(lambda reservation: reservation.is_open and not reservation.fence)
    )
    @rule(data=st.data())
    def claim_any(self, data: st.DataObject) -> None:
        waiting = self.among(lambda reservation: reservation.is_open and not reservation.fence)
        self.claim(data.draw(st.sampled_from(waiting)))

    def claim(self, name: str) -> None:
        token = f"k{next(self.names)}"
        act = functools.partial(Model.claim, name=name, token=token)
        names = {"execution": name, "reference": name, "token": token, "worker": "w1"}
        self.apply(act, ("claim_execution", names))

    def among(self, holds: Callable[[Reservation], object]) -> list[str]:
        return [name for name, reservation in self.model.reservations.items() if holds(reservation)]

    @precondition(lambda self: self.among(lambda reservation: reservation.fence))
    @rule(data=st.data())
    def advance(self, data: st.DataObject) -> None:
        self.walk(
            data, data.draw(st.sampled_from(self.among(lambda reservation: reservation.fence)[-3:]))
        )

    def walk(self, data: st.DataObject, name: str) -> None:
        for _ in range(data.draw(st.integers(1, 3))):
            if self.model.reservations[name].fence:
                self.step(name, draw_move(data.draw, self.model.reservations[name]))
                self.credits_are_where_the_model_says()

    def step(self, name: str, move: Move) -> None:
        reservation = self.model.reservations[name]
        act = functools.partial(Model.advance, now=self.now, name=name, move=move)
        charges = ",".join(
            f"{index}={credits}:{usd}:{NODES[index] if NODES[index] in reservation.tried else ''}"
            for index, (credits, usd) in move.charges.items()
        )
        names = {
            "execution": name,
            "reference": name,
            "execution_id": name,
            "claim": f"{reservation.fence}:{reservation.token}",
            "step": reservation.step + 1,
            "settled": "".join(f"{index}{code}" for index, code in move.settled.items()),
            "claimed": ",".join(map(str, move.holds)),
            "end_status": move.end,
            "charges": charges,
            "reservations": ",".join(f"{i}={credits}" for i, credits in move.holds.items()),
        }
        self.apply(act, ("advance_execution", names))

    @precondition(lambda self: self.among(lambda reservation: reservation.fence))
    @rule(data=st.data(), comes_back=st.integers(0, 3))
    def lose_the_worker(self, data: st.DataObject, comes_back: int) -> None:
        name = data.draw(st.sampled_from(self.among(lambda reservation: reservation.fence)))
        act = functools.partial(Model.give_back, name=name)
        names = {"execution": name, "reference": name, "is_lost": "1"}
        self.apply(act, ("release_execution", names))
        if comes_back:
            self.claim(name)
            self.walk(data, name)

    @precondition(lambda self: self.model.reservations)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.model.reservations)[-4:]))
        act = functools.partial(Model.cancel, now=self.now, name=name)
        names = {"execution": name, "reference": name, "execution_id": name, "cancels": "cancels"}
        self.apply(act, ("cancel_execution", names))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """An effective call arrives again, as after a lost reply."""
        call = data.draw(st.sampled_from(self.done[-8:]))
        before = self.scripts.contents()
        self.send(call)
        assert self.scripts.contents() == before, call

    @rule(milliseconds=st.sampled_from([1, 1_000, DAY_MS, 9 * DAY_MS]))
    def let_time_pass(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule(data=st.data(), early=st.integers(0, 1))
    def let_something_end(self, data: st.DataObject, early: int) -> None:
        """The month, a top-up or a trial ends now or in a millisecond."""
        ends = {month_end(self.now), *map(lapses, self.model.left)}
        ends |= {used for kind, used in self.model.uses.values() if kind == "d"}
        coming = sorted(each for each in ends if self.now < each < math.inf)
        self.now = max(self.now, int(data.draw(st.sampled_from(coming))) - early)

    @rule(tier=st.sampled_from(TIERS), is_noticed=st.sampled_from([True, True, True, False]))
    def change_tier(self, tier: Tier, is_noticed: bool) -> None:
        self.tier = tier
        if is_noticed:
            self.read()

    # -- what must hold ---------------------------------------------------------------------------

    @invariant()
    def credits_are_where_the_model_says(self) -> None:
        wallet, ledger, *records = self.scripts.send_all(
            ("HGETALL", "wallet"),
            ("XRANGE", "ledger", "-", "+"),
            *(("HGETALL", name) for name in self.model.reservations),
        )
        facts = {plain(name): plain(value) for name, value in wallet.items()}
        left = {name[2:]: int(value) for name, value in facts.items() if name[:2] == "b:"}
        assert min(left.values(), default=0) >= 0
        self._check_ledger(facts, left, ledger)
        assert self._spendable(left) == self._spendable(self.model.left)
        purses = self.model.reservations.items()
        held = sum(each.reserved + captured(name, each) for name, each in purses if each.is_open)
        assert int(facts.get("reserved", 0)) == held
        for name, record in zip(self.model.reservations, records, strict=True):
            self._check_purse(name, self.model.reservations[name], record)
            self._check_entries(name, ledger)
        uses = {name: f"{kind}{used}" for name, (kind, used) in self.model.uses.items()}
        assert {name[2:]: value for name, value in facts.items() if name[:2] == "g:"} == uses

    def _spendable(self, left: dict[str, int]) -> dict[str, int]:
        return {name: each for name, each in left.items() if each and lapses(name) > self.now}

    def _check_ledger(self, facts: dict[str, str], left: dict[str, int], ledger: Any) -> None:
        sums: Counter[str] = Counter()
        for name, value in facts.items():
            if name[:2] == "c:":
                sums[name[2:]] += int(value)
        reserved = int(facts.get("c", 0))
        for _, words in ledger:
            entry = dict(zip(words[::2], words[1::2], strict=True))
            sums[plain(entry[b"bucket"])] += int(entry[b"credits"])
            reserved += int(entry[b"reserved"])
        assert {name: each for name, each in sums.items() if each} == {
            name: each for name, each in left.items() if each
        }
        assert reserved == int(facts.get("reserved", 0))

    def _check_entries(self, name: str, ledger: Any) -> None:
        """A hidden run is charged once for each bucket, at its end, without a node."""
        entries = [dict(zip(words[::2], words[1::2], strict=True)) for _, words in ledger]
        of_run = [each for each in entries if each.get(b"execution") == name.encode()]
        charges = [each for each in of_run if each[b"kind"] == b"capture"]
        if name[0] == "h":
            buckets = [each[b"bucket"] for each in charges]
            assert len(buckets) == len(set(buckets))
            assert not any(b"node" in each for each in charges)
            assert not (charges and self.model.reservations[name].is_open)

    def _check_purse(self, name: str, reservation: Reservation, record: dict[bytes, bytes]) -> None:
        found = {plain(name): plain(value) for name, value in record.items()}
        assert found["status"] == reservation.status
        assert int(found.get("spent", 0)) == reservation.spent == sum(reservation.charged.values())
        assert int(found.get("usd", 0)) == reservation.usd
        parts: Counter[str] = Counter()
        for bucket, credits in reservation.parts:
            parts[bucket] += credits
        recorded: Counter[str] = Counter()
        for each in filter(None, found.get("reserved", "").split(",")):
            bucket, amount = each.split("=")
            recorded[bucket] += int(amount)
        assert recorded == parts
        apart = [each.split("=") for each in found.get("captured", "").split(",") if each]
        assert sum(int(credits) for _, credits in apart) == captured(name, reservation)
        assert reservation.spent + reservation.reserved <= reservation.cap


def draw_move(draw: Any, reservation: Reservation) -> Move:
    """Draw a step that a walker could take."""
    move = Move()
    for index, code in enumerate(reservation.codes):
        act = draw(st.sampled_from(["none", "go", "go", "fail"]))
        if code == "r" and act == "go":
            move.settled[index] = "c"
            move.charges[index] = draw_charge(draw, reservation, index)
        elif code == "r" and act == "fail":
            move.settled[index] = draw(st.sampled_from("fx"))
        elif code == "p" and act == "go":
            is_tried = NODES[index] in reservation.tried
            move.holds[index] = 0 if is_tried else draw(st.sampled_from([0, 5, 20, 20, 90]))
    if draw(st.integers(0, 4)) == 0:
        move.holds = {}
        move.end = draw(st.sampled_from(["completed", "failed", "cancelled"]))
    if move.end == "completed":
        rest = {i for i, code in enumerate(reservation.codes) if code in "pr"} - set(move.settled)
        move.settled |= dict.fromkeys(rest, "s")
    return move


def draw_charge(draw: Any, reservation: Reservation, index: int) -> tuple[int, int]:
    """Draw the charge of a completed node: at most its reservation, or by mistake more."""
    if NODES[index] in reservation.tried:
        return 0, 7_000
    held = reservation.holds[index]
    credits = draw(st.sampled_from([0, held // 2, held, held, held, held + 40]))
    return credits, credits * 900


@pytest.fixture
def scripts(redis_url: str) -> Iterator[Scripts]:
    scripts = Scripts(redis_url)
    yield scripts
    scripts.close()


def spend(scripts: Scripts, examples: int, steps: int, *, is_random: bool) -> None:
    run_state_machine_as_test(
        lambda: Spending(scripts),
        settings=settings(
            profile(examples, steps, is_random=is_random),
            phases=(Phase.generate, Phase.shrink),
        ),
    )


@pytest.mark.A30
@pytest.mark.F49
def test_credits_are_where_a_plain_model_says(scripts: Scripts) -> None:
    spend(scripts, 140, 40, is_random=False)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_credits_are_where_a_plain_model_says_for_long(scripts: Scripts) -> None:
    spend(scripts, 2_000, 80, is_random=True)
