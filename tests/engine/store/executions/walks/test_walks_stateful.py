"""Scripts of a walk against a plain model, with calls in any order."""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.executions.statuses import (
    NODE_STATUSES,
    NODE_TERMINAL,
    NODE_TRANSITIONS,
    TERMINAL,
    TRANSITIONS,
    ExecutionStatus,
)
from tests.support.redis.rewind import Snapshot
from tests.support.store.acceptance import acceptance
from tests.support.store.script_runner import Scripts, profile
from tests.support.store.state_model import ENDED, RESEND_MS, Call, Model, Record

START = 1_000_000
WORKERS = ("w1", "w2", "w3")
EXECUTIONS = ("a", "b")
SETTLING = {"p": "cfs", "r": "cfx", "t": "fx", "w": "fx"}
ACTS = {
    "p": ("none", "settle", "claim", "claim"),
    "r": ("none", "settle", "retry", "retry", "park"),
    "t": ("none", "none", "settle", "claim"),
    "w": ("none", "none", "settle", "claim"),
    **dict.fromkeys("cfsx", ("none",) * 7 + ("clash",)),
}
workers = st.sampled_from(WORKERS)
executions = st.sampled_from(EXECUTIONS)


class Database(Scripts):
    """Calls the real scripts and reads their effects."""

    def clear(self) -> None:
        self.send("FLUSHDB")
        self.send("HSET", "workflow", "version", 1, "state", "live")

    def call(self, call: Call) -> list[Any]:
        name, names = script_call(call)
        reply = self.run(name, **names)
        return [_plain(each) for each in (reply if isinstance(reply, list) else [reply])]

    def active(self) -> set[str]:
        return {name.decode() for name in self.send("SMEMBERS", "active")}

    def runs(self) -> str:
        return (self.send("HGET", "workflow", "runs") or b"").decode()

    def read(self) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]], Any, Any]:
        """Return executions by name, those held by worker, due ones and finished ones.

        All finished ones wait for the history.
        """
        *hashes, due, finished, unarchived = self.send_all(
            *(("HGETALL", key) for key in (*EXECUTIONS, *map(held_key, WORKERS))),
            *(("ZRANGE", key, 0, -1, "WITHSCORES") for key in ("due", "finished", "unarchived")),
        )
        found = [_plain_map(each) for each in hashes]
        assert unarchived == finished
        due, finished = ({k.decode(): int(v) for k, v in each} for each in (due, finished))
        records = dict(zip(EXECUTIONS, found, strict=False))
        held = dict(zip(WORKERS, found[len(EXECUTIONS) :], strict=True))
        return records, held, due, finished


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


def _plain_map(values: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in values.items()}


def held_key(worker: str) -> str:
    return f"held:{worker}"


def script_call(call: Call) -> tuple[str, dict[str, Any]]:
    """Return script and names of a call; the reference is the execution's name."""
    name, held = call.execution, held_key(call.worker)
    named = {"execution": name, "now": call.now, "reference": name, "held": held}
    own = {"execution": name, "now": call.now, "reference": name, "execution_id": name}
    match call.kind:
        case "accept":
            once: dict[str, Any] = {}
            if call.body:
                once = {"first_call": f"first:{call.key}", "body_fingerprint": call.body}
                once["first_call_ms"] = 60_000
            return "accept_execution", acceptance(
                name,
                now=call.now,
                version=call.version,
                statuses="p" * call.step,
                fields={"slug": "echo", "inputs": b""},
                most_active=call.max_active,
                **once,
            )
        case "claim":
            return "claim_execution", {**named, "token": call.token, "worker": held}
        case "finish_unclaimed":
            walked = {"token": call.token, "slug": "echo", "version": call.version, "inputs": b""}
            ended = {"statuses": "c" * call.step, "rows": b"rows", "result": b"result"}
            return "finish_execution", {
                **own,
                **walked,
                **ended,
                "elapsed_ms": 0,
                "plan": "p",
                "format": 2,
            }
        case "give_back":
            return "release_execution", {**named, "is_lost": "1" if call.is_lost else "0"}
        case "cancel":
            return "cancel_execution", {**own, "cancels": "cancels"}
        case "promote":
            return "promote_due", {"now": call.now, "most": 100, "repeat_ms": RESEND_MS}
    step = {
        "claim": f"{call.fence}:{call.token}",
        "step": call.step,
        "settled": "".join(f"{index}{code}" for index, code in call.settled.items()),
        "retrying": ",".join(
            [
                *(f"{index}={delay}" for index, delay in call.retrying.items()),
                *(f"{index}=w{until}" for index, until in call.parked.items()),
            ]
        ),
        "claimed": ",".join(str(index) for index in call.claimed),
        "rows": b"rows" if call.settled else b"",
        "leaves": "1" if call.leaves else "",
        "shares_work": "1" if call.shares_work else "",
        "end_status": call.end,
        "result": b"result" if call.end else b"",
    }
    return "advance_execution", {**own, "held": held, **step}


