"""Agents while workers of the previous release, which know none, run beside, and one leads."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, cast

import pytest

from engine.settings import Settings
from engine.store import Store
from engine.store.children.records import GroupOpened, GroupTarget
from engine.store.children.rounds import GroupOpening, NewRound, RoundItem
from tests.support.acceptance.running_stack import models_at
from tests.support.acceptance.versions.processes import is_fault
from tests.support.acceptance.versions.releases import THIS_RELEASE, Release
from tests.support.acceptance.versions.trial import GATEWAY, WORKER, VersionTrial, version_trial
from tests.support.eventually import eventually
from tests.support.http.providers import serving_provider
from tests.support.models.agent_trial import STEPS, NotedCalls, agent, expected, six_steps, tool
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.child_runs import NODE_ID, ChildRuns
from tests.support.store.records import save

RUNS = 12


async def begin(trial: VersionTrial, slug: str, number: int) -> str:
    path, body = f"/api/workflows/{slug}/run?async=true", {"inputs": {"run": str(number)}}
    status, answer = await trial.load.ask("POST", path, body)
    assert status == 202, answer
    return str(answer["executionId"])


async def end_of(trial: VersionTrial, execution_id: str) -> dict[str, Any]:
    return await eventually(
        lambda: trial.load.read(execution_id),
        lambda found: found["status"] in ("completed", "failed", "cancelled"),
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.F59
async def test_agents_end_beside_workers_of_the_previous_release(
    previous: Release, tmp_path: Path
) -> None:
    provider = NotedCalls(seconds=0.2)
    # No HTTP Request may call the address of a model.
    tools = NotedCalls(tool_seconds=0.2, noted=provider.noted)
    async with (
        serving_provider(provider),
        serving_provider(tools),
        version_trial(tmp_path, previous) as trial,
    ):
        cast(MutableMapping[str, str], trial.fleet.environ).update(models_at(provider.url))
        await trial.start((previous, WORKER), (previous, WORKER))
        await asyncio.sleep(2)  # one of them leads
        await trial.start((THIS_RELEASE, GATEWAY), (THIS_RELEASE, WORKER), (THIS_RELEASE, WORKER))
        slug = await trial.load.save("Tool", tool(tools.url))
        provider.script = six_steps(slug)
        asking = await trial.load.save("Agent", agent(slug))
        ids = [await begin(trial, asking, number) for number in range(RUNS)]
        await asyncio.sleep(1)
        await trial.kill_one([trial.fleet.members[-1]])
        for number, execution_id in enumerate(ids):
            found = await end_of(trial, execution_id)
            assert found["status"] == "completed", found
            assert found["result"]["text"] == expected(number)
            statuses = [each["status"] for each in found["result"]["steps"]]
            assert statuses == ["completed"] * STEPS
        await asyncio.to_thread(trial.fleet.stop)
        assert trial.fleet.lines(is_fault) == []


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.F84
async def test_the_previous_release_leaves_children_of_agents_to_others(
    previous: Release, tmp_path: Path
) -> None:
    async with version_trial(tmp_path, previous) as trial:
        store = Store.open(Settings(redis_url=trial.redis_url, secret_key=SECRET_KEY))
        saved = await save(store, trial.account)
        plain, growing = (ChildRuns(store, trial.account, saved) for _ in range(2))
        for runs in (plain, growing):
            await runs.begin_root()
        target = GroupTarget(slug=plain.workflow.slug, version=1)
        opening = GroupOpening(node_id=NODE_ID, target=target, depth=2, shared={})
        items = [RoundItem(target=target, inputs={"who": "me"})] * 2
        new = NewRound(ref=growing.ref, expected=0, items=items, opening=opening)
        assert isinstance(await store.children.rounds.append(new), GroupOpened)
        assert isinstance(await plain.try_open(1), GroupOpened)

        await trial.start((previous, WORKER))
        await eventually(plain.group, lambda group: "q" not in group.states)
        await asyncio.sleep(2)

        assert (await growing.group()).states == "qq"
        await store.close()
        await asyncio.to_thread(trial.fleet.stop)
        assert trial.fleet.lines(is_fault) == []
