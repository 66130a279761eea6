"""Lists with an item that fails for good: jobs of the other items are cancelled."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.executions.execution import Execution
from engine.models.registry import use_folder
from engine.settings import Settings
from tests.support.factories import Graph, Runner
from tests.support.http.providers import MODEL_KEYS
from tests.support.manifests import manifest
from tests.support.workers.job_workers import VIDEO
from tests.workers.providers.test_model_caller_workers import paid, run, seen
from workers.main import worker

LONG = "[[stub job=60000]]"


@pytest.fixture
def settings(
    settings: Settings, tmp_path: Path, stub_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    (tmp_path / "clip.toml").write_text(manifest("clip", category="video", call=VIDEO))
    for name, value in {"PROVIDER_URL": stub_url, **MODEL_KEYS}.items():
        monkeypatch.setenv(name, value)
    yield replace(settings, models_dir=str(tmp_path))
    use_folder("")


def clips(*prompts: str, **data: object) -> Graph:
    """A clip for each prompt."""
    return (
        Graph("topic")
        .node("l", "list", items=[{"value": prompt} for prompt in prompts])
        .node("m", "customModel", model="clip", **data)
        .node("out", "responseOutput")
        .wire("l.items-out > m.prompt-in", "m.video-out > out.result-in")
    )


async def counted(url: str) -> dict[str, int]:
    found: dict[str, int] = (await seen(url))["byPath"]
    return found


async def cancelled(url: str, before: dict[str, int]) -> tuple[int, int]:
    """Return the numbers of jobs begun and cancelled since then."""
    now = await counted(url)
    begun, ended = (
        now.get(path, 0) - before.get(path, 0) for path in ("/jobs", "/jobs/{id}/cancel")
    )
    return begun, ended


def failure(execution: Execution) -> object:
    return execution.nodes[2].error


async def test_the_jobs_of_the_others_are_cancelled_and_nothing_is_charged(
    settings: Settings, runner: Runner, stub_url: str
) -> None:
    before = await counted(stub_url)
    graph = clips(LONG, "[[stub job=100 end=failed]] x", f"{LONG} b")

    async with worker(settings):
        execution = await run(runner, graph)

    assert "The job failed, as asked" in str(failure(execution))
    assert await cancelled(stub_url, before) == (3, 2)
    assert await paid(runner) == 0


async def test_jobs_whose_submit_has_no_answer_yet_are_cancelled_too(
    settings: Settings, runner: Runner, stub_url: str
) -> None:
    before = await counted(stub_url)
    graph = clips("[[stub fail=400]] y", "[[stub delay=400 job=60000]]")

    async with worker(settings):
        execution = await run(runner, graph)

    assert "PROVIDER_REJECTED" in str(failure(execution))
    assert await cancelled(stub_url, before) == (2, 1)


async def test_the_jobs_of_the_others_go_on_where_the_node_is_tried_again(
    settings: Settings, runner: Runner, stub_url: str
) -> None:
    before = await counted(stub_url)
    flaky = "[[stub delay=100 fail=503 times=1 output=video]] z"
    steady = "[[stub job=300 output=video]]"
    graph = clips(steady, flaky, retry={"attempts": 2, "backoff": 0.1})

    async with worker(settings):
        execution = await run(runner, graph)

    assert execution.error is None
    assert await cancelled(stub_url, before) == (3, 0)


async def test_jobs_are_cancelled_by_the_last_attempt_of_a_node_that_is_tried_again(
    settings: Settings, runner: Runner, stub_url: str
) -> None:
    before = await counted(stub_url)
    graph = clips(f"{LONG} c", "[[stub delay=100 fail=503]] v", retry={"attempts": 2, "backoff": 0})

    async with worker(settings):
        execution = await run(runner, graph)

    assert "PROVIDER_UNAVAILABLE" in str(failure(execution))
    assert await cancelled(stub_url, before) == (3, 1)