class Walking(RuleBasedStateMachine):
    """One or two executions, three workers, and a clock that jumps."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.model = Model({})
        self.now = START
        self.calls: list[Call] = []
        self.tokens = itertools.count()
        self.before: dict[str, tuple[str, list[str]]] = {}
        self.walks: dict[tuple[str, str, int, str], tuple[int, Record]] = {}
        """Last step and its record, by execution, worker, fence and token."""
        self.earlier: tuple[Snapshot, Model] | None = None
        database.clear()

    @initialize(sizes=st.lists(st.integers(1, 6), min_size=2, max_size=2))
    def begin(self, sizes: list[int]) -> None:
        self.model.sizes = dict(zip(EXECUTIONS, sizes, strict=True))
        self.accept(EXECUTIONS[0], 1, None, "", "")
        for index, worker in enumerate(WORKERS[: min(sizes[0], 2)]):
            self.claim(EXECUTIONS[0], worker)
            blank = Call("advance", self.now, EXECUTIONS[0], worker, fence=index + 1, step=1)
            self.apply(replace(blank, token=f"k{index}", claimed=(index,), shares_work=True))

    def apply(self, call: Call, *, is_new: bool = True) -> list[Any]:
        expected = self.model.apply(call)
        answer = self.database.call(call)
        assert answer[: len(expected)] == expected, call
        if call.kind == "advance":
            self._remember(call, answer)
        if is_new:
            self.calls.append(call)
        return answer

    @rule(
        name=executions,
        version=st.sampled_from([1, 1, 1, 0]),
        max_active=st.sampled_from([None, None, 1, 2]),
        key=st.sampled_from(["", "", "k"]),
        body=st.sampled_from(["one", "two"]),
    )
    def accept(self, name: str, version: int, max_active: int | None, key: str, body: str) -> None:
        call = Call("accept", self.now, name, version=version, step=self.model.sizes[name])
        self.apply(replace(call, max_active=max_active, key=key, body=body if key else ""))

    @rule(name=executions, worker=workers)
    def claim(self, name: str, worker: str) -> None:
        self.apply(Call("claim", self.now, name, worker, token=f"k{next(self.tokens)}"))

    @rule(name=executions, version=st.sampled_from([1, 1, 0]))
    def finish_unclaimed(self, name: str, version: int) -> None:
        """A walk without a claim finishes before or after any claim."""
        call = Call(
            "finish_unclaimed", self.now, name, version=version, step=self.model.sizes[name]
        )
        self.apply(replace(call, token=f"k{next(self.tokens)}"))

    @rule(name=executions)
    def everybody_claims(self, name: str) -> None:
        for worker in WORKERS:
            self.claim(name, worker)
            self.the_record_is_what_the_model_says()

    def holders(self) -> list[tuple[str, str]]:
        return [(name, w) for name, record in self.model.records.items() for w in record.holders]

    @precondition(lambda self: self.holders())
    @rule(data=st.data(), cancels=st.integers(0, 5))
    def advance(self, data: st.DataObject, cancels: int) -> None:
        """A walker takes a few steps, perhaps with a cancel in between."""
        name, worker = data.draw(st.sampled_from(self.holders()))
        record = self.model.records[name]
        for _ in range(data.draw(st.integers(1, 3))):
            if worker not in record.holders:
                return
            fence, token = record.holders[worker]
            step = record.steps.get(fence, 0) + 1
            blank = Call("advance", self.now, name, worker, token=token)
            self.apply(draw_step(data.draw, record, blank, fence, step))
            self.the_record_is_what_the_model_says()
            if not cancels:
                self.apply(Call("cancel", self.now, name))
                self.the_record_is_what_the_model_says()

    def _remember(self, call: Call, answer: list[Any]) -> None:
        """Remember the walker's knowledge after a recorded or conflicting step."""
        walk = (call.execution, call.worker, call.fence, call.token)
        known = self.walks.get(walk)
        record = self.model.records.get(call.execution)
        is_replay = known is not None and call.step <= known[0]
        if record is None or is_replay or answer[0] not in ("ok", "conflict"):
            return
        for index, code in enumerate(known[1].statuses) if known and answer[0] == "ok" else ():
            is_settled = record.statuses[index] not in "prtw"
            assert code in "prtw" or is_settled, "a step was recorded without what it builds on"
        self.walks[walk] = call.step, copy.deepcopy(record)

    @rule()
    def look_back_to_this(self) -> None:
        self.earlier = self.database.take_snapshot(), copy.deepcopy(self.model)

    @precondition(lambda self: self.earlier)
    @rule(data=st.data())
    def lose_the_tail(self, data: st.DataObject) -> None:
        """Redis is set back, and walkers continue without knowing it."""
        assert self.earlier is not None
        snapshot, self.model = self.earlier
        self.earlier, self.before = None, {}
        self.database.rewind(snapshot)
        for (name, worker, fence, token), (step, known) in list(self.walks.items()):
            if known.status not in ENDED and data.draw(st.booleans()):
                blank = Call("advance", self.now, name, worker, token=token)
                self.apply(draw_step(data.draw, known, blank, fence, step + 1))
                self.the_record_is_what_the_model_says()

    @rule(data=st.data(), name=executions, worker=workers, step=st.integers(1, 9))
    def advance_out_of_turn(self, data: st.DataObject, name: str, worker: str, step: int) -> None:
        record = self.model.records.get(name) or Record(["p"], 0)
        fence = data.draw(st.integers(0, record.fence + 1))
        held_fence, held_token = record.holders.get(worker, (-1, ""))
        token = data.draw(st.sampled_from([held_token, held_token, "lost"]))
        mine = (held_fence, held_token) == (fence, token)
        is_next = step == record.steps.get(fence, 0) + 1
        call = draw_step(
            *(data.draw, record, Call("advance", self.now, name, worker, token=token), fence, step)
        )
        before = self.database.contents()
        self.apply(call)
        if not (mine and is_next) and record.status not in ENDED:
            assert self.database.contents() == before, "a stale claim or a gap changes nothing"

    @precondition(lambda self: self.holders())
    @rule(data=st.data(), is_lost=st.booleans())
    def give_back(self, data: st.DataObject, is_lost: bool) -> None:
        name, worker = data.draw(st.sampled_from(self.holders()))
        self.apply(Call("give_back", self.now, name, worker, is_lost=is_lost))

    @rule(name=executions, worker=workers)
    def give_back_out_of_turn(self, name: str, worker: str) -> None:
        self.apply(Call("give_back", self.now, name, worker, is_lost=True))

    @rule(name=executions, chance=st.integers(0, 2))
    def cancel(self, name: str, chance: int) -> None:
        if not chance:
            self.apply(Call("cancel", self.now, name))

    @rule()
    def promote(self) -> None:
        self.apply(Call("promote", self.now))

    @rule(milliseconds=st.sampled_from([1, 400, 1_000, 5_000, 60_000]))
    def let_time_pass(self, milliseconds: int) -> None:
        self.now += milliseconds

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """Any earlier call arrives again, at its own time or now."""
        call = data.draw(st.sampled_from(self.calls[-12:]))
        if data.draw(st.booleans()):
            call = replace(call, now=self.now)
        self.apply(call, is_new=False)

    @precondition(lambda self: self.calls)
    @rule()
    def replay_at_once(self) -> None:
        """The last call arrives twice, as after a lost reply."""
        call = replace(self.calls[-1], now=self.now)
        self.apply(call, is_new=False)
        before = self.database.contents()
        self.apply(call, is_new=False)
        assert self.database.contents() == before, "a replay changes nothing"

    @invariant()
    def the_record_is_what_the_model_says(self) -> None:
        records, held, due, finished = self.database.read()
        assert due == self.model.due
        assert finished == self.model.finished
        assert self.database.active() == self.model.active
        for name, record in self.model.records.items():
            self._check_record(name, record, records[name])
            self._check_moves(name, record)
            holders = {worker for worker in WORKERS if name in held[worker]}
            if record.status in ENDED:
                assert name in finished
                assert name not in due
            else:
                assert holders == set(record.holders)
                assert holders or name in due, "an active execution is never lost"
                assert name not in finished

    @invariant()
    def the_workflow_knows_its_runs(self) -> None:
        records, runs = self.model.records, self.database.runs()
        assert bool(runs) is bool(records)
        if runs:
            counted, _, last = runs.partition("|")
            assert sum(map(int, counted.partition(":")[2].split(","))) == len(records)
            assert last.split(":")[1:] == [name := list(records)[-1], records[name].status, "0"]

    def _check_record(self, name: str, record: Record, found: dict[str, str]) -> None:
        assert found["status"] == record.status, name
        assert found["statuses"] == "".join(record.statuses), name
        assert int(found.get("holders", 0)) == len(record.holders), name
        assert int(found.get("fence", 0)) == record.fence
        assert int(found.get("lost", 0)) == record.lost
        assert (found.get("shares_work") == "1") == record.shares_work
        completed = found.get("completed")
        assert (completed is None or int(completed)) == (record.completed or completed is None)
        for index, claim in record.claims.items():
            wanted = f"{claim.owner}:{claim.attempts}:{claim.at}:{claim.lost}"
            assert found[f"n{index}"] == wanted
        claims = {field for field in found if field[0] == "n" and field[1:].isdigit()}
        assert claims == {f"n{index}" for index in record.claims}

    def _check_moves(self, name: str, record: Record) -> None:
        status, codes = self.before.get(name, (record.status, record.statuses))
        self.before[name] = (record.status, list(record.statuses))
        old, new = ExecutionStatus(status), ExecutionStatus(record.status)
        assert new is old or new in TRANSITIONS[old]
        for before, after in zip(codes, record.statuses, strict=True):
            was, now = NODE_STATUSES[before], NODE_STATUSES[after]
            assert now is was or now in NODE_TRANSITIONS[was], (was, now)
        if new in TERMINAL:
            assert all(NODE_STATUSES[code] in NODE_TERMINAL for code in record.statuses)


