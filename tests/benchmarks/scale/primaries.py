"""Load of each primary per run, by their number: `python -m tests.benchmarks.scale.primaries`.

Real servers, a gateway and two workers run the same synchronous runs of accounts in all partitions.
Printed are counts of the servers themselves, so that a busy or small machine gives the same table:
throughput rises with primaries as the load of the busiest one falls.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.access.capabilities import Tier
from engine.access.sealing import Sealer
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.redis.address import RedisAddress
from engine.store.redis.installation import mark
from tests.benchmarks.graphs import documents
from tests.support.acceptance.http_load import Connection
from tests.support.acceptance.running_stack import running
from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.installation import SECRET_KEY, process_with
from tests.support.redis.processes import ServerProcess

TIERS = '[enterprise]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n'
WARM_UP = 3
"""Runs of each account before the measurement."""
IDLE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts of one primary since its statistics were reset."""

    commands: int
    """Commands, those of scripts included."""
    scripts: int
    script_micros: float
    published: int
    """Messages for other nodes."""
    cpu_micros: float

    def less(self, idle: "Counts", share: float) -> "Counts":
        """Return the counts without those of so many times the idle ones."""
        names = self.__dataclass_fields__
        return Counts(**{name: getattr(self, name) - share * getattr(idle, name) for name in names})


def read(server: ServerProcess) -> Counts:
    """Read the counts of a server."""
    stats: Mapping[str, Any] = server.info("commandstats")
    cpu = server.info("cpu")
    scripts = [stats.get(f"cmdstat_{name}", {}) for name in ("evalsha", "eval")]
    state: bytes = server.command("CLUSTER", "INFO")
    published = state.partition(b"cluster_stats_messages_publish_sent:")[2].partition(b"\r")[0]
    return Counts(
        commands=sum(each["calls"] for each in stats.values()),
        scripts=sum(each.get("calls", 0) for each in scripts),
        script_micros=sum(each.get("usec", 0) for each in scripts),
        published=int(published or 0),
        cpu_micros=1e6 * (cpu["used_cpu_user"] + cpu["used_cpu_sys"]),
    )


@dataclass
class Caller:
    """An account with a key and a workflow."""

    key: str
    path: str


async def open_callers(store: Store, url: str, per_partition: int) -> Sequence[Caller]:
    """Create accounts until each partition has so many."""
    document = documents("http://127.0.0.1", 0)["w1"]
    missing = dict.fromkeys(partitions.every(), per_partition)
    callers: list[Caller] = []
    while any(missing.values()):
        account = await store.accounts.create(
            email=f"caller{sum(missing.values())}-{len(callers)}@localhost", tier=Tier.ENTERPRISE
        )
        if not missing[partition_of(account.id)]:
            continue
        missing[partition_of(account.id)] -= 1
        _, key = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
        connection = await Connection(url, key).open()
        status, saved = await connection.call("POST", "/api/workflows", document)
        assert status == 201, saved
        await connection.close()
        callers.append(Caller(key, f"/api/workflows/{saved['slug']}/run"))
    return callers


async def make_runs(url: str, callers: Sequence[Caller], count: int) -> None:
    """Make so many runs of each caller, one after another; all callers at once."""

    async def make(caller: Caller) -> None:
        connection = await Connection(url, caller.key).open()
        for number in range(count):
            body = {"inputs": {"name": f"Ada {number}"}}
            status, answer = await connection.call("POST", caller.path, body)
            assert status == 200, answer
        await connection.close()

    await asyncio.gather(*map(make, callers))


async def measure(cluster: RedisCluster, url: str, runs: int, per_partition: int) -> list[Counts]:
    """Return the counts of each primary per run."""
    store = Store.open(Settings(redis_url=cluster.address(), secret_key=SECRET_KEY))
    await store.learn_partitions()
    callers = await open_callers(store, url, per_partition)
    await store.close()
    await make_runs(url, callers, WARM_UP)
    primaries = [cluster.primary(shard) for shard in range(len(cluster.shards))]
    loop = asyncio.get_running_loop()

    async def watch(work: Any) -> tuple[list[Counts], float]:
        before, began = [read(each) for each in primaries], loop.time()
        await work
        took, after = loop.time() - began, [read(each) for each in primaries]
        return [late.less(early, 1) for early, late in zip(before, after, strict=True)], took

    idle, idle_seconds = await watch(asyncio.sleep(IDLE_SECONDS))
    each_of = max(runs // len(callers), 1)
    busy, seconds = await watch(make_runs(url, callers, each_of))
    print(f"  {each_of * len(callers)} runs of {len(callers)} accounts in {seconds:.1f} s")
    done = each_of * len(callers)
    net = [late.less(early, seconds / idle_seconds) for early, late in zip(idle, busy, strict=True)]
    return [
        Counts(**{name: getattr(each, name) / done for name in each.__dataclass_fields__})
        for each in net
    ]


def show(results: Mapping[int, list[Counts]]) -> None:
    """Print the table."""
    names = ("primary", "commands", "scripts", "time of scripts", "CPU", "messages to other nodes")
    print(f"\n| primaries | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")
    for number, counts in results.items():
        total = Counts(
            **{
                name: sum(getattr(each, name) for each in counts)
                for name in counts[0].__dataclass_fields__
            }
        )
        busiest = max(counts, key=lambda each: each.cpu_micros)
        rows = [*((str(place), each) for place, each in enumerate(counts, 1))]
        rows += [("all", total), ("busiest", busiest)] if len(counts) > 1 else []
        for name, each in rows:
            print(
                f"| {number} | {name} | {each.commands:.1f} | {each.scripts:.2f} "
                f"| {each.script_micros:.0f} µs | {each.cpu_micros:.0f} µs | {each.published:.2f} |"
            )


def main() -> None:
    """Measure on each number of primaries, and print a table of counts per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--primaries", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--accounts", type=int, default=2, help="accounts of each partition")
    parser.add_argument("--partitions", type=int, default=16)
    options = parser.parse_args()
    results: dict[int, list[Counts]] = {}
    for number in options.primaries:
        with (
            running_cluster(number, 0, is_marked=False) as cluster,
            tempfile.TemporaryDirectory() as folder,
            process_with(0),
        ):
            sealer = Sealer.from_secret_key(SECRET_KEY)
            address = RedisAddress.parse(cluster.address())
            asyncio.run(mark(address, sealer, partition_count=options.partitions))
            tiers = Path(folder) / "tiers.toml"
            tiers.write_text(TIERS)
            settings = {
                "HEADRACE_REDIS_URL": cluster.address(),
                "HEADRACE_SECRET_KEY": SECRET_KEY,
                "HEADRACE_TIERS_FILE": str(tiers),
            }
            arguments = ("--no-demo", "--gateways", "1", "--workers", "2")
            print(f"{number} primaries")
            with running(Path(folder), *arguments, **settings) as stack:
                work = measure(cluster, stack.url, options.runs, options.accounts)
                results[number] = asyncio.run(work)
    show(results)


if __name__ == "__main__":
    main()
