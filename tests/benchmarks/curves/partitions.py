"""`python -m tests.benchmarks.curves.partitions`: cost of partitions, and of requests for the lead.

Starts a gateway and two workers on a Redis of their own, with each number of partitions: idle, then
under a load of runs and of retries that the sweeper sends. Prints tables in Markdown.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import redis
import uvloop
from aiohttp import web

from deploy.stack.redis_server import find_binary
from engine.access.capabilities import Tier
from engine.access.sealing import Sealer
from engine.graph.document import parse_document
from engine.graph.plan import Plan
from engine.settings import load
from engine.store import Account, Store, Workflow
from engine.store.dispatch.worker_leases import Leases
from engine.store.redis import process_keys
from tests.benchmarks.processes import Processes
from tests.support.factories import Graph, greeting, http_fan
from tests.support.store.records import accept
from workers.history import process
from workers.recovery.leader import Leader
from workers.recovery.sweeper import LEAD_SECONDS, TICK_SECONDS

SECRET_KEY = "of-the-benchmark-" * 3
ACCOUNTS = 128
RUNS_PER_SECOND = 50.0
RETRIES_PER_SECOND = 3.0
BACKOFF_SECONDS = 2.5
SETTLE_SECONDS = 40.0
"""Time until a new installation is at rest: its archiver starts after some seconds."""
LEFT_OUT = {"info", "client|setinfo", "hello", "script|load"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Cost of some seconds for Redis."""

    commands: float
    """Commands per second, those within scripts included."""
    scripts: float
    processor: float
    """Share of a processor, in percent."""
    most: Sequence[tuple[str, float]]
    """The most frequent commands, per second."""


