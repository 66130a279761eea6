"""The effect of one account's flood of runs on another account's runs."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.store.redis import keyspace
from tests.support.acceptance.callers import RUN, Caller, make_caller, p95, save
from tests.support.acceptance.running_stack import running, until
from tests.support.redis.clients import open_redis

ROOT = Path(__file__).parents[3]


def measure(folder: Path, *, count: int, connections: int, rounds: int) -> tuple[float, float]:
    """Return the p95 of a caller alone, and beside floods of another account, in seconds."""
    alone: list[float] = []
    beside: list[float] = []
    with running(folder, "--no-demo") as stack, open_redis(stack.redis_url) as client:
        flooder, flood_key = make_caller(stack, "flood")
        _, key = make_caller(stack, "light")
        flood_url = stack.url + RUN.format(save(stack, flood_key, "Flood"))
        command = [sys.executable, "-m", "tests.support.acceptance.flood", flood_url, flood_key]
        active = keyspace.active(flooder)
        with closing(Caller(stack, save(stack, key, "Light"), key)) as caller:
            caller.times(lambda made: made < 100)
            for _ in range(rounds):
                alone += caller.times(lambda made: made < 200)
                with subprocess.Popen([*command, str(count), str(connections)], cwd=ROOT) as flood:
                    until(lambda: client.scard(active))
                    beside += caller.times(lambda _: flood.poll() is None or client.scard(active))
                assert flood.returncode == 0
    return p95(alone), p95(beside)


@pytest.mark.F43
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("connections", [4, 64])
def test_a_flood_leaves_others_their_pace(
    tmp_path: Path, connections: int, record_property: Callable[[str, object], None]
) -> None:
    alone, beside = measure(tmp_path, count=5_000, connections=connections, rounds=3)

    record_property("flooding_runs", 3 * 5_000)
    record_property("p95_alone_milliseconds", round(alone * 1000, 2))
    record_property("p95_beside_the_flood_milliseconds", round(beside * 1000, 2))
    assert beside <= 2 * alone


@pytest.mark.thorough
def test_a_run_does_not_wait_for_the_flood_before_it(tmp_path: Path) -> None:
    """With a limit that holds on a machine that is busy with other tests."""
    alone, beside = measure(tmp_path, count=1_500, connections=16, rounds=1)

    assert beside < max(0.25, 10 * alone)
