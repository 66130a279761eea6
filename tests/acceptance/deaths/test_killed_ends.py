"""Workers killed about the end of a run, its repeated hints, and pictures of lost attempts.

KILLS_PER_POINT: kills at each point, 2 by default.
"""

import asyncio
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from engine.ids.partitions import partition_of
from engine.media.objects import ObjectStore
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.hints import WALK_QUEUE, make_hint
from engine.store.redis import keyspace, process_keys
from tests.support.acceptance.running_stack import until
from tests.support.deaths.evidence import read_evidence
from tests.support.deaths.recovery import Recoveries
from tests.support.deaths.scene import PRICE, Run, Scene
from tests.support.http.target import PNG
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.proxy import When

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("KILLS_PER_POINT", "2"))
HINTS = 10


def parts_of_end(scene: Scene, run: Run) -> set[str]:
    """Return the parts of a run's end that are in Redis."""
    evidence = read_evidence(scene)
    captured = [
        -each.reserved
        for each in evidence.entries
        if each.kind == "capture" and each.execution_id == run.id
    ]
    parts = {
        evidence.executions[run.id].status.value: True,
        "delivery": run.id in evidence.deliveries,
        "charge": captured == [PRICE],
    }
    return {name for name, is_there in parts.items() if is_there}


@pytest.mark.F12
@pytest.mark.parametrize(
    ("after", "parts"),
    [("before", {"processing"}), ("run", {"completed", "delivery", "charge"})],
    ids=["before", "after"],
)
def test_the_end_of_a_run_is_there_whole_or_not_at_all(
    scene: Scene, recoveries: Recoveries, after: When, parts: set[str]
) -> None:
    for _ in range(KILLS):
        run = scene.plan()
        gate = scene.proxy.hold("advance_execution", after=after, passes=2)
        scene.request(run)
        pid = gate.await_reached()
        assert parts_of_end(scene, run) == parts
        recoveries.kill(scene, run, pid, gate.drop)
        scene.end(run)
        scene.restore()


@pytest.mark.F10
def test_repeated_hints_of_an_ended_run_start_nothing(scene: Scene, recoveries: Recoveries) -> None:
    for _ in range(KILLS):
        run = scene.plan()
        gate = scene.proxy.hold("advance_execution", after="run", passes=2)
        scene.request(run)
        recoveries.kill(scene, run, gate.await_reached(), gate.drop)
        ended, queue = scene.end(run), process_keys.hints(WALK_QUEUE)
        hint = make_hint("walk", keyspace.reference(scene.account_id, run.id))
        with Redis.from_url(scene.redis_url) as redis:
            redis.rpush(queue, *[hint] * HINTS)
            until(lambda redis=redis, queue=queue: not redis.exists(queue))
        scene.restore()

        assert (scene.calls(run, "first"), scene.calls(run, "make")) == (1, 1)
        assert scene.read(run) == ended


@pytest.mark.F08
def test_the_picture_of_a_lost_attempt_is_removed(scene: Scene, recoveries: Recoveries) -> None:
    for _ in range(KILLS):
        run, before = scene.plan(), pictures(scene)
        gate = scene.proxy.hold("complete_asset")
        scene.request(run)
        recoveries.kill(scene, run, gate.await_reached(), gate.drop)
        [url] = scene.end(run)["result"]["images"]
        shown = urlsplit(url).path.rpartition("/")[2]
        lost = {each for each in pictures(scene) - before if shown not in each}
        assert len(lost) == 1
        for _ in range(2):  # hidden, then removed once readers have ended
            asyncio.run(collect_due(scene))
        scene.restore()

        assert pictures(scene) - before == {each for each in pictures(scene) if shown in each}
        assert scene.fetch(url) == PNG


def pictures(scene: Scene) -> set[str]:
    """Return the names of all stored objects."""
    folder = Path(urlsplit(scene.fleet.environ["HEADRACE_MEDIA_URL"]).path)
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


async def collect_due(scene: Scene) -> None:
    """Let the time of all unneeded media pass, and remove them as the lead does."""
    url = scene.fleet.environ["HEADRACE_MEDIA_URL"]
    settings = Settings(redis_url=scene.redis_url, secret_key=SECRET_KEY, media_url=url)
    store = Store.open(settings, ObjectStore.from_settings(settings))
    try:
        due = keyspace.assets_due(partition_of(scene.account_id))
        for asset_id in await store.client.send("ZRANGE", due, 0, -1):
            await store.client.send("ZADD", due, 1, asset_id)
        await MediaService.from_settings(settings, store).collect()
    finally:
        await store.close()
