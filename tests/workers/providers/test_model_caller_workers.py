"""Providers through whole workers: an endpoint by a manifest alone, retries, charges, kills."""

import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from aiohttp import web

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_folder
from engine.settings import Settings
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.providers import MODEL_KEYS, Provider, a_named_provider, stub_provider
from tests.support.manifests import PER_CALL, manifest
from tests.support.workers.job_workers import VIDEO, JobWorker, holder_of, job_workers
from tests.support.workers.paying_account import PRO
from workers.main import worker

PRICE = 13
"""Of one call for 0.010 USD with the markup of a Pro account."""
CHAT = """
[openai]
base_url = "http://127.0.0.1:9"
base_url_env = "PROVIDER_URL"
api_key_env = "PROVIDER_KEY"
model = "any"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of manifests: `mine` for chats, `clip` for videos."""
    (tmp_path / "mine.toml").write_text(manifest("mine", call=CHAT))
    (tmp_path / "clip.toml").write_text(manifest("clip", category="video", call=VIDEO))
    yield tmp_path
    use_folder("")


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return replace(settings, models_dir=str(folder))


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    async with a_named_provider(monkeypatch) as provider:
        yield provider


def calling(name: str, output: str = "text-out", **data: Any) -> Graph:
    return (
        Graph("topic")
        .node("m", "customModel", model=name, **data)
        .node("out", "responseOutput")
        .wire("in.topic > m.prompt-in", f"m.{output} > out.result-in")
    )


async def begin(runner: Runner, graph: Graph, topic: str = "cats") -> str:
    return await runner.begin(await runner.save(graph), {"topic": topic}, terms=PRO)


async def run(runner: Runner, graph: Graph, topic: str = "cats") -> Execution:
    return await runner.end(await begin(runner, graph, topic), 30)


async def paid(runner: Runner) -> int:
    """Return the account's paid credits; its ledger is right, and none is reserved."""
    assert await runner.store.wallets.check(runner.account.id) == []
    wallet = await runner.store.wallets.get(runner.account.id, PRO)
    assert wallet.reserved == 0
    return PRO.allowance - wallet.balance


# -- by a manifest alone --------------------------------------------------------------------------


async def test_an_endpoint_is_added_by_a_manifest_alone(
    settings: Settings, runner: Runner, provider: Provider
) -> None:
    provider.answers = [{"choices": [{"message": {"content": "All about cats"}}]}]

    async with worker(settings):
        execution = await run(runner, calling("mine"))

    assert execution.result == {"text": "All about cats"}
    assert execution.credits_cost == await paid(runner) == PRICE


async def test_a_manifest_that_changes_counts_for_workflows_that_are_there(
    settings: Settings, runner: Runner, provider: Provider, folder: Path
) -> None:
    provider.answers = [{"choices": [{"message": {"content": "hi"}}]}]
    graph = calling("mine")

    async with worker(settings):
        before = await run(runner, graph)
        slug = before.workflow_slug
        dearer = PER_CALL.replace("0.010", "0.100")
        text = manifest("mine", call=CHAT.replace('"any"', '"other"'), pricing=dearer)
        (folder / "mine.toml").write_text(text)

        async def again() -> Execution:
            return await runner.end(await runner.begin(slug, {"topic": "x"}, terms=PRO))

        after = await eventually(again, lambda found: found.credits_cost == 130, pause=0.2)

    assert before.credits_cost == PRICE
    assert after.status is ExecutionStatus.COMPLETED
    assert [provider.asked[0].body["model"], provider.asked[-1].body["model"]] == ["any", "other"]


async def test_a_provider_that_asks_for_a_pause_gets_it_and_is_paid_once(
    settings: Settings, runner: Runner, provider: Provider
) -> None:
    provider.answers = [
        web.json_response({"error": "Slow down"}, status=429, headers={"Retry-After": "1"}),
        {"choices": [{"message": {"content": "hi"}}]},
    ]

    async with worker(settings):
        execution = await run(runner, calling("mine", retry={"attempts": 2, "backoff": 0.01}))

    assert execution.result == {"text": "hi"}
    assert execution.nodes[1].attempts == 2
    assert (execution.duration_ms or 0) >= 900
    assert await paid(runner) == PRICE


async def test_a_failed_call_gives_its_code_and_costs_nothing(
    settings: Settings, runner: Runner, provider: Provider
) -> None:
    provider.answers = [web.json_response({"error": "No such model"}, status=404)]

    async with worker(settings):
        execution = await run(runner, calling("mine"))

    assert execution.status is ExecutionStatus.FAILED
    error = {"code": "PROVIDER_REJECTED", "message": "No such model"}
    assert execution.nodes[1].error == error
    assert await paid(runner) == 0


