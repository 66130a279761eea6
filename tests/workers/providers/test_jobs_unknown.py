"""Submits with an unknown outcome: the job is not begun twice unless the manifest says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from engine import metrics
from engine.errors.nodes import NodeFailed
from engine.executions.execution import Execution, ExecutionStatus
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.store.redis import keyspace
from tests.support.factories import Graph, Runner
from tests.support.http.providers import (
    MODEL_KEYS,
    Kept,
    Provider,
    calling,
    provided,
    serving_provider,
)
from tests.support.http.raw_server import Dropping, serving_apart
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.workers.job_workers import AGAIN, CANCEL, IDEMPOTENT, JOB
from tests.support.workers.paying_account import PRO
from workers.nodes.executor import Executor
from workers.nodes.pool import Pool
from workers.outbound.client import Egress
from workers.providers import jobs
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller
from workers.runtime.broker import LoadGate
from workers.walk.walker import Walker

STARTED = {"id": "j-1", "status": "starting"}
DONE = {"id": "j-1", "status": "succeeded", "output": "https://cdn.example/1.mp4"}
BEGUN = {"model": "own", "submitting": True, "round": 0}
KNOWN = {"model": "own", "id": "j-1", "round": 0}
NOTHING = {"model": "own", "round": 0}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between polls."""
    monkeypatch.setattr(jobs, "FIRST_PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(jobs, "MAX_PAUSE_SECONDS", 0.01)


@dataclass(kw_only=True)
class Slow(Provider):
    """Holds the answers to submits until it is opened."""

    checkpoints: RecordedCheckpoints | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    submitted: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    on_record: list[Any] = field(default_factory=list)
    """Records at the time of each submit."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = await super().answer(request)
        if request.path == "/jobs":
            self.on_record.append(self.checkpoints and self.checkpoints.jobs.get(0))
            self.submitted.release()
            await self.opened.wait()
        return response

    @property
    def submits(self) -> int:
        return sum(each.path == "/jobs" for each in self.asked)


@pytest.fixture
async def provider(checkpoints: RecordedCheckpoints) -> AsyncIterator[Slow]:
    provider = Slow(checkpoints=checkpoints, answers=[STARTED, DONE])
    async with serving_provider(provider):
        yield provider
        provider.opened.set()


def video(more: str = "", *, header: str = "") -> Model:
    return provided("http", f"{header}{JOB}{more}", category="video")


async def call(models: ModelCaller, checkpoints: RecordedCheckpoints, found: Model) -> Any:
    return (await models.call(found, {"prompt": "a cat"}, ModelCall(checkpoints=checkpoints))).value


async def fail(models: ModelCaller, checkpoints: RecordedCheckpoints, found: Model) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await call(models, checkpoints, found)
    return raised.value


class Counts:
    """Counts of either outcome since the test began."""

    def __init__(self) -> None:
        self._before = self._read()

    def since(self) -> tuple[float, float]:
        """Return the numbers of jobs submitted again, and of failed nodes."""
        again, failed = self._read()
        return again - self._before[0], failed - self._before[1]

    def _read(self) -> tuple[float, float]:
        again, failed = (
            metrics.REGISTRY.get_sample_value(
                "headrace_provider_jobs_unknown_total", {"outcome": outcome}
            )
            for outcome in ("resubmitted", "failed")
        )
        return again or 0, failed or 0


@pytest.fixture
def counts() -> Counts:
    return Counts()


# -- records --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "more", "found"),
    [("", "", BEGUN), ("", AGAIN, BEGUN), (IDEMPOTENT, "", None)],
    ids=["plain", "resubmit", "key"],
)
async def test_a_submit_is_on_record_before_it_is_made_where_no_key_protects_it(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    header: str,
    more: str,
    found: Any,
) -> None:
    provider.opened.set()

    await call(models, checkpoints, video(more, header=header))

    assert provider.on_record == [found]
    assert checkpoints.jobs[0] == KNOWN


@pytest.mark.parametrize("status", [400, 404, 429, 503, 504])
async def test_a_submit_that_was_refused_has_begun_nothing(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, status: int
) -> None:
    provider.opened.set()
    provider.answers = [web.Response(status=status), STARTED, DONE]
    await fail(models, checkpoints, video())

    assert checkpoints.jobs[0] == NOTHING
    assert await call(models, checkpoints, video()) == "https://cdn.example/1.mp4"


async def test_a_provider_that_was_not_reached_has_begun_nothing(
    egress: Egress, checkpoints: RecordedCheckpoints
) -> None:
    models = calling(egress, {"PROVIDER_URL": "http://127.0.0.1:9", **MODEL_KEYS}, Kept())

    failure = await fail(models, checkpoints, video())

    assert (failure.code, failure.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert checkpoints.jobs[0] == NOTHING


# -- unknown outcomes -----------------------------------------------------------------------------


async def test_a_job_that_may_have_begun_fails_the_node_before_anybody_is_asked(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    checkpoints.jobs[0] = BEGUN

    failure = await fail(models, checkpoints, video())

    assert (failure.code, failure.retryable) == ("PROVIDER_UNKNOWN", False)
    assert "may have begun the job" in failure.message
    assert (provider.asked, checkpoints.saved) == ([], [])
    assert counts.since() == (0, 1)


async def test_a_manifest_may_have_it_submitted_again(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    checkpoints.jobs[0] = BEGUN
    provider.opened.set()

    assert await call(models, checkpoints, video(AGAIN)) == "https://cdn.example/1.mp4"
    assert provider.submits == 1
    assert counts.since() == (1, 0)


async def test_a_provider_that_takes_a_key_is_asked_again_with_the_same_one(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    provider.opened.set()

    await call(models, checkpoints, video(header=IDEMPOTENT))
    checkpoints.jobs.clear()
    provider.answers = [STARTED, DONE]
    await call(models, checkpoints, video(header=IDEMPOTENT))

    keys = [each.headers["Idempotency-Key"] for each in provider.asked if each.method == "POST"]
    assert keys == ["x-0", "x-0"]
    assert counts.since() == (0, 0)


async def test_a_submit_whose_answer_was_lost_is_not_repeated_by_a_retry(
    egress: Egress, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    found = provided("http", JOB.replace('"/jobs"', '"/drop"'), category="video")
    with serving_apart(Dropping()) as dropping:
        models = calling(egress, {"PROVIDER_URL": dropping.url, **MODEL_KEYS}, Kept())
        first = await fail(models, checkpoints, found)
        second = await fail(models, checkpoints, found)

    assert (first.code, first.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert second.code == "PROVIDER_UNKNOWN"
    assert dropping.lines == ["POST /drop"]
    assert counts.since() == (0, 1)


async def test_a_submit_that_took_too_long_is_not_repeated_by_a_retry(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SUBMIT_SECONDS", 0.05)

    first = await fail(models, checkpoints, video())
    second = await fail(models, checkpoints, video())

    assert (first.code, first.retryable) == ("PROVIDER_TIMEOUT", True)
    assert second.code == "PROVIDER_UNKNOWN"
    assert provider.submits <= 1  # none when it took as long to connect


# -- stopped in the middle of a submit ------------------------------------------------------------


async def stop_in_submit(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, found: Model
) -> None:
    """Stop a call whose submit is under way, and let the provider answer a moment later."""
    running = asyncio.create_task(call(models, checkpoints, found))
    await provider.submitted.acquire()
    running.cancel()
    asyncio.get_running_loop().call_later(0.05, provider.opened.set)
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_worker_that_drains_waits_for_the_id_and_puts_it_on_record(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "CANCEL_SECONDS", 30)
    await stop_in_submit(models, provider, checkpoints, video())

    assert checkpoints.jobs[0] == KNOWN
    assert await call(models, checkpoints, video()) == "https://cdn.example/1.mp4"
    assert provider.submits == 1


async def test_a_worker_that_drains_does_not_wait_for_ever(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "CANCEL_SECONDS", 0.01)

    await stop_in_submit(models, provider, checkpoints, video())

    assert checkpoints.jobs[0] == BEGUN
    assert (await fail(models, checkpoints, video())).code == "PROVIDER_UNKNOWN"


async def test_a_job_that_cannot_be_put_on_record_any_more_is_cancelled(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def save(item: int, record: Any) -> None:
        if "id" in record:
            raise NodeFailed("worker_lost", "The node went to another worker", retryable=True)

    monkeypatch.setattr(checkpoints, "save_job", save)
    provider.opened.set()

    failure = await fail(models, checkpoints, video(CANCEL))

    assert failure.code == "worker_lost"
    assert [each.path for each in provider.asked] == ["/jobs", "/jobs/j-1/cancel"]


# -- in whole walks -------------------------------------------------------------------------------


class Walkers:
    """Walkers of one execution, one after the other."""

    def __init__(self, runner: Runner, egress: Egress, provider: Slow) -> None:
        self._runner = runner
        self._egress = egress
        self._provider = provider
        self.reference = ""

    async def begin(self, attempts: int) -> str:
        """Accept an execution whose only model makes a video."""
        retry = {"attempts": attempts, "backoff": 0}
        graph = Graph().node("m", "customModel", model="own", prompt="a cat", retry=retry)
        graph.node("out", "responseOutput").wire("m.video-out > out.result-in")
        execution_id = await self._runner.begin(await self._runner.save(graph), terms=PRO)
        self.reference = keyspace.reference(self._runner.account.id, execution_id)
        return execution_id

    def walk(self, name: str) -> Walker:
        """Give the execution to a walker of this name."""
        models = calling(self._egress, self._provider.environ, Kept())
        walker = Walker(
            store=self._runner.store,
            executor=Executor(self._egress, Pool(slots=1), models),
            worker_id=name,
            cpu_slots=1,
            max_bytes=1_000_000,
            release=lambda: None,
            load_gate=LoadGate(),
        )
        walker.take(self.reference)
        return walker

    async def lose(self, name: str) -> None:
        """Take the execution from a walker as if its process had died."""
        await self._runner.store.walks.give_back(self.reference, name, is_lost=True)


Kill = Callable[[Walkers, Walker], Awaitable[None]]


async def die(walkers: Walkers, first: Walker) -> None:
    await walkers.lose("worker-1")


async def drain(walkers: Walkers, first: Walker) -> None:
    await first.drain(0)


@pytest.fixture(params=["", AGAIN], ids=["plain", "resubmit"])
def more(request: pytest.FixtureRequest) -> Iterator[str]:
    with use_models([video(request.param)]):
        yield request.param


@pytest.mark.parametrize("leave", [die, drain])
async def test_a_node_whose_submit_was_under_way_when_its_worker_went(
    runner: Runner,
    egress: Egress,
    provider: Slow,
    counts: Counts,
    monkeypatch: pytest.MonkeyPatch,
    more: str,
    leave: Kill,
) -> None:
    monkeypatch.setattr(jobs, "CANCEL_SECONDS", 0.01)
    walkers = Walkers(runner, egress, provider)
    execution_id = await walkers.begin(attempts=3)
    first = walkers.walk("worker-1")
    await provider.submitted.acquire()

    await leave(walkers, first)
    second = walkers.walk("worker-2")
    if more:
        await provider.submitted.acquire()
        provider.answers = [DONE]
        provider.opened.set()
    execution = await runner.end(execution_id)
    for walker in (first, second):
        await walker.drain(0)

    if more:
        assert execution.status is ExecutionStatus.COMPLETED, execution.error
        assert (provider.submits, counts.since()) == (2, (1, 0))
    else:
        assert node_error(execution)["code"] == "PROVIDER_UNKNOWN"
        assert (provider.submits, counts.since()) == (1, (0, 1))
        assert execution.error is not None
        assert execution.error["nodeCode"] == "PROVIDER_UNKNOWN"


@pytest.mark.parametrize("more", [""], indirect=True)
async def test_a_node_that_waited_for_its_turn_when_its_worker_died_is_submitted(
    runner: Runner, egress: Egress, provider: Slow, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()

    async def wait(*_: Any) -> None:
        held.set()
        await asyncio.Event().wait()

    walkers = Walkers(runner, egress, provider)
    execution_id = await walkers.begin(attempts=1)
    with monkeypatch.context() as waiting:
        waiting.setattr("workers.providers.model_caller.with_own_media", wait)
        waiting.setattr("workers.providers.http.with_data", wait)
        first = walkers.walk("worker-1")
        await held.wait()
        await walkers.lose("worker-1")
    provider.opened.set()
    second = walkers.walk("worker-2")
    execution = await runner.end(execution_id)
    for walker in (first, second):
        await walker.drain(0)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert provider.submits == 1


def node_error(execution: Execution) -> dict[str, Any]:
    """The error of the only node that failed."""
    [error] = [node.error for node in execution.nodes if node.error]
    return error
