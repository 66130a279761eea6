"""Each planted difference is named, and a failover explains those alone that it may have made."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.acceptance.versions.load import PRICE, Run
from tests.support.http.scripted_server import Target
from tests.support.http.webhook_receivers import Received, Receiver
from tests.support.soak.differences import DOUBLED, LOST, OTHER, Differences
from tests.support.soak.oracle import Oracle
from tests.support.soak.plan import draw_turns
from tests.support.soak.users import Gone, Place, User

URLS = ("http://first", "http://second")
RESULT = {"n": 7, "kind": "echo"}


class Shown(User):
    """A user whose gateways show records that a test has planted."""

    def __init__(self) -> None:
        self.runs = [
            run_of("call", 1, waits=True, result=RESULT),
            run_of("list", 2, waits=False, result={"text": "a"}, cost=3 * PRICE),
        ]
        self.shown = {run.execution_id: record_of(run) for run in self.runs}
        self.listed = list(self.shown)
        self.at: dict[str, dict[str, Any]] = {url: {} for url in URLS}
        """Members of all records that one gateway shows otherwise."""

    async def read(self, execution_id: str, url: str | None = None) -> dict[str, Any]:
        if execution_id not in self.shown:
            raise Gone(execution_id)
        return self.shown[execution_id] | self.at.get(url or "", {})

    async def list_ids(self, url: str | None = None) -> list[str]:
        return self.listed


def run_of(kind: str, number: int, **members: Any) -> Run:
    times = {"began": 99.0, "accepted": 100.0, "ended": 101.0}
    names = {"name": f"r{number}", "key": f"key-{number}", "execution_id": f"e{number}"}
    return Run(kind=kind, **names, **times, **members)


def record_of(run: Run) -> dict[str, Any]:
    members = {"creditsCost": run.cost, "nodes": [], "error": None, "createdAt": "now"}
    return {"status": "completed", "result": run.result, "inputs": {"id": run.name}, **members}


class Planted:
    """A session without differences, in which a test plants one."""

    def __init__(self) -> None:
        self.user, self.target, self.receiver = Shown(), Target(), Receiver()
        self.target.calls["/echo/r1?n=7"] = 1
        self.tell("e2")
        self.differences = Differences()

    def tell(self, execution_id: str, delivery: str = "d1") -> None:
        body = f'{{"executionId": "{execution_id}"}}'.encode()
        headers = {"webhook-id": delivery}
        self.receiver.received.append(Received(at=0.0, path="/ok", headers=headers, body=body))

    async def judge(self) -> list[tuple[str, str]]:
        """Return kind and place of the differences that no failover explains."""
        oracle = Oracle(self.differences, Place(self.differences), [self.user], [])
        oracle.quiet_seconds = 0.0
        await oracle.check_records(URLS)
        await oracle.check_calls(self.target)
        await oracle.check_webhooks(self.receiver, {})
        return [(each.kind, each.place) for each in self.differences.unexplained]


def lose_record(planted: Planted) -> None:
    del planted.user.shown["e1"]
    planted.user.listed.remove("e1")


def double_run(planted: Planted) -> None:
    planted.user.shown["e9"] = record_of(planted.user.runs[0])
    planted.user.listed.append("e9")


def change(name: str, **members: Any) -> Callable[[Planted], None]:
    return lambda planted: planted.user.shown[name].update(members)


def list_twice(planted: Planted) -> None:
    planted.user.listed.append("e1")


def differ(planted: Planted) -> None:
    planted.user.at[URLS[1]]["status"] = "failed"


def call(times: int) -> Callable[[Planted], None]:
    return lambda planted: planted.target.calls.update({"/echo/r1?n=7": times - 1})


def forget_webhook(planted: Planted) -> None:
    planted.receiver.received.clear()


PLANTED: dict[str, tuple[Callable[[Planted], None], tuple[str, str]]] = {
    "a run is gone": (lose_record, (LOST, "Redis")),
    "a run does not end": (change("e1", status="processing"), (LOST, "Redis")),
    "a run is there twice": (double_run, (DOUBLED, "Redis")),
    "a run is listed twice": (list_twice, (DOUBLED, "Redis")),
    "a run is cancelled by nobody": (change("e1", status="cancelled"), (OTHER, "Redis")),
    "a run has another result": (change("e1", result={"n": 8}), (OTHER, "Redis")),
    "a run is charged twice": (change("e2", creditsCost=6 * PRICE), (DOUBLED, "ledger")),
    "a run is not charged": (change("e2", creditsCost=0), (OTHER, "ledger")),
    "a remote is called twice": (call(2), (DOUBLED, "remote")),
    "a remote is not called": (call(0), (LOST, "remote")),
    "an end is never told": (forget_webhook, (LOST, "webhook")),
    "an end is told twice": (lambda planted: planted.tell("e2", "d2"), (DOUBLED, "webhook")),
    "an answered caller is told": (lambda planted: planted.tell("e1"), (DOUBLED, "webhook")),
}


async def test_a_session_without_differences_has_none() -> None:
    assert await Planted().judge() == []


@pytest.mark.parametrize("name", PLANTED)
async def test_a_planted_difference_is_named(name: str) -> None:
    plant, expected = PLANTED[name]
    planted = Planted()
    plant(planted)

    assert expected in await planted.judge()


async def test_gateways_that_differ_are_named() -> None:
    planted = Planted()
    differ(planted)

    assert Counter(await planted.judge()) == {(OTHER, "Redis"): 2}


@pytest.mark.parametrize(
    ("failover", "explains"), [((100.5, 103.0), True), ((110.0, 113.0), False)]
)
async def test_a_failover_explains_what_was_accepted_just_before_it(
    failover: tuple[float, float], explains: bool
) -> None:
    planted = Planted()
    lose_record(planted)
    planted.differences.failovers.append(failover)

    assert (await planted.judge() == []) is explains


@pytest.mark.parametrize(
    "name", ["a run does not end", "a run has another result", "a run is charged twice"]
)
async def test_a_failover_explains_no_wrong_end_of_a_run_on_record(name: str) -> None:
    plant, expected = PLANTED[name]
    planted = Planted()
    plant(planted)
    planted.differences.failovers.append((100.5, 103.0))

    assert expected in await planted.judge()


def test_faults_of_a_seed_are_repeated_and_each_kind_comes() -> None:
    kinds, ends = ("a", "b", "c"), {"c": 300.0}
    turns = draw_turns(3, 3_600, kinds, ends)

    assert turns == draw_turns(3, 3_600, kinds, ends) != draw_turns(4, 3_600, kinds, ends)
    assert {turn.kind for turn in turns[:3]} == set(kinds)
    assert [turn for turn in turns if turn.kind == "c" and turn.at >= 300] == []
    pauses = [b.at - a.at for a, b in zip(turns, turns[1:], strict=False)]
    assert min(pauses) >= 5 and max(pauses) <= 40
    assert len(turns) > 3_600 / 40
