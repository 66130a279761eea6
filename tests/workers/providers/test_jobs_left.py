"""Jobs of an attempt whose next attempt never comes: they are cancelled."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_folder
from engine.settings import Settings
from engine.store import Account, Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.providers import MODEL_KEYS
from tests.support.manifests import manifest
from tests.support.workers.job_workers import VIDEO
from tests.workers.providers.test_model_caller_workers import begin, paid, seen
from workers.main import worker

LONG = "[[stub job=60000]]"
FLAKY = "[[stub delay=100 fail=503]]"
LATE = "[[stub delay=900 fail=503]]"
DONE = "[[stub job=100 output=video]]"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return tmp_path / "clip.toml"


@pytest.fixture
def settings(
    settings: Settings, clip: Path, stub_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    clip.write_text(manifest("clip", category="video", call=VIDEO))
    for name, value in {"PROVIDER_URL": stub_url, **MODEL_KEYS}.items():
        monkeypatch.setenv(name, value)
    yield replace(settings, models_dir=str(clip.parent))
    use_folder("")


def clips(*prompts: str, backoff: float) -> Graph:
    """Return a graph with a clip for each prompt, in at most two attempts."""
    return (
        Graph("topic")
        .node("l", "list", items=[{"value": prompt} for prompt in prompts])
        .node("m", "customModel", model="clip", retry={"attempts": 2, "backoff": backoff})
        .wire("l.items-out > m.prompt-in")
    )


def shown(graph: Graph) -> Graph:
    """Add its clips as the result."""
    return graph.node("out", "responseOutput").wire("m.video-out > out.result-in")


class Jobs:
    """Requests to the provider since the test began."""

    def __init__(self, url: str, before: dict[str, int]) -> None:
        self._url = url
        self._before = before

    async def count(self) -> tuple[int, int]:
        """Return the numbers of requested jobs, failed ones included, and of cancels."""
        now = (await seen(self._url))["byPath"]
        asked, cancelled = (
            now.get(path, 0) - self._before.get(path, 0) for path in ("/jobs", "/jobs/{id}/cancel")
        )
        return asked, cancelled


@pytest.fixture
async def jobs(stub_url: str) -> Jobs:
    return Jobs(stub_url, (await seen(stub_url))["byPath"])


async def in_pause(store: Store, account: Account, execution_id: str) -> None:
    """Wait until the first attempt has failed and the second waits, held by no worker."""
    await eventually(
        lambda: store.executions.get(account.id, execution_id),
        lambda execution: any(node.status == "retrying" for node in execution.nodes),
    )


async def test_a_cancel_in_a_pause_before_a_retry_cancels_unfinished_jobs(
    settings: Settings, runner: Runner, jobs: Jobs
) -> None:
    async with worker(settings):
        execution_id = await begin(
            runner, shown(clips(f"{LONG} 1", LATE, f"{LONG} 2", DONE, backoff=60))
        )
        await in_pause(runner.store, runner.account, execution_id)
        before = await jobs.count()
        status = await runner.store.executions.cancel(runner.account.id, execution_id)
        execution = await runner.end(execution_id)
        after = await eventually(jobs.count, lambda count: count[1] == 2)

    assert (status, execution.status) == (
        *(ExecutionStatus.CANCEL_REQUESTED, ExecutionStatus.CANCELLED),
    )
    assert (before, after) == ((4, 0), (4, 2))
    assert await paid(runner) == 0


async def test_when_another_node_fails_in_a_pause_the_jobs_left_are_cancelled(
    settings: Settings, runner: Runner, jobs: Jobs
) -> None:
    graph = clips(LONG, FLAKY, backoff=60)
    graph.node("x", "customModel", model="clip", values={"prompt": "[[stub delay=900 fail=400]]"})
    graph.node("both", "textBox", text="{{ a }} {{ b }}").node("end", "responseOutput")
    graph.wire("m.video-out > both.a", "x.video-out > both.b", "both.text-out > end.result-in")

    async with worker(settings):
        execution = await runner.end(await begin(runner, graph), 30)
        after = await eventually(jobs.count, lambda count: count[1] == 1)

    assert execution.status is ExecutionStatus.FAILED
    assert after == (3, 1)


@pytest.mark.parametrize("backoff", [0.9, 1.3], ids=["in hand", "claimed again"])
async def test_a_node_that_fails_before_it_asks_again_has_its_jobs_cancelled(
    settings: Settings, runner: Runner, jobs: Jobs, clip: Path, backoff: float
) -> None:
    async with worker(settings):
        execution_id = await begin(runner, shown(clips(LONG, FLAKY, backoff=backoff)))
        await in_pause(runner.store, runner.account, execution_id)
        clip.write_text(f"enabled = false\n{clip.read_text()}")
        for folder in ("", settings.models_dir):  # so that it is read again now
            use_folder(folder)
        execution = await runner.end(execution_id)
        after = await eventually(jobs.count, lambda count: count[1] == 1)

    assert "model_gone" in str(execution.nodes[2].error)
    assert after == (2, 1)
