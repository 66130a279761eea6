"""The environment of pool processes, without the worker's secrets."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.models.availability import needed_variables
from engine.models.registry import all_models
from engine.process.pool import Pool
from engine.process.pool_zygote import child_environ
from tests.support.eventually import PATIENCE_SECONDS
from workers.nodes.local_models import LocalPool

SECRET = "never-for-children"
KEYS = sorted(frozenset[str]().union(*(needed_variables(each) for each in all_models())))
SECRETS = {
    "HEADRACE_SECRET_KEY": SECRET,
    "HEADRACE_REDIS_URL": f"redis://user:{SECRET}@127.0.0.1/0",
    "HEADRACE_QUEUE_URL": f"redis://user:{SECRET}@127.0.0.1/1",
    "HEADRACE_API_KEY": SECRET,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "A_KEY_OF_MY_OWN": SECRET,
    **dict.fromkeys(KEYS, SECRET),
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(autouse=True)
def secrets_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def lineage() -> list[int]:
    """The process of the pool, and the zygote that it was forked from."""
    return [os.getpid(), os.getppid()]


def own_environ() -> dict[str, str]:
    return dict(os.environ)


@pytest.mark.parametrize("make", [lambda: Pool(slots=1), LocalPool], ids=["pool", "local pool"])
async def test_no_process_of_a_pool_has_a_secret_in_its_environment(
    make: Callable[[], Pool | LocalPool],
) -> None:
    pool = make()
    if isinstance(pool, Pool):
        await pool.start()
    try:
        pids = await pool.run(lineage, deadline_seconds=PATIENCE_SECONDS)
        seen = await pool.run(own_environ, deadline_seconds=PATIENCE_SECONDS)
        files = [Path(f"/proc/{pid}/environ").read_bytes() for pid in pids]
    finally:
        await pool.close()

    assert os.getpid() not in pids
    assert all(b"PATH=" in file for file in files)
    assert [name for name in SECRETS if any(name.encode() in file for file in files)] == []
    assert [file for file in files if SECRET.encode() in file] == []
    assert SECRET not in str(seen)


def test_an_interpreter_keeps_its_variables() -> None:
    given = {"PATH": "/bin", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}

    passed = child_environ({**given, **SECRETS})

    assert {name: passed[name] for name in given} == given
    assert passed.keys() == {*given, "PYTHONPATH"}
