"""Figures of releases: W1 in several ways, the share of a canary, and times to its roll back."""

import asyncio
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis import Redis

from deploy.stack.redis_server import open_server
from engine.releases.aliases import LIVE, Canary
from engine.services.releases.aliases import new_canary_id, set_alias
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.benchmarks.client import Endpoint, Load
from tests.benchmarks.graphs import documents
from tests.benchmarks.systems import System, save
from tests.benchmarks.workloads import CALLERS, load
from tests.support.acceptance.running_stack import running
from tests.support.eventually import eventually
from tests.support.releases.stack_canaries import canaries_of

PLAIN, BEFORE = "plain", "before"
PERCENT = 5
MEASURES = ("p50_ms", "per_second", "cpu_ms", "calls", "commands")
COMMANDS = frozenset(
    {
        *("hdel", "hexists", "hget", "hincrby", "hmget", "hset", "publish", "rpush"),
        *("sadd", "scard", "srem", "time", "zadd", "zrem"),
    }
)
"""Commands of scripts that runs need; others come from parts that are idle too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to run W1."""

    name: str
    meaning: str
    system: System
    load: Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Runs of a canary and beside it."""

    runs: int
    canary: int
    beside: int


@dataclass(slots=True)
class Figures:
    """All figures."""

    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Values of each round, by way and measure."""
    shares: Shares | None = None
    back_ms: Sequence[float] = ()
    """Milliseconds from the end of a failing run to the roll back."""


def open_store(system: System) -> Store:
    """Open the store of a system."""
    return Store.open(Settings(redis_url=open_server(system.data_dir).url))


async def make_ways(system: System, before: System, target: str) -> Sequence[Way]:
    """Return the ways; the workflows of the system have the aliases that they need."""
    store = open_store(system)
    try:
        await store.ping()
        document = documents(target, 1)["w1"]
        named, beside, canary = (save(system, document) for _ in range(3))
        for endpoint in (named, beside):
            await set_alias(
                store, system.account_id, slug_of(endpoint), "stable", version=1, canary=None
            )
        await begin_canary(store, system, canary)
    finally:
        await store.close()
    by_name = replace(named, path=f"{named.path}?version=stable")
    plain = load(system, "w1")
    return (
        Way(name=PLAIN, meaning="a workflow without aliases", system=system, load=plain),
        Way(
            name=BEFORE,
            meaning="the same on the code before",
            system=before,
            load=load(before, "w1"),
        ),
        Way(
            name="beside",
            meaning="another alias is set",
            system=system,
            load=load(with_endpoint(system, beside), "w1"),
        ),
        Way(
            name="named",
            meaning="`?version=stable`",
            system=system,
            load=load(with_endpoint(system, by_name), "w1"),
        ),
        Way(
            name="canary",
            meaning=f"`live` has a canary with {PERCENT} %",
            system=system,
            load=load(with_endpoint(system, canary), "w1"),
        ),
    )


def with_endpoint(system: System, endpoint: Endpoint) -> System:
    """Return the system with another endpoint of W1."""
    return replace(system, endpoints={"w1": endpoint})


def slug_of(endpoint: Endpoint) -> str:
    """Return the workflow of an endpoint."""
    return endpoint.path.split("/")[3]


async def begin_canary(store: Store, system: System, endpoint: Endpoint) -> str:
    """Give a workflow of one version a second one as its canary; return the id."""
    workflow = await store.workflows.get_own(system.account_id, slug_of(endpoint))
    if workflow.version < 2:
        await store.workflows.update(system.account_id, workflow.slug, workflow.document, [])
    canary = Canary(id=new_canary_id(), version=1, percent=PERCENT)
    alias = await set_alias(
        store, system.account_id, slug_of(endpoint), LIVE, version=None, canary=canary
    )
    assert alias.canary is not None
    return alias.canary.id


async def measure_ways(ways: Sequence[Way], rounds: int, seconds: float, found: Figures) -> None:
    """Measure all ways in turn."""
    rng = random.Random(5)
    for way in ways:
        await way.load.in_line(0.5)
    for _ in range(rounds):
        for way in rng.sample(ways, len(ways)):
            values = await measure_way(way, seconds)
            samples = found.samples.setdefault(way.name, {})
            for name, value in values.items():
                samples.setdefault(name, []).append(value)


async def measure_way(way: Way, seconds: float) -> dict[str, float]:
    times = await way.load.in_line(seconds)
    runs, cpu = way.load.count, way.system.processes.cpu_seconds()
    calls, commands = count_commands(way.system)
    rate = await way.load.together(CALLERS, seconds)
    cpu = way.system.processes.cpu_seconds() - cpu
    runs, after = way.load.count - runs, count_commands(way.system)
    return {
        "p50_ms": statistics.median(times) * 1000,
        "per_second": rate,
        "cpu_ms": cpu * 1000 / runs,
        "calls": (after[0] - calls) / runs,
        "commands": (after[1] - commands) / runs,
    }


def count_commands(system: System) -> tuple[int, int]:
    """Return the calls of scripts so far, and the commands in them."""
    with Redis.from_url(open_server(system.data_dir).url) as redis:
        stats = {
            name.removeprefix("cmdstat_"): int(each["calls"])
            for name, each in redis.info("commandstats").items()
        }
    return stats.get("evalsha", 0), sum(stats.get(each, 0) for each in COMMANDS)


async def measure_shares(system: System, target: str, runs: int) -> Shares:
    """Return how the runs of a new canary were shared."""
    endpoint = save(system, documents(target, 1)["w1"])
    store = open_store(system)
    try:
        await store.ping()
        canary_id = await begin_canary(store, system, endpoint)
        w1 = load(with_endpoint(system, endpoint), "w1")
        connections = await w1.connect(CALLERS)

        async def repeat(number: int) -> None:
            for _ in range(number, runs, CALLERS):
                await w1.one(connections[number])

        await asyncio.gather(*map(repeat, range(CALLERS)))
        slug = slug_of(endpoint)
        counts = await store.canaries.counts(system.account_id, slug, canary_id)
        return Shares(runs=runs, canary=counts.canary.runs, beside=counts.live.runs)
    finally:
        await store.close()


async def measure_roll_backs(folder: Path, count: int) -> Sequence[float]:
    """Return the milliseconds from the end of the failing run to the roll back of each canary."""
    times = []
    with running(folder, "--no-demo", "--workers", "2", "--gateways", "1") as stack:
        async with canaries_of(stack) as canaries:
            for _ in range(count):
                canary_id = await canaries.begin(min_runs=1, max_error_rate=0.0)
                ended_at = None
                while ended_at is None:
                    execution_id = await asyncio.to_thread(canaries.start)
                    key = keyspace.execution(canaries.account_id, execution_id)
                    release, ended_at = await eventually(
                        lambda key=key: canaries.store.client.send(
                            "HMGET", key, "release", "completed"
                        ),
                        lambda values: values[1] is not None,
                    )
                    if not release.endswith(b":c"):
                        ended_at = None
                counts = await eventually(
                    lambda found=canary_id: canaries.store.canaries.counts(
                        canaries.account_id, canaries.slug, found
                    ),
                    lambda found: found.over_since is not None,
                )
                times.append(float(counts.over_since or 0) - float(ended_at))
    return times
