"""Answers, cancels, failures and time-outs at once, from several processes: one of them counts."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from engine.errors import ExecutionNotCancellable
from engine.executions.node_waits import Decision, NewWait, OnTimeout, WaitKind
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.waits.node_waits import (
    AlreadyAnswered,
    Answered,
    ExecutionOver,
    NotWaiting,
    StillWaiting,
    WaitEnded,
    WaitRef,
    timeout_answer,
)
from tests.support.store.child_runs import NODE
from tests.support.store.records import save
from tests.support.waits.invariants import check_waits
from tests.support.waits.runs import WaitRuns, answer

STORES = 3


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[Sequence[Store]]:
    """Connections of several processes."""
    async with contextlib.AsyncExitStack() as stack:
        opened = [Store.open(settings) for _ in range(STORES)]
        for each in opened:
            stack.push_async_callback(each.close)
        yield opened


@pytest.mark.parametrize("rounds", [2, pytest.param(200, marks=pytest.mark.thorough)])
async def test_of_fifty_answers_from_several_processes_one_counts(
    rounds: int, runs: WaitRuns, stores: Sequence[Store]
) -> None:
    for _ in range(rounds):
        await runs.begin_root()
        await runs.ask()
        given = [answer(random.choice(list(Decision)), note=str(number)) for number in range(50)]

        verdicts = await asyncio.gather(
            *(
                stores[number % STORES].node_waits.answer(runs.asked, each)
                for number, each in enumerate(given)
            )
        )

        won = [each for each in verdicts if isinstance(each, Answered)]
        assert len(won) == 1
        lost = [each for each in verdicts if not isinstance(each, Answered)]
        assert lost == [AlreadyAnswered(won[0].answer)] * 49


class Play:
    """One wait of a run or of a child, on which everything falls at once."""

    def __init__(self, runs: WaitRuns, stores: Sequence[Store], draw: random.Random) -> None:
        self.runs = runs
        self.draw = draw
        self.stores = stores
        self.asked: WaitRef
        self.answered: list[Answered] = []
        self.ended: list[WaitEnded] = []

    def store(self) -> Store:
        return self.draw.choice(self.stores)

    async def begin(self) -> None:
        """Begin a run, whose wait is over already, or is not, and may be that of a child."""
        until = self.draw.choice([1_000, 2**52])
        new = NewWait(
            kind=WaitKind.APPROVAL,
            until=until,
            on_timeout=self.draw.choice(list(OnTimeout)),
        )
        await self.runs.begin_root()
        if self.draw.random() < 0.4:
            await self.runs.open(2)
            await self.runs.begin(0, 1)
            self.asked = await self.runs.ask_in_child(0, new)
            await self.runs.park()
        elif self.draw.random() < 0.5:
            await self.runs.ask(new)
            self.asked = self.runs.asked
        else:
            await self.runs.wait(new)  # the worker is about to park the node
            self.asked = self.runs.asked

    async def answer(self) -> None:
        verdict = await self.store().node_waits.answer(self.asked, answer())
        if isinstance(verdict, Answered):
            self.answered.append(verdict)
        assert isinstance(verdict, Answered | AlreadyAnswered | NotWaiting)

    async def time_out(self) -> None:
        store = self.store()
        found = await store.node_waits.find(self.asked)
        assert found is not None
        verdict = await store.node_waits.end(self.asked, timeout_answer(found))
        if isinstance(verdict, WaitEnded):
            self.ended.append(verdict)
        assert isinstance(verdict, WaitEnded | StillWaiting | ExecutionOver)

    async def cancel(self) -> None:
        with contextlib.suppress(ExecutionNotCancellable):
            await self.store().executions.cancel(self.runs.account.id, self.runs.root_id)

    async def cancel_child(self) -> None:
        """Do what a look at a group does whose parent has ended."""
        if self.asked.group is not None:
            with contextlib.suppress(ExecutionNotCancellable):
                await self.store().executions.cancel(self.runs.account.id, self.asked.execution_id)

    async def fail(self) -> None:
        """End the run from elsewhere, as a walker that holds it."""
        reference, worker = self.runs.reference(self.runs.root_id), str(self.draw.random())
        store = self.store()
        claimed = await store.walks.claim(reference, worker)
        if claimed is None:
            return
        step = Step(end=ExecutionStatus.FAILED, error={"code": "X"}, may_have_groups=True)
        await store.walks.advance(claimed.lease, 1, step)

    async def go_on(self) -> None:
        """Claim the waiting run and its node as the hint lets a worker do, and park it again."""
        store, worker = self.store(), str(self.draw.random())
        reference = self.runs.reference(self.asked.execution_id)
        claimed = await store.walks.claim(reference, worker)
        if claimed is not None:
            begun = await store.walks.advance(claimed.lease, 1, Step(claimed=[NODE]))
            parked = [(NODE, 2**52)] if begun.verdict is Verdict.OK else []
            await store.walks.advance(claimed.lease, 2, Step(parked=parked, leave=True))

    async def park(self) -> None:
        """Record the park of the walker that has opened the wait."""
        if self.asked.group is None:
            step = Step(parked=[(NODE, 2**52)], leave=True)
            advanced = await self.store().walks.advance(self.runs.parent.lease, 2, step)
            assert advanced.verdict in Verdict

    async def run(self) -> None:
        moves: list[Callable[[], Awaitable[None]]] = [
            *(self.answer, self.answer, self.time_out, self.time_out, self.go_on, self.park),
            *(self.cancel, self.fail, self.cancel_child),
        ]
        chosen = self.draw.sample(moves, self.draw.randint(2, len(moves)))

        async def soon(move: Callable[[], Awaitable[None]], turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await move()

        await asyncio.gather(*(soon(move, self.draw.randint(0, 6)) for move in chosen))

    async def check(self) -> None:
        """One end counts, all see it, and the lists agree with the records."""
        found = await self.store().node_waits.find(self.asked)
        assert found is not None
        assert len(self.answered) <= 1
        decided = {repr(each.answer) for each in (*self.answered, *self.ended) if each.answer}
        assert len(decided) <= 1
        if decided:
            assert decided == {repr(found.answer)}
        await check_waits(self.runs.store, self.runs.account.id)


@pytest.mark.parametrize(
    "seed",
    [*range(12), *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(12, 400))],
)
async def test_one_end_of_a_wait_counts_whatever_comes_at_once(
    seed: int, store: Store, account: Account, stores: Sequence[Store]
) -> None:
    runs = WaitRuns(store, account, await save(store, account))
    for round_number in range(4):
        play = Play(runs, stores, random.Random(4 * seed + round_number))
        await play.begin()
        await play.run()
        await play.check()
