"""Use of idle parts, of executions that wait, and of messages within a cluster."""

import asyncio
import itertools
import os
import resource
import time
from dataclasses import dataclass, replace

from engine.access.capabilities import Tier
from engine.graph.document import parse_document
from engine.ids import partitions
from engine.settings import load
from engine.store import Store
from engine.store.dispatch.hints import QUEUES
from engine.store.redis import keyspace, process_keys
from tests.benchmarks.graphs import documents
from tests.benchmarks.scale.fleet import Fleet
from tests.benchmarks.scale.usage import Use, read_redis, use_between
from tests.support.redis.cluster import running_cluster
from tests.support.store.records import accept
from workers.recovery.clock import RecoveryClock
from workers.recovery.duties.due_hints import DueExecutions

ACCOUNTS = 64
AT_ONCE = 256
FAR_SECONDS = 86_400
SETTLE_SECONDS = 3.0
PUBLISHED = 20_000
HINTS = 5_000
PRIMARIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Use while some executions wait for a later time."""

    executions: int
    bytes_each: float
    """Bytes in Redis of one, with its entries in lists."""
    idle: Use
    """Use of a second with one worker, which sweeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Use of one repeated hint of an execution that no worker has taken."""

    commands: float
    redis_cpu: float
    sweeper_cpu: float


def measure_idle(fleet: Fleet, seconds: float) -> Use:
    """Return the use of a second with the parts that run."""
    time.sleep(SETTLE_SECONDS)
    before = fleet.read()
    time.sleep(seconds)
    after = fleet.read()
    use = use_between(before, after)
    return replace(use / use.seconds, connections=after.connections)


class Waiters:
    """Executions of many accounts that are accepted and not run."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._count = 0
        self._bare = 0

    async def fill(self, count: int) -> None:
        """Accept executions until there are so many, with hints in the lists."""
        settings = load(self._fleet.environ)
        store = Store.open(settings)
        await store.ping()
        document = parse_document(documents("http://unused", 0)["w1"])
        if not self._count:
            self._owners = [await self._make_owner(store, document) for _ in range(ACCOUNTS)]
            self._bare = read_redis(self._fleet.client)["memory"]
        owners = itertools.cycle(self._owners)
        while self._count < count:
            some = min(AT_ONCE, count - self._count)
            turns = (next(owners) for _ in range(some))
            await asyncio.gather(
                *(accept(store, *each, {"name": f"n{at}"}) for at, each in enumerate(turns))
            )
            self._count += some
        await store.close()

    async def _make_owner(self, store: Store, document: object) -> tuple[object, ...]:
        number = os.urandom(6).hex()
        email = f"{number}@example.org"
        account = await store.accounts.create(email=email, tier=Tier.ENTERPRISE)
        workflow = await store.workflows.create(account.id, document, [])
        return (account, *await store.workflows.plan(workflow.slug))

    def set_due(self, seconds: float) -> None:
        """Let all be due in some seconds, less than 0: ago; and drop their hints."""
        client = self._fleet.client
        at = int((time.time() + seconds) * 1000)
        for partition in range(partitions.DEFAULT_COUNT):
            key = keyspace.due(partition)
            names = client.zrange(key, 0, -1)
            for start in range(0, len(names), 1_000):
                client.zadd(key, dict.fromkeys(names[start : start + 1_000], at))
        client.delete(*(process_keys.hints(queue) for queue in QUEUES))

    @property
    def bytes_each(self) -> float:
        """Return the bytes in Redis of one of them."""
        return float(read_redis(self._fleet.client)["memory"] - self._bare) / self._count

    async def measure_resends(self) -> Resend:
        """Send the hints of all again, as the sweeper does."""
        self.set_due(-1.0)
        store = Store.open(load(self._fleet.environ))
        await store.ping()
        duty = DueExecutions(store, RecoveryClock(3.0))
        before, cpu = read_redis(self._fleet.client), _own_cpu()
        while await store.hints.depth() < self._count:
            await duty.run()
        after, cpu = read_redis(self._fleet.client), _own_cpu() - cpu
        await store.close()
        return Resend(
            commands=(after["commands"] - before["commands"]) / self._count,
            redis_cpu=(after["redis_cpu"] - before["redis_cpu"]) / self._count,
            sweeper_cpu=cpu / self._count,
        )


def measure_waiting(fleet: Fleet, waiters: Waiters, count: int, seconds: float) -> Waiting:
    """Measure a worker without work while executions wait for tomorrow."""
    waiters.set_due(FAR_SECONDS)
    bytes_each = waiters.bytes_each
    fleet.start_workers(1)
    idle = measure_idle(fleet, seconds)
    fleet.stop_parts()
    return Waiting(executions=count, bytes_each=bytes_each, idle=idle)


def measure_hints(fleet: Fleet) -> float:
    """Return the CPU seconds of Redis for a hint that is sent, and taken by itself."""
    queue, hint = process_keys.hints("measured"), "walk|acc_0123456789abcdef/0b5cfb4e-54e6"
    before = read_redis(fleet.client)["redis_cpu"]
    for _ in range(HINTS):
        fleet.client.rpush(queue, hint)
        fleet.client.execute_command("BLMPOP", 1, 1, queue, "LEFT", "COUNT", 8)
    return float(read_redis(fleet.client)["redis_cpu"] - before) / HINTS


def measure_publications() -> float:
    """Return the CPU seconds of one message to a channel at each other primary of a cluster."""
    with running_cluster(PRIMARIES, 0, is_marked=False) as cluster:
        servers = [each.client() for each in cluster.servers]
        before = [_cpu_of(each) for each in servers]
        with servers[0].pipeline(transaction=False) as pipeline:
            for _ in range(PUBLISHED):
                pipeline.publish("hr:notifier:anybody", "0b5cfb4e-54e6-4e4c-a7f1-111111111111")
            pipeline.execute()
        time.sleep(0.2)
        spent = [_cpu_of(each) - was for each, was in zip(servers, before, strict=True)]
    return sum(spent[1:]) / (PRIMARIES - 1) / PUBLISHED


def _cpu_of(client: object) -> float:
    return float(read_redis(client)["redis_cpu"])  # type: ignore[arg-type]


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
