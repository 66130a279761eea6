"""Parts of a watched stack that a fault takes away and brings back."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.drains.fleet import GATEWAY, WORKER, Member
from tests.support.factories import Graph
from tests.support.observability.stack import ObservedStack
from tests.support.redis.proxy import RedisProxy


def watch(stack: ObservedStack) -> None:
    """Let Prometheus scrape the gateways that there are, and those that were lost."""
    assert stack.prometheus is not None
    stack.prometheus.set_targets(stack.targets() or stack.prometheus.targets)


def take_away(stack: ObservedStack, member: Member) -> None:
    """Kill a process; Prometheus goes on asking for it."""
    member.process.kill()
    member.process.wait()


def bring_back(stack: ObservedStack, kind: str, port: int = 0, **environ: str) -> Member:
    """Start a process and wait until it is ready."""
    member = stack.fleet.start(kind, port=port, **environ).wait_ready()
    watch(stack)
    return member


def archivers(stack: ObservedStack) -> list[int]:
    """Return the processes that archive, those that wait for a lead included."""
    parents = {each.process.pid for each in stack.workers}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes()
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent in parents and b"archiver" in line:
                found.append(int(process.name))
    return found


def replace_workers(stack: ObservedStack, **environ: str) -> None:
    """Kill the workers that there are, and start as many others."""
    for member in stack.workers:
        take_away(stack, member)
        bring_back(stack, WORKER, **environ)


@contextlib.contextmanager
def replaced_workers(stack: ObservedStack, **environ: str) -> Iterator[None]:
    """Run other workers in the place of those that there are."""
    replace_workers(stack, **environ)
    yield
    replace_workers(stack)


def save(stack: ObservedStack, name: str, graph: Graph) -> str:
    """Save a workflow; return its slug."""
    status, answer = stack.ask("POST", "/api/workflows", graph.body(name))
    assert status == 201, answer
    return str(answer["slug"])


@contextlib.contextmanager
def cut_gateway(stack: ObservedStack) -> Iterator[Callable[[], None]]:
    """Run a gateway that reaches Redis by a proxy; the function cuts it off."""
    path = str(stack.redis.folder / "proxy")
    proxy = RedisProxy(stack.redis.url, path)

    async def serve() -> asyncio.AbstractServer:
        return await asyncio.start_unix_server(proxy.serve, path)

    async def cut(server: asyncio.AbstractServer) -> None:
        server.close()
        proxy.cut()

    server = stack.loop.run(serve())
    environ = stack.fleet.environ
    stack.fleet.environ = {**environ, "HEADRACE_REDIS_URL": proxy.url}
    try:
        member = bring_back(stack, GATEWAY)
    finally:
        stack.fleet.environ = environ
    yield lambda: stack.loop.run(cut(server))
    take_away(stack, member)
