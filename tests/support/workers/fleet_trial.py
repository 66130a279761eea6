"""A fleet of workers, random runs and random faults, and the conditions at the end."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import redis

from engine.access.capabilities import Tier
from engine.errors import ExecutionNotCancellable, Unavailable
from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL
from engine.graph.document import parse_document
from engine.media.objects import ObjectStore
from engine.process.pool import Pool
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.hints import WALK_QUEUE
from engine.store.redis import keyspace, process_keys
from engine.telemetry import metrics
from tests.conftest import RedisServer
from tests.support.eventually import eventually
from tests.support.http.scripted_server import Target
from tests.support.store.records import accept
from tests.support.workers.held_walker import executions_held
from tests.support.workers.random_graphs import RandomGraph
from workers.main import worker
from workers.runtime.limits import ConcurrencyLimit
from workers.walk.walker import Walker

T = TypeVar("T")

WORKERS = 3
RUNS = 40
CANCELLED_PART = 0.2
SECONDS_TO_END = 60


class SharedPool:
    """One real pool for all workers and seeds: starting one costs more than a whole run."""

    real: Pool | None = None

    def __init__(self, *, slots: int, preload: object = None) -> None:
        self._slots = slots

    @property
    def limit(self) -> int:
        return self._slots

    async def start(self) -> None:
        return

    async def close(self) -> None:
        return

    async def run(self, *args: Any, **options: Any) -> Any:
        assert SharedPool.real is not None
        await asyncio.sleep(random.random() * 0.1)
        return await SharedPool.real.run(*args, **options)


class WatchedSlots(ConcurrencyLimit):
    """Slots that can be counted at the end."""

    made: ClassVar[list[ConcurrencyLimit]] = []

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        WatchedSlots.made.append(self)


class Fleet:
    """Workers in this process that can be drained and replaced one by one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stacks: list[contextlib.AsyncExitStack] = []
        self.walkers: list[Walker] = []

    async def start(self) -> None:
        for _ in range(WORKERS):
            await self._add(len(self.walkers))

    async def _add(self, position: int) -> None:
        stack = contextlib.AsyncExitStack()
        self.walkers.insert(position, await stack.enter_async_context(worker(self._settings)))
        self._stacks.insert(position, stack)

    async def replace(self, position: int) -> None:
        """Drain a worker and start another."""
        stack = self._stacks.pop(position)
        self.walkers.pop(position)
        await stack.aclose()
        await self._add(position)

    async def stop(self) -> None:
        while self._stacks:
            await self._stacks.pop().aclose()

    @property
    def held(self) -> int:
        return sum(executions_held(walker) for walker in self.walkers)


class Run:
    """One execution of a random graph, and the faults that it had."""

    def __init__(self, graph: RandomGraph) -> None:
        self.graph = graph
        self.id = ""
        self.reference = ""
        self.was_cancelled = False
        self.taken_away = 0
        self.ended: Execution | None = None
        self.calls_at_end: Counter[str] = Counter()