async def test_another_model_is_paid_when_it_has_answered_instead(
    settings: Settings, runner: Runner, provider: Provider, folder: Path
) -> None:
    provider.answers = [web.Response(status=503)]
    half = PER_CALL.replace("0.010", "0.005")
    (folder / "mine.toml").write_text(manifest("mine", head='fallback = ["half"]\n', call=CHAT))
    (folder / "half.toml").write_text(manifest("half", pricing=half))

    async with worker(settings):
        execution = await run(runner, calling("mine"))

    assert execution.result == {"text": "<cats>"}
    assert execution.model_ids == ("mine",)
    assert execution.credits_cost == await paid(runner) == 7


async def test_a_key_that_a_provider_repeats_is_nowhere_in_the_store(
    settings: Settings, runner: Runner, provider: Provider
) -> None:
    key = MODEL_KEYS["PROVIDER_KEY"]
    provider.answers = [web.json_response({"error": f"Bad key {key}"}, status=401)]

    async with worker(settings):
        execution = await run(runner, calling("mine"))

    assert execution.nodes[1].error == {"code": "PROVIDER_REJECTED", "message": "Bad key [secret]"}
    with redis.Redis.from_url(settings.redis_url) as client:
        kept = [client.dump(name) for name in client.scan_iter(count=1000)]
    assert [each for each in kept if each and b"Bad key" in each]
    assert not [each for each in kept if each and key.encode() in each]


async def test_a_list_of_jobs_is_one_submit_for_each_item(
    settings: Settings, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [{"value": f"item {number}"} for number in range(4)]
    graph = (
        Graph()
        .node("l", "list", items=items)
        .node("m", "customModel", model="clip")
        .node("out", "responseOutput")
        .wire("l.items-out > m.prompt-in", "m.video-out > out.result-in")
    )
    with stub_provider("output=video;job=100") as url:
        monkeypatch.setenv("PROVIDER_URL", url)
        monkeypatch.setenv("PROVIDER_KEY", MODEL_KEYS["PROVIDER_KEY"])

        async with worker(settings):
            execution = await run(runner, graph)
        calls = await seen(url)

    assert execution.status is ExecutionStatus.COMPLETED
    keys = {call["idempotencyKey"] for call in calls["recent"] if call["method"] == "POST"}
    assert keys == {f"{execution.id}-1-{number}" for number in range(4)}


# -- killed and cancelled -------------------------------------------------------------------------


async def seen(url: str) -> dict[str, Any]:
    """Return the calls that have arrived at the stub."""
    async with httpx.AsyncClient() as client:
        found: dict[str, Any] = (await client.get(f"{url}/stub/calls")).json()
        return found


async def polls(url: str) -> int:
    counts: dict[str, int] = (await seen(url))["byPath"]
    return counts.get("/jobs/{id}", 0)


@pytest.fixture
async def workers(
    settings: Settings, store: Store, stub_url: str
) -> AsyncIterator[list[JobWorker]]:
    """Two worker processes that know the folder and the stub."""
    async with httpx.AsyncClient() as client:
        await client.post(f"{stub_url}/stub/reset")
    async with job_workers(settings, store, stub_url, 2) as processes:
        yield processes


async def test_a_killed_worker_costs_no_second_job_and_no_second_charge(
    workers: list[JobWorker], runner: Runner, stub_url: str
) -> None:
    execution_id = await begin(runner, calling("clip", "video-out"), "[[stub job=3000]]")
    await eventually(lambda: polls(stub_url), lambda count: count >= 1)

    holder = await eventually(lambda: holder_of(runner.store, workers))
    assert holder is not None
    await holder.end(signal.SIGKILL)
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    calls = await seen(stub_url)
    assert calls["jobs"]["created"] == 1
    assert calls["byPath"]["/jobs"] == 1
    assert await paid(runner) == PRICE


async def test_an_execution_that_is_cancelled_cancels_its_job(
    workers: list[JobWorker], runner: Runner, stub_url: str
) -> None:
    execution_id = await begin(runner, calling("clip", "video-out"), "[[stub job=60000]]")
    await eventually(lambda: polls(stub_url), lambda count: count >= 1)

    await runner.store.executions.cancel(runner.account.id, execution_id)
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.CANCELLED
    assert (await seen(stub_url))["jobs"]["cancelled"] == 1
    assert await paid(runner) == 0
