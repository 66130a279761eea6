"""A whole installation that is watched: its parts, their surroundings, and callers of all kinds."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.conftest import RedisServer
from tests.support.acceptance.running_stack import until
from tests.support.drains.fleet import CREDITS, GATEWAY, WORKER, Fleet, Member
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.history.away import TakenAway, taken_away
from tests.support.http.scripted_server import Target
from tests.support.http.scripted_server import serving as serving_target
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.observability.collector import Collector, running_collector
from tests.support.observability.prometheus import Prometheus, running_prometheus
from tests.support.observability.providers import FaultyProvider, faulty_providers
from tests.support.observability.traffic import Traffic
from tests.support.redis.installation import SECRET_KEY

T = TypeVar("T")

DURABLE = ("--appendonly", "yes", "--appendfsync", "no")
"""Options of a Redis that keeps its data when it is killed."""
OK = "/ok"
"""Path of the receiver that takes each delivery."""


CAPABILITIES = ("workflow:*", "model:*", "webhook:*", "execution:*", "execution:approve")


class BackgroundLoop:
    """An event loop in a thread, on which servers and callers of a test run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 2 * PATIENCE_SECONDS) -> T:
        """Run a coroutine to its end; return its value."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    @contextlib.contextmanager
    def running(
        self, make: Callable[[Awaitable[object]], Coroutine[Any, Any, None]]
    ) -> Iterator[None]:
        """Run a coroutine that ends once its argument does, which the end of the context does."""
        over = asyncio.Event()
        future = asyncio.run_coroutine_threadsafe(make(over.wait()), self._loop)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(over.set)
            future.result(PATIENCE_SECONDS)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class ObservedStack:
    """Redis, gateways, workers, history, providers, a target, a receiver, and both watchers."""

    fleet: Fleet
    redis: RedisServer
    """May be killed, and started again with its data."""
    history: TakenAway
    providers: dict[str, FaultyProvider]
    """By the name of their model, `steady` and `shaky`."""
    target: Target
    receiver: Receiver
    loop: BackgroundLoop
    collector: Collector
    key: str = ""
    """Key of the account whose runs the traffic makes."""
    account_id: str = ""
    admin_key: str = ""
    """Key of an administrator."""
    traffic: Traffic | None = None
    prometheus: Prometheus | None = None

    # -- parts ------------------------------------------------------------------------------------

    @property
    def gateways(self) -> list[Member]:
        return [each for each in self.fleet.members if each.kind == GATEWAY and _lives(each)]

    @property
    def workers(self) -> list[Member]:
        return [each for each in self.fleet.members if each.kind == WORKER and _lives(each)]

    @property
    def url(self) -> str:
        """Return the address of the first gateway."""
        return self.gateways[0].url

    def targets(self, *, with_workers: bool = False) -> list[str]:
        """Return the addresses to scrape: all gateways, and the health ports of workers."""
        members = [*self.gateways, *(self.workers if with_workers else [])]
        return [f"127.0.0.1:{each.port}" for each in members]

    def logs(self) -> dict[str, str]:
        """Return the output of each process, by its kind and port."""
        return {f"{each.kind}-{each.port}": each.log.read_text() for each in self.fleet.members}

    # -- callers ----------------------------------------------------------------------------------

    def make(self, kind: str, **headers: str) -> Any:
        """Make one run of a kind; return its execution once it has ended."""
        assert self.traffic is not None
        return self.loop.run(self.traffic.make(kind, **headers))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a request with the key of the account; return status and answer."""
        assert self.traffic is not None
        return self.loop.run(self.traffic.ask(method, path, body, **headers))

    @contextlib.contextmanager
    def calls(self, callers: int = 2, kinds: Sequence[str] = ()) -> Iterator[Traffic]:
        """Let callers make runs of these kinds, by default all, within the context."""
        assert self.traffic is not None
        traffic = self.traffic
        with self.loop.running(lambda over: traffic.go_on(callers, over, kinds)):
            yield traffic

    def await_answers(self, *kinds: str, count: int = 1) -> None:
        """Wait until each of these kinds, by default all, was answered so many times."""
        traffic = self.traffic
        assert traffic is not None
        wanted = set(kinds or traffic.kinds)

        def missing() -> set[str]:
            answers = dict(traffic.answers)
            return {
                kind
                for kind in wanted
                if sum(n for name, n in answers.items() if name.split(" ")[0] == kind) < count
            }

        until(missing, lambda found: not found, timeout=2 * PATIENCE_SECONDS)


