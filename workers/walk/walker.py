"""All walks of one worker process: started by hints, stopped by cancels and by draining."""

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from engine.errors import EngineError, InvalidGraph, NotFound, StorageFailed, Unavailable
from engine.graph.features import UnknownHere
from engine.ids.partitions import partition_of
from engine.process.stop_signals import Stop
from engine.services.runs.child_plans import ChildPlans
from engine.services.runs.child_targets import ChildTargets
from engine.services.runs.pure_children import WalkPure, walk_none
from engine.store import Store
from engine.store.children.keys import GroupRef
from engine.store.dispatch.hints import InlineRun
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import size_of
from engine.store.redis import keyspace
from engine.store.redis.errors import StoreFault
from engine.telemetry import log, metrics
from engine.telemetry.traces import context as traces
from workers.nodes.executor import Executor
from workers.nodes.memory import MemoryBudget, RunMemory
from workers.runtime.limits import LoadGate
from workers.runtime.run_counts import count_begin
from workers.runtime.store_retries import retry_until_answered
from workers.walk.dependencies import WalkDependencies
from workers.walk.plans import find_plan
from workers.walk.resume.endings import end_failed, end_without_plan
from workers.walk.resume.unknown import UNKNOWN_WAIT_MS, UnknownExecutions
from workers.walk.step import LeaseLost, RecordBehind
from workers.walk.values.inputs import (
    UNREAD_DRAFT,
    UNREAD_INPUTS,
    UNREAD_PAUSE_MS,
    ReadingFaults,
    is_given_up,
    must_read,
    with_inputs,
)
from workers.walk.values.sizes import record_size
from workers.walk.walk import Walk

MAX_LOST_IN_ROW = 5
"""An execution that was lost this often without a step between fails, as nodes do."""

