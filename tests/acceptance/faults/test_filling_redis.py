"""An account that saves or runs as much as it can: its share of Redis's memory (`-s` shows it)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Store
from engine.store.redis.info import read_info
from engine.store.workflows.versions import VERSIONS_KEPT
from tests.conftest import RedisServer
from tests.gateway.conftest import serving
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.gateway.documents import greeting, node
from tests.support.redis.installation import SECRET_KEY
from workers.main import worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MB = 1_000_000
PART = "x" * (MB // 4)
OVERHEAD = 1.2
"""Megabytes of Redis for a value of 1 MB."""
AT_ONCE = 4


class Attack:
    """An account, its key, and Redis's memory since it began."""

    def __init__(self, store: Store, settings: Settings, client: httpx2.AsyncClient) -> None:
        self.store = store
        self.settings = settings
        self._client = client
        self._before = 0.0

    async def begin(self, tier: Tier = Tier.PRO, *, approved: bool = True) -> None:
        """Become a new account."""
        self.account = await self.store.accounts.create(
            email="eve@example.com", tier=tier, approved=approved
        )
        _, secret = await self.store.api_keys.create(
            self.account, name="k", capabilities=["workflow:*"]
        )
        self._client.headers["x-api-key"] = secret
        self._before = await self._used()

    async def _used(self) -> float:
        return int((await read_info(self.store.client, "memory"))["used_memory"]) / MB

    async def memory(self, what: str) -> float:
        """Return megabytes that Redis has grown since the account began."""
        grown = await self._used() - self._before
        print(f"{what}: {grown:+.1f} MB")
        return grown

    async def save(self, count: int, slug: str = "") -> Counter[int]:
        """Save that many times, a workflow's next versions or new workflows; return statuses."""
        found: Counter[int] = Counter()
        path, method = (f"/api/workflows/{slug}", "PUT") if slug else ("/api/workflows", "POST")
        concurrency = 1 if slug else AT_ONCE

        async def go_on(share: int) -> None:
            for _ in range(share):
                answer = await self._client.request(method, path, json=document())
                found[answer.status_code] += 1

        await asyncio.gather(*(go_on(count // concurrency) for _ in range(concurrency)))
        return found

    async def run(self, count: int, inputs: dict[str, str]) -> None:
        """Run a workflow that uses the field `used` and not `rest` that many times."""
        graph = Graph("used", "rest").node("out", "responseOutput")
        graph.node("size", "transform", expression="size(value)")
        graph.wire("in.used > size.value-in", "size.value-out > out.result-in")
        saved = await self._client.post("/api/workflows", json=graph.body("Sized"))
        path = f"/api/workflows/{saved.json()['slug']}/run?async=true"
        for _ in range(count):
            answer = await self._client.post(path, json={"inputs": inputs})
            assert answer.status_code == 202

    async def all_completed(self, count: int) -> None:
        """Wait until so many runs have completed."""
        account_id = self.account.id

        async def completed() -> int:
            rows, _ = await self.store.executions.list(account_id, limit=count)
            return sum(row.status is ExecutionStatus.COMPLETED for row in rows)

        await eventually(completed, lambda found: found == count, timeout=120, pause=0.2)

    async def delete(self, slug: str) -> None:
        """Delete a workflow, and let the sweeper do its part."""
        assert (await self._client.delete(f"/api/workflows/{slug}")).status_code == 200
        while await self.store.versions.prune():
            pass


def document() -> dict[str, Any]:
    body = greeting()
    body["nodes"] += [node(f"note-{n}", "note", text=PART) for n in range(4)]
    return body


@pytest.fixture
def tiers() -> str:
    """Tiers as the test changes them."""
    return ""


@pytest.fixture
async def attack(own_server: RedisServer, tmp_path: Path, tiers: str) -> AsyncIterator[Attack]:
    path = tmp_path / "tiers.toml"
    path.write_text(tiers)
    settings = Settings(
        redis_url=own_server.url,
        secret_key=SECRET_KEY,
        tiers_file=str(path),
        media_url=(tmp_path / "media").as_uri(),
        media_free_bytes=0,
        cpu_slots=1,
    )
    store = Store.open(settings, ObjectStore.from_settings(settings))
    async with (
        serving(settings) as gateway,
        httpx2.AsyncClient(base_url=gateway.url, timeout=60) as client,
    ):
        yield Attack(store, settings, client)
    await store.close()


async def test_an_account_that_is_not_approved_gets_nothing(attack: Attack) -> None:
    await attack.begin(approved=False)

    saved = await attack.save(100)

    assert set(saved) <= {403, 429}

    assert await attack.memory("100 saves of 1 MB by an account that is not approved") < 1


@pytest.mark.usefixtures("calm_window")
async def test_an_approved_one_gets_what_its_rate_allows(attack: Attack) -> None:
    await attack.begin()

    assert await attack.save(100) == {201: 60, 429: 40}

    assert await attack.memory("100 saves of 1 MB by a Pro account") < 60 * OVERHEAD + 5


@pytest.fixture
async def calm_window(attack: Attack) -> None:
    """Wait for the next minute when little of this one is left."""
    seconds, _ = await attack.store.client.send("TIME")
    if int(seconds) % 60 > 30:
        await asyncio.sleep(60 - int(seconds) % 60)


UNLIMITED = '[pro]\nsaves_per_minute = "unlimited"\n'


@pytest.mark.parametrize("tiers", [UNLIMITED])
async def test_however_often_it_saves_it_gets_its_quota(attack: Attack) -> None:
    await attack.begin()

    saved = await attack.save(240)

    assert saved[201] + saved[413] == 240
    assert 195 <= saved[201] <= 200
    assert await attack.memory("240 workflows of 1 MB, without a rate") < 200 * OVERHEAD + 5


@pytest.mark.parametrize("tiers", [UNLIMITED])
async def test_one_workflow_gets_fifty_versions_and_a_delete_leaves_one(attack: Attack) -> None:
    await attack.begin()
    await attack.save(AT_ONCE)

    saved = await attack.save(1_000, "greeting")

    assert saved == {200: 1_000}
    most = (VERSIONS_KEPT + AT_ONCE) * OVERHEAD + 5
    assert await attack.memory("1,000 versions of 1 MB of one workflow") < most
    await attack.delete("greeting")
    assert await attack.memory("deleted") < (1 + AT_ONCE) * OVERHEAD + 5


@pytest.mark.parametrize("field", ["used", "rest"])
async def test_a_hundred_runs_with_inputs_of_1_mb_leave_next_to_nothing(
    attack: Attack, field: str
) -> None:
    await attack.begin(Tier.BUSINESS)

    await attack.run(100, {"used": "x", field: "x" * MB})

    assert await attack.memory(f"100 runs accepted, each with 1 MB in '{field}'") < 2
    async with worker(attack.settings):
        await attack.all_completed(100)
    assert await attack.memory("ended") < 2
    kept = Path(attack.settings.media_url.removeprefix("file://")) / "outputs"
    assert len([each for each in kept.rglob("*") if each.is_file()]) == (100 * (field == "used"))
