"""Bytes in Redis of an execution's record and events: `python -m tests.benchmarks.record_bytes`.

Starts a Redis of its own and a worker in this process. Each figure is what `MEMORY USAGE` says of
the key, its name included.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.access.capabilities import Tier
from engine.graph.document import parse_document
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from tests.benchmarks.graphs import documents
from tests.conftest import RedisServer
from tests.support.factories import Graph, Runner
from tests.support.http.scripted_server import serving
from tests.support.redis.installation import SECRET_KEY
from workers.main import worker

REQUEST_ID = "0f4e2b6c1d8a4f7e9b3c5d6e7f8a9b0c"
INPUTS = {"name": "Ada"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBytes:
    """Bytes of one execution in Redis."""

    record: int
    events: int

    @property
    def total(self) -> int:
        """All bytes."""
        return self.record + self.events


def ten_nodes(url: str, name: str) -> dict[str, Any]:
    """Return a document of ten nodes: eight calls in a line, of which the first is retried once."""
    graph = Graph("name")
    source = "in.name"
    for number in range(8):
        path = f"flaky/1/{name}" if number == 0 else "echo"
        retry = {"retry": {"attempts": 2, "backoff": 0.05}} if number == 0 else {}
        graph.node(f"c{number}", "httpRequest", url=f"{url}/{path}", method="POST", **retry)
        graph.wire(f"{source} > c{number}.body-in")
        source = f"c{number}.response-out"
    graph.node("out", "responseOutput").wire(f"{source} > out.result-in")
    return graph.body()


async def measure(
    runner: Runner, document: Mapping[str, Any], *, is_watched: bool = False
) -> RecordBytes:
    """Run a document once and return the bytes of the execution."""
    store, account_id = runner.store, runner.account.id
    workflow = await store.workflows.create(account_id, parse_document(document), [])
    watcher = {"watcher": ""} if is_watched else {}
    execution_id = await runner.begin(workflow.slug, INPUTS, request_id=REQUEST_ID, **watcher)
    await runner.end(execution_id)
    keys = keyspace.execution(account_id, execution_id), keyspace.events(account_id, execution_id)
    record, events = [await store.client.send("MEMORY", "USAGE", key, "SAMPLES", 0) for key in keys]
    return RecordBytes(record=int(record or 0), events=int(events or 0))


async def measure_all() -> dict[str, RecordBytes]:
    """Return the bytes of each kind of execution."""
    async with running() as (runner, url):
        text = documents(url, 0)["w1"]
        found = {
            "W1": await measure(runner, text),
            "W1, watched": await measure(runner, text, is_watched=True),
            "ten nodes, one retry": await measure(runner, ten_nodes(url, "a")),
            "ten nodes, one retry, watched": await measure(
                runner, ten_nodes(url, "b"), is_watched=True
            ),
        }
        silent = ten_nodes(url, "c") | {"recordValues": "none"}
        found["ten nodes, one retry, recordValues none"] = await measure(runner, silent)
        return found


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[tuple[Runner, str]]:
    """Run Redis, a worker and a server for calls; yield a runner and the server's address."""
    server = RedisServer()
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            settings = replace(
                Settings(),
                redis_url=server.url,
                allow_private_urls=True,
                secret_key=SECRET_KEY,
                media_url=Path(folder).as_uri(),
            )
            async with worker(settings), serving() as target:
                store = Store.open(settings, ObjectStore.from_settings(settings))
                account = await store.accounts.create(email="a@example.com", tier=Tier.ENTERPRISE)
                async with CompletionNotifier.open(
                    RedisAddress.parse(settings.redis_url)
                ) as notifier:
                    yield Runner(store, account, notifier), target.url
                await store.close()
    finally:
        server.stop()


def main() -> None:
    """Print the figures as a table."""
    print("| run | record | events | all |\n|---|---:|---:|---:|")
    for name, found in asyncio.run(measure_all()).items():
        print(f"| {name} | {found.record:,} | {found.events:,} | {found.total:,} |")


if __name__ == "__main__":
    main()