class Trial:
    """One seed: a fleet, its runs, the faults, and the verdict."""

    def __init__(
        self, seed: int, settings: Settings, target: Target, server: RedisServer | None = None
    ) -> None:
        self._server = server
        self._rng = random.Random(seed)
        self._seed = seed
        self._settings = settings
        self._target = target
        self._raw = redis.Redis.from_url(settings.redis_url)
        self._store = Store.open(settings, ObjectStore.from_settings(settings))
        self._fleet = Fleet(settings)
        self._runs: list[Run] = []
        self._drains = 0
        self._is_over = False
        self._recovered_before = metrics.EXECUTIONS_RECOVERED._value.get()

    async def play(self) -> None:
        try:
            await self._play()
        finally:
            await self._fleet.stop()
            await self._store.close()
            self._raw.close()

    async def _play(self) -> None:
        email = f"seed{self._seed}@example.com"
        self._account = await self._store.accounts.create(email=email, tier=Tier.PRO)
        await self._fleet.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._harm())
            group.create_task(self._rotate())
            group.create_task(self._restart_redis())
            runs = [group.create_task(self._run_one(number)) for number in range(RUNS)]
            await asyncio.wait(runs)
            self._is_over = True
        assert self._drains and sum(run.taken_away for run in self._runs), "too little harm"
        await self._check_leftovers()
        await self._fleet.stop()
        await self._check_runs()

    # -- runs -------------------------------------------------------------------------------------

    async def _run_one(self, number: int) -> None:
        run = Run(RandomGraph(self._rng, f"s{self._seed}-r{number}", self._target.url))
        await asyncio.sleep(self._rng.random())
        await self._begin(run)
        self._runs.append(run)
        if self._rng.random() < CANCELLED_PART:
            await asyncio.sleep(self._rng.random() * 0.5)
            run.was_cancelled = await self._cancel(run)
        run.ended = await self._end(run)
        run.calls_at_end = Counter(self._target.calls)

    async def _begin(self, run: Run) -> None:
        document = parse_document(run.graph.graph.body(f"s{self._seed}"))
        saved = await again(lambda: self._store.workflows.create(self._account.id, document, []))
        workflow, plan = await again(lambda: self._store.workflows.plan(saved.slug))
        assert plan is not None
        run.id = f"00000000-0000-4000-8000-{self._rng.randrange(16**12):012x}"
        run.reference = keyspace.reference(self._account.id, run.id)
        await again(
            lambda: accept(
                self._store,
                self._account,
                workflow,
                plan,
                {"who": run.graph.who},
                execution_id=run.id,
            )
        )

    async def _cancel(self, run: Run) -> bool:
        try:
            await again(lambda: self._store.executions.cancel(self._account.id, run.id))
        except ExecutionNotCancellable as error:
            return "cancelled" in str(error.context)  # asked again after a reply was lost
        return True

    async def _read(self, run: Run) -> Execution:
        return await again(lambda: self._store.executions.get(self._account.id, run.id))

    async def _end(self, run: Run) -> Execution:
        return await eventually(
            lambda: self._read(run),
            lambda execution: execution.status in TERMINAL,
            timeout=SECONDS_TO_END,
            pause=0.03,
        )

    # -- faults -----------------------------------------------------------------------------------

    async def _harm(self) -> None:
        quick = (self._double, self._shuffle, self._drop, self._junk, self._take_away)
        harsh = (self._flush_scripts, self._cut)
        while not self._is_over:
            await asyncio.sleep(self._rng.uniform(0.01, 0.03))
            if self._rng.random() < 0.1:
                self._rng.choice(harsh)()
            else:
                with contextlib.suppress(Unavailable, redis.RedisError):
                    await self._rng.choice(quick)()

    async def _restart_redis(self) -> None:
        for _ in range(2 if self._server else 0):
            await asyncio.sleep(self._rng.uniform(0.3, 1.0))
            self._server.kill()
            await asyncio.sleep(self._rng.uniform(0, 0.7))
            await asyncio.to_thread(self._server.start)

    async def _rotate(self) -> None:
        while not self._is_over:
            self._drains += 1
            await self._fleet.replace(self._rng.randrange(WORKERS))
            await asyncio.sleep(self._rng.uniform(0.1, 0.4))

    async def _double(self) -> None:
        for run in self._some_runs():
            await self._store.hints.send([run.reference] * self._rng.randint(1, 10))

    def _some_runs(self) -> list[Run]:
        return self._rng.sample(self._runs, min(len(self._runs), 2))

    async def _shuffle(self) -> None:
        key = process_keys.hints(WALK_QUEUE)
        hints = self._raw.lpop(key, 100) or []
        self._rng.shuffle(hints)
        if hints:
            self._raw.rpush(key, *hints)

    async def _drop(self) -> None:
        self._raw.delete(process_keys.hints(WALK_QUEUE))

    async def _junk(self) -> None:
        junk = ("nonsense", "walk|nobody/nothing", b"\xff|\xff", "other|acc/x", "walk|", "walk|/")
        self._raw.rpush(process_keys.hints(WALK_QUEUE), self._rng.choice(junk))

    async def _take_away(self) -> None:
        walker = self._rng.choice(self._fleet.walkers)
        for run in [run for run in self._runs if run.reference in walker._walks][:3]:
            # Three losses would end it, and workers that stop without a Redis are lost.
            is_lost = run.taken_away == 0 and self._server is None
            run.taken_away += 1
            worker_id = walker._dependencies.worker_id
            await self._store.walks.give_back(run.reference, worker_id, is_lost=is_lost)

    def _flush_scripts(self) -> None:
        with contextlib.suppress(redis.RedisError):
            self._raw.script_flush()

    def _cut(self) -> None:
        with contextlib.suppress(redis.RedisError):
            self._raw.client_kill_filter(_type="normal", skipme=True)

    # -- the verdict ------------------------------------------------------------------------------

    async def _check_leftovers(self) -> None:
        await eventually(self._leftovers, lambda found: not any(found.values()), timeout=30)

    async def _leftovers(self) -> dict[str, Any]:
        free = (0, self._settings.worker_slots)  # closed, or all of them
        return {
            "hints": await self._store.hints.depth(),
            "due": await self._store.leases.due(),
            "held": self._raw.keys("*:held:*"),
            "in hand": self._fleet.held,
            "counted": metrics.EXECUTIONS_HELD._value.get(),
            "slots": [slots.free for slots in WatchedSlots.made if slots.free not in free],
        }

    async def _check_runs(self) -> None:
        recovered = metrics.EXECUTIONS_RECOVERED._value.get() - self._recovered_before
        for run in self._runs:
            problem = f"seed {self._seed}, run {run.graph.graph.body()}"
            assert run.ended is not None
            assert await self._read(run) == run.ended, problem
            self._check_status(run, run.ended, problem)
            faults = run.taken_away + self._drains + int(recovered)
            self._check_calls(run, run.ended, faults, problem)

    def _check_status(self, run: Run, ended: Execution, problem: str) -> None:
        expected = run.graph.expected()
        if run.was_cancelled and ended.status.value == "cancelled":
            assert ended.error is None, problem
            return
        assert ended.status.value == expected.status, (ended, problem)
        found = self._statuses(run, ended)
        if expected.status == "completed":
            assert ended.result == expected.result, problem
            assert found == expected.nodes, problem
            return
        assert ended.error is not None
        assert ended.error["nodeId"] in expected.culprits, problem
        assert found[ended.error["nodeId"]] == "failed", problem
        for node_id, status in expected.nodes.items():
            assert found[node_id] in allowed_in_a_failed_run(status), (node_id, problem)

    def _statuses(self, run: Run, ended: Execution) -> dict[str, str]:
        slug, version = ended.workflow_slug, ended.workflow_version
        known = self._store.workflows.plans.known(slug, version) if slug and version else None
        plan = known and known[1]
        assert plan is not None
        return {plan.nodes[node.index].id: node.status.value for node in ended.nodes}

    def _check_calls(self, run: Run, ended: Execution, faults: int, problem: str) -> None:
        found = self._statuses(run, ended)
        for part in run.graph.parts.values():
            if not part.path:
                continue
            calls = self._target.calls[part.path]
            assert calls <= part.attempts + faults, (part.id, calls, faults, problem)
            if found[part.id] == "completed":
                assert calls >= 1, problem
            if found[part.id] == "skipped" and ended.status.value == "completed":
                assert calls == 0, problem
            if not run.taken_away and not faults:
                assert calls == run.calls_at_end[part.path], (part.id, problem)


def allowed_in_a_failed_run(status: str) -> set[str]:
    if status == "fatal":
        return {"failed", "cancelled", "skipped"}
    return {"skipped"} if status in ("blocked", "skipped") else {status, "cancelled", "skipped"}


async def again(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call while the store is unavailable, as a client does."""
    while True:
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(0.01)
