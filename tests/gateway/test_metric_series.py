"""Series of metrics: workflows, accounts and paths do not make more of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Store
from engine.telemetry.metrics import REGISTRY
from tests.gateway.conftest import MakeClient
from tests.support.factories import Graph, Runner, http_fan
from workers.main import worker

AT_ONCE = 20
OF_ACCOUNT = 500
"""Workflows of one account, whose tier allows a thousand."""
FEW = 30
"""Series that come with time: each duty of the sweeper has one once it was due."""
GONE = "http://127.0.0.1:1/"


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[None]:
    """A whole worker in this process, whose series are those of the gateway's registry."""
    async with worker(replace(settings, cpu_slots=1)):
        yield


def series() -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in REGISTRY.collect()
        for sample in family.samples
    }


def graph(number: int) -> Graph:
    """Return a workflow of its own: every tenth one fails at a call."""
    if number % 10 == 0:
        return http_fan(GONE, 1)
    made = Graph("name").node(f"text-{number}", "textBox", text=f"{number} {{{{ name }}}}")
    made.node("out", "responseOutput")
    return made.wire(f"in.name > text-{number}.name", f"text-{number}.text-out > out.result-in")


async def use(runner: Runner, client: httpx2.AsyncClient, number: int) -> None:
    """Save and run a workflow, and ask for it and for others that are not there."""
    slug = await runner.save(graph(number))
    await runner.end(await runner.begin(slug, {"name": "Ada"}))
    for path in (f"/api/workflows/{slug}", f"/api/executions/e{number}", f"/no/{number}"):
        await client.get(path)


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    "workflows", [60, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])]
)
async def test_many_workflows_make_no_further_series(
    runner: Runner, make_client: MakeClient, api_key: str, store: Store, workflows: int
) -> None:
    client = await make_client(api_key)
    for number in range(20):
        await use(runner, client, number)
    before = series()

    for first in range(20, workflows, AT_ONCE):
        if first // OF_ACCOUNT != (first - AT_ONCE) // OF_ACCOUNT:
            account = await store.accounts.create(email=f"u{first}@example.com", tier=Tier.PRO)
            runner = Runner(store, account, runner.notifier)
        some = range(first, min(first + AT_ONCE, workflows))
        await asyncio.gather(*(use(runner, client, number) for number in some))

    assert len(series() - before) <= FEW, series() - before