FAST_FOLDER = "workers.walk.fast"
GIVEN_BACK_AT_ONCE = 128
"""Executions that a stopping worker gives back together. One after the other, ten thousand would
take longer than supervisors wait after the drain."""
HELP_PAUSE_SECONDS = 0.05
LOST_PAUSE_MS = 500
"""Pause before a lost execution is walked again, doubled for each further loss."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


def open_fast_path(store: Store, max_bytes: int, memory: MemoryBudget) -> Any:
    """Return the `FastPath` of small runs; None in a tree without it, where all are claimed."""
    if find_spec(FAST_FOLDER) is None:
        return None
    return import_module(f"{FAST_FOLDER}.fast_path").FastPath(store, max_bytes, memory)


def open_pure_walk() -> WalkPure:
    """Return the function that walks children of pure nodes as they begin, if there is one."""
    if find_spec(FAST_FOLDER) is None:
        return walk_none
    walk: WalkPure = import_module(f"{FAST_FOLDER}.pure_children").walk_pure
    return walk


class Walker:
    """Takes hints and walks their executions.

    `release` is called once for each hint that was taken, when its execution is done here.
    """

    def __init__(
        self,
        *,
        store: Store,
        executor: Executor,
        worker_id: str,
        cpu_slots: int,
        max_bytes: int,
        release: Callable[[], None],
        load_gate: LoadGate,
        memory: MemoryBudget | None = None,
        unknown_wait_ms: int = UNKNOWN_WAIT_MS,
    ) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._release = release
        self._load_gate = load_gate
        self.memory = memory or MemoryBudget()
        self._busy: set[str] = set()
        self._is_draining = False
        self._tasks: dict[str, asyncio.Future[Any]] = {}
        """Task that claims and walks each execution, or reply that its end waits for."""
        self._walks: dict[str, Walk] = {}
        self.claimed_at = -math.inf
        """Time of the last claim, by the monotonic clock."""
        self.claimed_in: dict[int, float] = {}
        """The same by partition."""
        self._duplicate_checks: set[asyncio.Task[None]] = set()
        self._child_plans = ChildPlans(store)
        self.feed_children: Callable[[GroupRef], None] = lambda group: None
        """Called with a group that may begin or must cancel children."""
        self._dependencies = WalkDependencies(
            walks=store.walks,
            children=store.children,
            child_targets=ChildTargets(store, self._child_plans),
            node_waits=store.node_waits,
            checkpoints=store.checkpoints,
            offloaded=store.offloaded,
            events=store.events,
            executor=executor,
            worker_id=worker_id,
            cpu_slots=cpu_slots,
            max_bytes=max_bytes,
            is_draining=lambda: self._is_draining,
            request_help=self._request_help,
            feed_children=lambda group: self.feed_children(group),
            mark_idle=self._mark_idle,
        )
        self._fast_path = open_fast_path(store, max_bytes, self.memory)
        self._unknown = UnknownExecutions(store, executor, unknown_wait_ms)

    @property
    def walks(self) -> Mapping[str, Walk]:
        """The walks of claimed executions, by reference."""
        return self._walks

    def has_task(self, reference: str) -> bool:
        """Return whether the execution is claimed or walked here, or its end is recorded."""
        return reference in self._tasks

    def take_hint(self, reference: str, inline_run: InlineRun | None = None) -> None:
        """Walk an execution in the background."""
        self._load_gate.begin()
        self._start(reference, inline_run)

    def cancel(self, reference: str) -> None:
        """Stop an execution if it is walked here."""
        if (walk := self._walks.get(reference)) is not None:
            walk.cancel()

    async def drain(self, seconds: float, stop: Stop | None = None) -> None:
        """Begin nothing, let running nodes end for some seconds, and give the rest back.

        An urgent `stop` cuts that time short.
        An execution that cannot be given back stays on record as held; recovery of this worker
        finds it.
        """
        self._is_draining = True
        for walk in self._walks.values():
            walk.wake()
        stop = stop or Stop()
        deadline = self._loop.time() + seconds
        while self._tasks and (left := deadline - self._loop.time()) > 0:
            if stop.is_urgent.is_set():
                break
            await stop.wait_for(self._tasks.values(), left)
        tasks = dict(self._tasks)
        unfinished = [reference for reference, task in tasks.items() if not task.done()]
        for task in (*tasks.values(), *self._duplicate_checks):
            task.cancel()
        await asyncio.gather(*tasks.values(), *self._duplicate_checks, return_exceptions=True)
        try:
            for first in range(0, len(unfinished), GIVEN_BACK_AT_ONCE):
                some = unfinished[first : first + GIVEN_BACK_AT_ONCE]
                await asyncio.gather(*map(self._try_give_back, some))
                await self._store.hints.send(some)
        except EngineError as error:
            logger.warning("cannot give back", extra={"reason": error.message})

    async def _try_give_back(self, reference: str) -> None:
        try:
            await self._store.walks.give_back(
                reference, self._dependencies.worker_id, is_lost=False
            )
        except StoreFault:
            logger.exception("cannot give back")

    async def _request_help(self, reference: str) -> None:
        try:
            await self._store.hints.send([reference])
        except EngineError as error:
            logger.warning("cannot ask for help", extra={"reason": error.message})

    def _start(self, reference: str, inline_run: InlineRun | None) -> None:
        if not keyspace.is_reference(reference):
            logger.warning("a hint named no execution")
            self._release_hint()
            return
        if self._is_draining:
            self._release_hint()
            self._store.hints.send_soon(reference)  # it came too late for this worker
            return
        if reference in self._tasks:
            self._release_hint()  # a duplicate: it is walked here
            self._duplicate_checks.add(
                check := self._loop.create_task(self._check_duplicate(reference))
            )
            check.add_done_callback(self._duplicate_checks.discard)
            return
        if self._unknown.pass_on(reference):
            self._release_hint()
            return
        self._busy.add(reference)
        metrics.EXECUTIONS_HELD.inc()
        queue = self._load_gate.queue
        if inline_run is None or self._fast_path is None:
            self._begin(reference, queue)
            return
        walk = self._fast_path.begin(reference, inline_run, queue)
        if walk is None:
            end = partial(self._fast_path.finish, reference, inline_run, queue)
            self._begin(reference, queue, end)
            return
        self._tasks[reference] = walk.reply
        walk.reply.add_done_callback(lambda _: self._end_fast(walk))

    def _end_fast(self, walk: Any) -> None:
        if walk.is_over():
            self._done(walk.reference, walk.reply)
        else:
            self._begin(walk.reference, walk.queue, walk.end)

    def _begin(
        self, reference: str, queue: str, end: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        """Claim the execution and walk it in a task, unless `end` can end it before.

        `queue` had its hint.
        """
        task = self._tasks[reference] = self._loop.create_task(self._walk(reference, queue, end))
        task.add_done_callback(lambda done: self._done(reference, done))

    async def _check_duplicate(self, reference: str) -> None:
        # A hint for an execution that is walked here comes when a cancel may have been lost, or
        # when another walker of it has died.
        try:
            if await self._store.walks.is_cancel_requested(reference):
                self.cancel(reference)
            elif (walk := self._walks.get(reference)) is not None:
                walk.reconcile_soon()
                if walk.shares_work:
                    # This worker got its own request for help: others may be quicker now.
                    await asyncio.sleep(HELP_PAUSE_SECONDS)
                    await self._request_help(reference)
        except EngineError as error:
            logger.warning("cannot check a duplicate hint", extra={"reason": error.message})
        except StoreFault:
            logger.exception("cannot check a duplicate hint")

    def _mark_idle(self, reference: str) -> None:
        if reference in self._busy:
            self._busy.remove(reference)
            self._load_gate.end()

    def _release_hint(self) -> None:
        self._load_gate.end()
        self._release()

    def _done(self, reference: str, task: "asyncio.Future[Any]") -> None:
        self._mark_idle(reference)
        self._tasks.pop(reference, None)
        self._walks.pop(reference, None)
        metrics.EXECUTIONS_HELD.dec()
        self._release()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a walk broke off", exc_info=error)

    async def _walk(
        self, reference: str, queue: str, end: Callable[[], Awaitable[bool]] | None
    ) -> None:
        if end is not None and await end():
            return
        # An execution that was recovered from this worker may be free to be claimed again.
        must_claim = True
        while must_claim:
            must_claim = False
            claimed = await self._claim(reference)
            if claimed is None:
                return
            count_begin(claimed, queue)
            log.bind(account_id=claimed.account_id, execution_id=claimed.execution_id)
            traces.CURRENT.set(claimed.trace)
            try:
                with self.memory.open(record_size(claimed.record)) as memory:
                    claimed = claimed.without_unread_fields()
                    await self._walk_claimed(claimed, reference, memory)
            except LeaseLost:
                must_claim = not self._is_draining
                metrics.STEPS_FENCED.inc()
                logger.info("the execution went to somebody else or has ended")
            except RecordBehind:
                # The claim is on record, later steps are not: walk again from the record.
                must_claim = not self._is_draining
                metrics.STEPS_LOST.inc()
                logger.warning("Redis has lost steps of an execution: it goes on from its record")
                await self._give_back(reference)
            except Unavailable as error:
                logger.warning("left an execution", extra={"reason": error.message})
                await self._give_back(reference)
            except (StoreFault, OSError):  # no file descriptor is left, for one
                logger.exception("the store or this machine refused what a walk asked")
                await self._give_back(reference, is_lost=True, pause_ms=LOST_PAUSE_MS)
            except Exception:
                logger.exception("a walk failed unexpectedly")
                await self._fail(claimed, reference)

    async def _claim(self, reference: str) -> ClaimedExecution | None:
        # A claim whose reply was lost may have been made; repeated, it has the same reply.
        token = secrets.token_hex(8)
        walks, worker_id = self._store.walks, self._dependencies.worker_id
        partition = partition_of(keyspace.parse_reference(reference)[0])
        self.claimed_at = self.claimed_in[partition] = time.monotonic()
        claimed = await retry_until_answered(
            lambda: walks.claim(reference, worker_id, token), "claim"
        )
        if claimed is None:
            metrics.CLAIMS_REFUSED.inc()
        return claimed

    async def _walk_claimed(
        self, claimed: ClaimedExecution, reference: str, memory: RunMemory
    ) -> None:
        try:
            reading = find_plan(self._store, claimed, self._child_plans)
            plan = await self._read_large(claimed, reading, UNREAD_DRAFT)
        except UnknownHere as unknown:
            await self._unknown.leave(claimed, unknown.part)
            return
        except (NotFound, InvalidGraph):
            await end_without_plan(self._store, self._dependencies.executor, claimed)
            return
        if plan is None:
            return
        if claimed.unknown_since is not None:
            await self._unknown.take(claimed)
        if claimed.lost >= MAX_LOST_IN_ROW:
            message = f"{claimed.lost} workers died of this execution or had to leave it"
            await self._end_failed(claimed, message)
            return
        if must_read(claimed, plan):
            self._mark_idle(reference)
            await memory.wait()
            memory.add(size_of(claimed.inputs_name or ""))
            reading_inputs = with_inputs(self._store.offloaded, claimed)
            whole = await self._read_large(claimed, reading_inputs, UNREAD_INPUTS)
            if whole is None:
                return
            claimed = whole
        walk = self._walks[reference] = Walk(claimed, plan, self._dependencies, memory)
        await walk.run()

    async def _read_large(
        self, claimed: ClaimedExecution, reading: Awaitable[T], faults: ReadingFaults
    ) -> T | None:
        """Return a value that may be offloaded; None: the execution was ended or given back."""
        try:
            return await reading
        except FileNotFoundError:
            await self._end_failed(claimed, faults.gone)
        except StorageFailed:
            if is_given_up(claimed):
                await self._end_failed(claimed, faults.unread)
            else:
                logger.warning("left an execution", extra={"reason": faults.unread})
                await self._give_back(claimed.reference, pause_ms=UNREAD_PAUSE_MS)
        return None

    async def _end_failed(self, claimed: ClaimedExecution, message: str) -> None:
        await end_failed(self._store.walks, self._dependencies.executor, claimed, message)

    async def _fail(self, claimed: ClaimedExecution, reference: str) -> None:
        try:
            await self._end_failed(claimed, "The execution failed unexpectedly")
        except Exception:
            logger.exception("an execution cannot be failed")
            await self._give_back(reference, is_lost=True, pause_ms=LOST_PAUSE_MS)

    async def _give_back(self, reference: str, *, is_lost: bool = False, pause_ms: int = 0) -> None:
        walks, worker_id = self._store.walks, self._dependencies.worker_id
        await retry_until_answered(
            lambda: walks.give_back(reference, worker_id, is_lost=is_lost, pause_ms=pause_ms),
            "give back",
        )
