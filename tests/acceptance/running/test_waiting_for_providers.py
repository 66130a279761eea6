"""Many runs that wait for providers in one worker process: their duration and memory."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL, ExecutionStatus
from engine.models.registry import use_folder
from engine.settings import Settings
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.providers import ENDPOINT, stub_provider
from tests.support.manifests import PER_CALL, manifest
from tests.support.workers.job_workers import IDEMPOTENT, JOB, JobWorker, job_workers

RUNS = 1_000
JOB_SECONDS = 20
MAX_SECONDS = 30
MAX_KIB_PER_RUN = 100
IMAGES = 15
MAX_FAN_SECONDS = 1.3
TERMS = replace(load().terms(Tier.PRO, Role.USER), allowance=100_000_000, executions_at_once=None)
PICTURE = f"""
[http]{ENDPOINT}
path = "/v1/images/generations"
body = {{ prompt = "{{{{ prompt }}}}", size = "64x64", response_format = "url" }}
result = "data[].url"
"""


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with stub_provider("output=video") as url:
        yield url


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    calls = {"video": f"[http]{ENDPOINT}{IDEMPOTENT}{JOB}", "image": PICTURE}
    for category, call in calls.items():
        text = manifest(category, category=category, pricing=PER_CALL, call=call)
        (tmp_path / f"{category}.toml").write_text(text)
    yield replace(settings, models_dir=str(tmp_path))
    use_folder("")


@pytest.fixture
async def process(settings: Settings, store: Store, provider_url: str) -> AsyncIterator[JobWorker]:
    lease = {"HEADRACE_LEASE_SECONDS": "1"}
    async with job_workers(settings, store, provider_url, 1, **lease) as processes:
        yield processes[0]


def memory_kib(process: JobWorker) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


async def ended(runner: Runner, execution_id: str) -> Execution:
    return await eventually(
        lambda: runner.store.executions.get(runner.account.id, execution_id),
        lambda execution: execution.status in TERMINAL,
        timeout=90,
        pause=0.5,
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_thousand_runs_wait_for_jobs_in_one_process(
    runner: Runner, process: JobWorker
) -> None:
    graph = Graph("topic").node("m", "customModel", model="video").node("out", "responseOutput")
    slug = await runner.save(graph.wire("in.topic > m.prompt-in", "m.video-out > out.result-in"))
    first = await runner.begin(slug, {"topic": "[[stub job=10]]"}, terms=TERMS)
    await ended(runner, first)
    before, began = memory_kib(process), time.monotonic()

    ids = [
        await runner.begin(slug, {"topic": f"{n} [[stub job={JOB_SECONDS}000]]"}, terms=TERMS)
        for n in range(RUNS)
    ]
    await anyio.sleep(JOB_SECONDS * 0.75)
    per_run = (memory_kib(process) - before) / RUNS
    ends = [await ended(runner, execution_id) for execution_id in ids]
    seconds = time.monotonic() - began

    print(f"{RUNS} jobs of {JOB_SECONDS} s: {seconds:.1f} s, {per_run:.0f} KiB for each")
    assert {execution.status for execution in ends} == {ExecutionStatus.COMPLETED}
    assert seconds <= MAX_SECONDS
    assert per_run <= MAX_KIB_PER_RUN


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_fan_of_images_takes_as_long_as_one(runner: Runner, process: JobWorker) -> None:
    items = [{"value": f"a cat, {n} [[stub delay=1000]]"} for n in range(IMAGES)]
    graph = (
        Graph()
        .node("l", "list", items=items)
        .node("m", "customModel", model="image")
        .node("out", "responseOutput")
        .wire("l.items-out > m.prompt-in", "m.image-out > out.result-in")
    )
    slug = await runner.save(graph)

    ends = []
    for _ in range(3):
        execution_id = await runner.begin(slug, terms=TERMS)
        ends.append(await ended(runner, execution_id))

    seconds = min((execution.duration_ms or 0) / 1000 for execution in ends)
    print(f"{IMAGES} images of 1 s: {seconds:.2f} s")
    assert [len(execution.result["images"]) for execution in ends] == [IMAGES] * 3
    assert seconds <= MAX_FAN_SECONDS