class Meter:
    """Reads the counters of a Redis."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._before: Counter[str] = Counter()
        self._processor = self._began = 0.0

    def begin(self) -> None:
        """Count from now on."""
        self._before, self._processor = self._calls(), self._seconds()
        self._began = time.monotonic()

    def end(self) -> Cost:
        """Return the cost since the beginning."""
        seconds = time.monotonic() - self._began
        calls = self._calls() - self._before
        return Cost(
            commands=calls.total() / seconds,
            scripts=(calls["evalsha"] + calls["eval"]) / seconds,
            processor=100 * (self._seconds() - self._processor) / seconds,
            most=[(name, count / seconds) for name, count in calls.most_common(6)],
        )

    def _calls(self) -> Counter[str]:
        stats = self._client.info("commandstats")
        counted = {name.removeprefix("cmdstat_"): each["calls"] for name, each in stats.items()}
        return Counter({name: n for name, n in counted.items() if name not in LEFT_OUT})

    def _seconds(self) -> float:
        found = self._client.info("cpu")
        return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


@contextlib.contextmanager
def running_redis(folder: Path, count: int) -> Iterator[str]:
    """Yield the URL of a Redis with the marker of an installation."""
    url = f"unix://{folder}/s"
    command = (find_binary(), "--port", "0", "--unixsocket", f"{folder}/s", "--dir", folder)
    server = subprocess.Popen(
        [*map(str, command), "--save", "", "--appendonly", "yes", "--maxclients", "4000"],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis.from_url(url) as client:
            for _ in range(100):
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    break
                time.sleep(0.05)
            ids = Sealer.from_secret_key(SECRET_KEY).installation_ids
            marker = {"ids": " ".join(ids), "schema": 1, "partitions": count, "created": 1}
            client.hset("hr:installation:{hr:account_ids}", mapping=marker)
        yield url
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def installation(folder: Path, url: str) -> Iterator[None]:
    """Run a gateway and two workers with a history."""
    environ = {
        "HEADRACE_REDIS_URL": url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_MEDIA_URL": (folder / "media").as_uri(),
        "HEADRACE_DATABASE_URL": f"sqlite:///{folder}/history.db",
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_MEDIA_FREE_BYTES": "0",
    }
    processes = Processes(folder / "log")
    command = ("-P", "-m", "deploy")
    try:
        processes.start_python(*command, "migrate", **environ).wait()
        processes.start_python(*command, "gateway", "--port", "0", **environ)
        for _ in range(2):
            processes.start_python(*command, "worker", **environ)
        yield
    finally:
        processes.stop()


class FailingOnce:
    """A server whose first answer of each path is 503; it notes when the second call came."""

    def __init__(self) -> None:
        self.called: dict[str, list[float]] = {}
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a call."""
        calls = self.called.setdefault(request.query_string, [])
        calls.append(time.time())
        return web.Response(status=503 if len(calls) == 1 else 200, text="{}")

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve on loopback."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield
        await runner.cleanup()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An account with a workflow that ends at once, and its plan."""

    account: Account
    workflow: Workflow
    plan: Plan


class Load:
    """Runs of many accounts at a steady rate, and retries with their lateness."""

    def __init__(
        self, store: Store, server: FailingOnce, client: "redis.Redis", count: int
    ) -> None:
        self._count = count
        self._store = store
        self._server = server
        self._client = client
        self._owners: list[Owner] = []
        self.lateness: list[float] = []
        """Milliseconds between the time at which each retry was due and its call."""

    async def prepare(self) -> None:
        """Create the accounts."""
        for number in range(ACCOUNTS):
            account = await self._store.accounts.create(email=f"{number}@e.com", tier=Tier.PRO)
            self._owners.append(await self._save(account, greeting()))

    async def run(self, seconds: float, runs_per_second: float) -> None:
        """Begin runs and retries for some seconds."""
        ends = time.monotonic() + seconds
        retries = asyncio.create_task(self._retry(ends))
        number = 0
        began = time.monotonic()
        while runs_per_second and time.monotonic() < ends:
            owner = self._owners[number % ACCOUNTS]
            await accept(*(self._store, owner.account, owner.workflow, owner.plan), {"who": "Ada"})
            number += 1
            await asyncio.sleep(max(0.0, began + number / runs_per_second - time.monotonic()))
        await retries

    async def _save(self, account: Account, graph: Graph) -> Owner:
        document = parse_document(graph.body())
        slug = (await self._store.workflows.create(account.id, document, [])).slug
        workflow, plan = await self._store.workflows.plan(slug)
        assert plan is not None
        return Owner(account=account, workflow=workflow, plan=plan)

    async def _retry(self, ends: float) -> None:
        tasks = []
        while time.monotonic() < ends:
            tasks.append(asyncio.create_task(self._retry_once()))
            await asyncio.sleep(1 / RETRIES_PER_SECOND)
        await asyncio.gather(*tasks)

    async def _retry_once(self) -> None:
        account = self._owners[secrets.randbelow(ACCOUNTS)].account
        name = secrets.token_hex(4)
        retry = {"attempts": 2, "backoff": BACKOFF_SECONDS}
        graph = http_fan(f"{self._server.url}?id={name}", 1, retry=retry)
        graph.nodes[-1]["data"]["url"] = f"{self._server.url}?id={name}"
        owner = await self._save(account, graph)
        run = await accept(self._store, account, owner.workflow, owner.plan)
        key = f"{{hr{zlib.crc32(account.id.encode()) % self._count:02d}}}:due"
        calls = self._server.called.setdefault(f"id={name}", [])
        while not calls:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)  # it is due again at the time of its retry
        due = self._client.zscore(key, f"{account.id}/{run.id}") or 0.0
        while len(calls) < 2:
            await asyncio.sleep(0.05)
        self.lateness.append(calls[1] * 1000 - due)


async def measure(count: int, seconds: float) -> dict[str, object]:
    """Measure an installation with this number of partitions."""
    with tempfile.TemporaryDirectory(prefix="partitions-") as scratch:
        folder = Path(scratch)
        with running_redis(folder, count) as url, redis.Redis.from_url(url) as client:
            server, meter = FailingOnce(), Meter(client)
            async with server.serving():
                with installation(folder, url):
                    settings = replace(load(os.environ), redis_url=url, secret_key=SECRET_KEY)
                    store = Store.open(settings)
                    await store.ping()
                    load_of = Load(store, server, client, count)
                    await load_of.prepare()
                    await asyncio.sleep(SETTLE_SECONDS)
                    meter.begin()
                    await asyncio.sleep(seconds)
                    idle = meter.end()
                    meter.begin()
                    await load_of.run(seconds, RUNS_PER_SECOND)
                    busy = meter.end()
                    loaded, load_of.lateness = load_of.lateness, []
                    await load_of.run(seconds, 0.0)
                    await store.close()
    return {"idle": idle, "load": busy, "late": loaded, "late idle": load_of.lateness}


def run(count: int, seconds: float) -> dict[str, object]:
    """Measure in a process of its own."""
    return uvloop.run(measure(count, seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A lead among the workers."""

    name: str
    key: str
    lead_seconds: float
    renew_seconds: float