def _lives(member: Member) -> bool:
    return member.process.poll() is None


@contextlib.contextmanager
def observed_stack(
    folder: Path,
    *,
    gateways: int = 2,
    workers: int = 2,
    rules: Sequence[Path] = (),
    scrapes: bool = True,
    with_workers: bool = False,
    history: str = "sqlite",
    redis: RedisServer | None = None,
    scrape_seconds: float = 1.0,
    **environ: str,
) -> Iterator[ObservedStack]:
    """Run a stack within a folder. `scrapes` starts a Prometheus, which evaluates `rules`.

    Spans go to the collector where `environ` has its address: pass `traces="1"`.
    """
    redis = redis or RedisServer(*DURABLE)
    with contextlib.ExitStack() as closing:
        loop = BackgroundLoop()
        closing.callback(loop.close)
        collector = closing.enter_context(running_collector())
        providers = closing.enter_context(faulty_providers(folder / "models"))
        database = closing.enter_context(taken_away(history, folder))
        redis.start()
        closing.callback(redis.stop)
        traces = collector.environ if environ.pop("traces", "") else {}
        shared = _environment(folder, redis, database, providers) | traces | environ
        fleet = Fleet(folder, shared)
        closing.callback(_end, fleet)
        done = fleet.command("migrate")
        assert done.returncode == 0, done.stderr
        target = _serve(loop, closing, serving_target())
        receiver = _serve(loop, closing, receiving())
        stack = ObservedStack(fleet, redis, database, providers, target, receiver, loop, collector)
        members = [fleet.start(GATEWAY) for _ in range(gateways)]
        members += [fleet.start(WORKER) for _ in range(workers)]
        for member in members:
            member.wait_ready()
        stack.account_id, stack.key = make_account(fleet, "ada", *CAPABILITIES)
        _, stack.admin_key = make_account(fleet, "root", "*", role="admin")
        _begin_traffic(stack, closing)
        if scrapes:
            addresses = stack.targets(with_workers=with_workers)
            found = running_prometheus(
                folder / "prometheus", addresses, *rules, scrape_seconds=scrape_seconds
            )
            stack.prometheus = closing.enter_context(found)
        yield stack


def make_account(
    fleet: Fleet, name: str, *capabilities: str, role: str = "user"
) -> tuple[str, str]:
    """Make an account without limits; return its id, and a key of it."""
    words = ("--email", f"{name}@localhost", "--tier", "enterprise", "--credits", CREDITS)
    account = _json(fleet, "account", "create", *words, "--role", role)["id"]
    granted = [word for each in capabilities for word in ("--capability", each)]
    return account, _json(fleet, "key", "create", "--account", account, *granted)["key"]


def _json(fleet: Fleet, *arguments: str) -> Any:
    done = fleet.command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _begin_traffic(stack: ObservedStack, closing: contextlib.ExitStack) -> None:
    def urls() -> list[str]:
        return [each.url for each in stack.gateways]

    receiver_url = stack.receiver.url + OK
    stack.traffic = Traffic(urls, stack.key, stack.target.url, receiver_url)
    closing.callback(lambda: stack.loop.run(stack.traffic.close()) if stack.traffic else None)
    stack.loop.run(stack.traffic.begin())


def _serve(
    loop: BackgroundLoop,
    closing: contextlib.ExitStack,
    server: contextlib.AbstractAsyncContextManager[T],
) -> T:
    async def enter() -> T:
        return await server.__aenter__()

    async def leave() -> None:
        await server.__aexit__(None, None, None)

    found = loop.run(enter())
    closing.callback(lambda: loop.run(leave()))
    return found


def _environment(
    folder: Path, redis: RedisServer, database: TakenAway, providers: dict[str, FaultyProvider]
) -> dict[str, str]:
    found = {
        "HEADRACE_REDIS_URL": redis.url,
        "HEADRACE_DATABASE_URL": database.url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_CPU_SLOTS": "1",
        "HEADRACE_DATA_DIR": str(folder / "data"),
        "HEADRACE_MODELS_DIR": str(folder / "models"),
        "HEADRACE_MEDIA_FREE_BYTES": "0",
        "HEADRACE_WEBHOOK_TIME_SCALE": "0.05",
    }
    for provider in providers.values():
        found |= provider.environ
    return found


def _end(fleet: Fleet) -> None:
    for member in fleet.members:
        member.process.kill()
        member.process.wait()
