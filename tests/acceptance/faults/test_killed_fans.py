"""Workers killed in the middle of a list of images: finished images are kept, the rest is made."""

import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_folder
from engine.settings import Settings
from engine.store import Store
from engine.store.redis.record_packing import unpack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.providers import ENDPOINT, stub_provider
from tests.support.manifests import manifest
from tests.support.workers.job_workers import JobWorker, job_workers

IMAGES, KILLS, WORKERS = 8, 3, 2
PRICE = 13
"""Credits for one call at 0.010 USD with the markup of a Pro account."""
ALLOWANCE = 100_000
TERMS = replace(load().terms(Tier.PRO, Role.USER), allowance=ALLOWANCE)


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with stub_provider() as url:
        yield url


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    call = f"[openai]{ENDPOINT}model = 'any'\n"
    (tmp_path / "drawn.toml").write_text(manifest("drawn", category="image", call=call))
    yield replace(settings, models_dir=str(tmp_path))
    use_folder("")


@pytest.fixture
async def workers(
    settings: Settings, store: Store, provider_url: str
) -> AsyncIterator[list[JobWorker]]:
    more = {"HEADRACE_LEASE_SECONDS": "1", "HEADRACE_MEDIA_URL": settings.media_url}
    async with job_workers(settings, store, f"{provider_url}/v1", WORKERS, **more) as processes:
        yield processes


def drawing(number: int) -> Graph:
    """Return eight images, half of which come at once and half much later, alternating."""
    delays = (20, 1_500)
    items = [
        {"value": f"[[stub delay={delays[each % 2]}]] {number}/{each}"} for each in range(IMAGES)
    ]
    graph = Graph().node("l", "list", items=items)
    graph.node("m", "imageGenerator", model="drawn").node("out", "responseOutput")
    return graph.wire("l.items-out > m.prompt-in", "m.image-out > out.result-in")


async def calls(url: str) -> int:
    async with httpx.AsyncClient() as client:
        found: dict[str, int] = (await client.get(f"{url}/stub/calls")).json()["byPath"]
    return found.get("/v1/images/generations", 0)


async def kept(runner: Runner, execution_id: str) -> int:
    """Return the number of images on record before the node has ended."""
    batches = await runner.store.checkpoints.read_answers(runner.account.id, execution_id, 1)
    return sum(len(unpack(unpack(batch))) for batch in batches)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_images_that_had_come_are_not_made_again_when_all_workers_are_killed(
    runner: Runner, workers: list[JobWorker], provider_url: str
) -> None:
    for number in range(KILLS):
        before = await calls(provider_url)
        slug = await runner.save(drawing(number))
        execution_id = await runner.begin(slug, {}, terms=TERMS)
        await eventually(lambda known=execution_id: kept(runner, known), lambda n: n == IMAGES // 2)
        under_way = await calls(provider_url) - before
        for process in workers:
            await process.end(signal.SIGKILL)
        for process in workers:
            await process.start()
        execution = await runner.end(execution_id, 60)

        assert execution.status is ExecutionStatus.COMPLETED, execution.error
        assert len(set(execution.result["images"])) == IMAGES
        assert under_way == IMAGES
        assert await calls(provider_url) - before == IMAGES + IMAGES // 2
        assert execution.credits_cost == IMAGES * PRICE
    paid = ALLOWANCE - (await runner.store.wallets.get(runner.account.id, TERMS)).balance

    assert paid == KILLS * IMAGES * PRICE
    assert await runner.store.wallets.check(runner.account.id) == []