def draw_step(draw: Any, record: Record, call: Call, fence: int, step: int) -> Call:
    """Draw a possible step of a walker, or a conflicting one."""
    call.fence, call.step = fence, step
    ends = draw(st.integers(0, 11)) == 0
    call.end = draw(st.sampled_from(["completed", "failed", "cancelled"])) if ends else ""
    settles_all = call.end == "completed" and draw(st.integers(0, 3)) > 0
    running = {i for i, claim in record.claims.items() if claim.owner == fence}
    mood = draw(st.sampled_from(["busy", "busy", "quiet", "retreating"]))
    for index, code in enumerate(record.statuses):
        act = draw(st.sampled_from(ACTS[code])) if mood == "busy" else "none"
        if settles_all and code in "prtw":
            act = "settle"
        if mood == "retreating" and index in running and code == "r":
            act = draw(st.sampled_from(["settle", "retry", "retry", "park"]))
        if act == "settle":
            call.settled[index] = draw(st.sampled_from(SETTLING[code]))
        elif act == "claim" and not call.end:
            call.claimed = (*call.claimed, index)
        elif act == "retry" and index in running and not call.end:
            call.retrying[index] = draw(st.sampled_from([0, 300, 5_000]))
        elif act == "park" and index in running and not call.end:
            call.parked[index] = draw(st.sampled_from([call.now, call.now + 300, 2**53]))
        elif act == "clash":
            call.settled[index] = "c"
    stays = {i for i in running if record.statuses[i] == "r"} - set(call.settled)
    stays -= {*call.retrying, *call.parked}
    call.leaves = not call.end and not stays and not call.claimed and draw(st.integers(0, 2)) > 0
    call.shares_work = draw(st.integers(0, 2)) > 0
    return call


@pytest.fixture
def database(redis_url: str) -> Iterator[Database]:
    database = Database(redis_url)
    yield database
    database.close()


@pytest.mark.F45
def test_the_scripts_follow_the_model(database: Database) -> None:
    run_state_machine_as_test(lambda: Walking(database), settings=profile(200, 40, is_random=False))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_scripts_follow_the_model_for_long(database: Database) -> None:
    run_state_machine_as_test(
        lambda: Walking(database), settings=profile(2_000, 80, is_random=True)
    )