LEADS = (
    Lead(
        name="sweeper",
        key=process_keys.leader(),
        lead_seconds=LEAD_SECONDS,
        renew_seconds=TICK_SECONDS,
    ),
    Lead(
        name="archiver",
        key=process_keys.archiver(),
        lead_seconds=process.LEAD_SECONDS,
        renew_seconds=process.RENEW_SECONDS,
    ),
)


async def measure_leads(lead: Lead, followers: int, seconds: float) -> tuple[float, float]:
    """Return requests for the lead per second with so many workers, and seconds without a leader.

    The latter is the time from the end of a dead leader's lead until another one leads.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="partitions-"))
        url = stack.enter_context(running_redis(Path(folder), 16))
        client = stack.enter_context(redis.Redis.from_url(url))
        store = Store.open(replace(load(os.environ), redis_url=url, secret_key=SECRET_KEY))
        ends = time.time() * 1000 + 1e9
        names = {f"w{number}": ends for number in range(followers)}
        client.zadd(process_keys.workers(), names)
        leaders = [make_leader(store.leases, name, lead) for name in names]
        tasks = [asyncio.create_task(follow(each)) for each in leaders]
        await asyncio.sleep(15)
        meter = Meter(client)
        meter.begin()
        await asyncio.sleep(seconds)
        rate = meter.end().scripts
        gaps = [await gap(client, lead, leaders, tasks) for _ in range(10)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await store.close()
        return rate, statistics.median(gaps)


def make_leader(leases: Leases, name: str, lead: Lead) -> Leader:
    return Leader(
        leases,
        name,
        key=lead.key,
        lead_seconds=lead.lead_seconds,
        renew_seconds=lead.renew_seconds,
    )


async def follow(leader: Leader) -> None:
    while True:
        await leader.request()
        await asyncio.sleep(leader.pause)


async def gap(
    client: "redis.Redis", lead: Lead, leaders: list[Leader], tasks: list["asyncio.Task[None]"]
) -> float:
    """Stop the leader; return the seconds from the end of its lead until another one leads."""
    name = (client.get(lead.key) or b"").decode()  # type: ignore[union-attr]
    place = next(i for i, each in enumerate(leaders) if each._worker_id == name)
    left = client.pttl(lead.key) / 1000
    tasks[place].cancel()
    lapses = time.monotonic() + left
    leaders[place].is_leading = False
    while not any(each.is_leading for each in leaders):
        await asyncio.sleep(0.001)
    return time.monotonic() - lapses


def show(count: int, found: dict[str, object]) -> None:
    for name in ("idle", "load"):
        cost = found[name]
        assert isinstance(cost, Cost)
        most = ", ".join(f"{word} {rate:.0f}" for word, rate in cost.most)
        print(
            f"| {count} | {name} | {cost.commands:.0f} | {cost.scripts:.0f} "
            f"| {cost.processor:.1f} % | {most} |",
            flush=True,
        )
    for name in ("late", "late idle"):
        late = found[name]
        assert isinstance(late, list)
        cuts = statistics.quantiles(late, n=100)
        print(
            f"| {count} | {name}: {len(late)} retries | p50 {cuts[49]:.0f} ms "
            f"| p99 {cuts[98]:.0f} ms |",
            flush=True,
        )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.curves.partitions", description=__doc__
    )
    parser.add_argument("--partitions", type=int, nargs="*", default=[16, 1_024])
    parser.add_argument("--followers", type=int, nargs="*", default=[1_000])
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    print("| partitions | state | commands/s | scripts/s | Redis | most frequent, per second |")
    print("|---|---|---|---|---|---|", flush=True)
    for count in arguments.partitions:
        # A process knows one number of partitions.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            show(count, pool.submit(run, count, arguments.seconds).result())
    for followers in arguments.followers:
        for lead in LEADS:
            rate, without = uvloop.run(measure_leads(lead, followers, arguments.seconds))
            print(
                f"| {followers} workers, {lead.name} | {rate:.0f} requests/s "
                f"| {without * 1000:.0f} ms |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
