"""Counts agree and parents are woken after any moves of children, in any order and repeated."""

import random
from collections.abc import Awaitable, Callable

import pytest

from engine.errors import ExecutionNotCancellable
from engine.executions.batches import ItemStatus
from engine.executions.children import GroupStatus
from engine.executions.statuses import TERMINAL, ExecutionStatus
from engine.store import Store
from engine.store.children.keys import children, open_children
from engine.store.children.records import GroupOpened
from engine.store.executions.advance import ChildEnd, Step, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis.record_packing import pack
from tests.support.store.child_runs import FAR, NODE, ChildRuns
from tests.support.store.records import BOTH_DONE

SIZE = 8
STEPS = 120
ENDS = {
    ExecutionStatus.COMPLETED: ItemStatus.COMPLETED,
    ExecutionStatus.FAILED: ItemStatus.FAILED,
    ExecutionStatus.CANCELLED: ItemStatus.CANCELLED,
}


class Play:
    """One group of a root, moved at random, with the states that its children should have."""

    def __init__(self, runs: ChildRuns, draw: random.Random) -> None:
        self.runs = runs
        self.store = runs.store
        self.draw = draw
        self.states = ["q"] * SIZE
        self.walks: dict[int, ClaimedExecution] = {}
        self.steps: dict[int, int] = {}
        self.waiting: set[int] = set()
        """Children that wait for children of their own."""
        self.is_parked = False

    async def act(self) -> None:
        """Do something, twice: the second time it changes nothing."""
        acts: list[Callable[[int], Awaitable[None]]] = [
            *([self.begin] * 4),
            *([self.claim] * 3),
            *([self.end] * 3),
            self.fail,
            self.cancel,
            self.wait,
            self.lose,
            self.park,
        ]
        if self.draw.random() < 0.02:
            await self.cancel_group()
        else:
            await self.draw.choice(acts)(self.draw.randrange(SIZE))

    async def begin(self, index: int) -> None:
        group = await self.runs.group()
        for _ in range(2):
            begun = await self.runs.begin(index)
        is_open = group.status is GroupStatus.OPEN
        if self.states[index] == "q" and begun:
            assert is_open
            self.states[index] = "p"

    async def claim(self, index: int) -> None:
        if self.states[index] != "p" or index in self.walks:
            return
        reference = self.runs.reference(self.runs.child_id(index))
        claimed = await self.store.walks.claim(reference, "w2", f"t{index}")
        if claimed is not None:
            self.walks[index], self.steps[index] = claimed, 0
            if index in self.waiting:
                assert await self.step(index, Step(claimed=[0])) is Verdict.OK
                self.waiting.discard(index)

    async def step(self, index: int, step: Step) -> Verdict:
        lease, number = self.walks[index].lease, self.steps[index] + 1
        first = await self.store.walks.advance(lease, number, step)
        await self.store.walks.advance(lease, number, step)
        self.steps[index] = number
        return first.verdict

    async def end(self, index: int) -> None:
        if index not in self.walks:
            return
        end = self.draw.choice(list(ENDS))
        is_completed = end is ExecutionStatus.COMPLETED
        step = Step(
            settled=list(BOTH_DONE) if is_completed else [],
            end=end,
            child=ChildEnd(result=pack(index), size=1),
            error={"code": "X", "message": "broken"} if end is ExecutionStatus.FAILED else None,
            slug=self.runs.workflow.slug,
        )
        verdict = await self.step(index, step)
        if verdict is Verdict.OK:
            self.states[index] = ENDS[end].code
            self.decide(index, end)
            del self.walks[index]
        else:  # a cancel came before
            assert verdict is Verdict.CANCEL
            self.steps[index] -= 1
            step = Step(end=ExecutionStatus.CANCELLED, slug=self.runs.workflow.slug)
            assert await self.step(index, step) is Verdict.OK
            self.states[index] = "x"
            del self.walks[index]

    def decide(self, index: int, end: ExecutionStatus) -> None:
        """Cancel what is queued when the failure of a child decides."""
        if end is ExecutionStatus.FAILED and self.on_error == "fail":
            self.states = ["x" if each == "q" else each for each in self.states]

    on_error = "fail"

    async def fail(self, index: int) -> None:
        error = {"code": "X", "message": "broken"}
        is_failed = await self.store.children.fail(self.runs.ref, index, error)
        assert is_failed is (self.states[index] == "q")
        assert not await self.store.children.fail(self.runs.ref, index, error)
        if is_failed:
            self.states[index] = "f"
            self.decide(index, ExecutionStatus.FAILED)

    async def cancel(self, index: int) -> None:
        if self.states[index] != "p":
            return
        try:
            status = await self.store.executions.cancel(
                self.runs.account.id, self.runs.child_id(index)
            )
        except ExecutionNotCancellable:
            return
        if status is ExecutionStatus.CANCELLED:
            self.states[index] = "x"
            self.waiting.discard(index)
            assert index not in self.walks

    async def wait(self, index: int) -> None:
        """Have a child wait for children of its own."""
        if index not in self.walks:
            return
        if self.steps[index] == 0 and await self.step(index, Step(claimed=[0])) is not Verdict.OK:
            self.steps[index] = 0
            return
        step = Step(parked=[(0, FAR)], leave=True)
        if await self.step(index, step) is Verdict.OK:
            self.waiting.add(index)
            del self.walks[index]
        else:
            self.steps[index] -= 1

    async def lose(self, index: int) -> None:
        """Lose the worker of a child."""
        if index in self.walks and index not in self.waiting:
            await self.store.walks.give_back(
                self.walks[index].reference, "w2", is_lost=True, claim=b""
            )
            del self.walks[index]

    async def park(self, _: int) -> None:
        if not self.is_parked:
            await self.runs.park()
            self.is_parked = True

    async def cancel_group(self) -> None:
        for _ in range(2):
            await self.store.children.cancel(self.runs.ref)
        self.states = ["x" if each == "q" else each for each in self.states]

    async def check(self) -> None:
        """Check that all counts agree with the states, and that the parent is woken in time."""
        group = await self.runs.group()
        assert group.states == "".join(self.states)
        key = children(self.runs.account.id, self.runs.parent_id, NODE)
        queued, running = await self.store.client.send("HMGET", key, "queued", "running")
        assert (int(queued), int(running)) == (self.states.count("q"), self.states.count("p"))
        root = await self.runs.record(self.runs.root_id)
        waiting = sum(self.states[index] == "p" for index in self.waiting)
        assert int(root.get("children_running", 0)) == int(running) - waiting
        is_over = not {"q", "p"} & set(self.states)
        assert (group.status is GroupStatus.DONE) is is_over
        member = await self.store.client.send(
            "ZSCORE", open_children(self.runs.account.id), self.runs.ref.member
        )
        assert member is not None or is_over
        due = await self.runs.due(self.runs.root_id)
        if self.is_parked:
            is_woken = due is not None and due < FAR
            assert is_woken or not is_over or set(self.states) == {"x"}
            assert is_woken or group.failed is None
            if is_woken:
                assert group.is_decided


@pytest.mark.parametrize("seed", range(24))
async def test_counts_agree_and_the_parent_is_woken(
    runs: ChildRuns, store: Store, seed: int
) -> None:
    play = Play(runs, random.Random(seed))
    play.on_error = play.draw.choice(["fail", "null", "skip"])
    concurrency = play.draw.choice([2, SIZE])
    opened = await runs.try_open(SIZE, on_error=play.on_error, concurrency=concurrency)
    assert isinstance(opened, GroupOpened)

    for _ in range(STEPS):
        await play.act()
        await play.check()

    for index, state in enumerate(play.states):
        record = await runs.record(runs.child_id(index))
        if record:
            is_over = ExecutionStatus(record["status"].decode()) in TERMINAL
            assert is_over is (state in "cfx")
