"""A gateway process on a loaded database, and the times of its answers."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

from engine.access.capabilities import Tier
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.benchmarks.history.data import ACCOUNT, END
from tests.benchmarks.processes import Processes, free_port, wait_for_port
from tests.conftest import RedisServer
from tests.support.redis.installation import SECRET_KEY


class Caller:
    """One connection to a gateway."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"x-api-key": key}

    def get(self, target: str) -> tuple[float, bytes]:
        """Return the milliseconds of a request, and its answer. Raises RuntimeError."""
        began = perf_counter()
        self._connection.request("GET", target, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        spent = (perf_counter() - began) * 1_000
        if answer.status != 200:
            raise RuntimeError(f"GET {target}: {answer.status} {body.decode()}")
        return spent, body


@contextmanager
def serving(database_url: str, folder: Path) -> Iterator[Caller]:
    """Run a gateway whose Redis has forgotten all executions of the account."""
    server = RedisServer()
    server.start()
    processes = Processes(folder / "gateway.log")
    try:
        key = asyncio.run(_make_account(server.url))
        port = free_port()
        gateway = processes.start_python(
            *("-m", "deploy", "gateway", "--port", str(port)),
            HEADRACE_REDIS_URL=server.url,
            HEADRACE_DATABASE_URL=database_url,
            HEADRACE_SECRET_KEY=SECRET_KEY,
        )
        wait_for_port(port, gateway)
        yield Caller(port, key)
    finally:
        processes.stop()
        server.stop()


async def _make_account(redis_url: str) -> str:
    """Create the account of the executions; return the secret of a key."""
    store = Store.open(Settings(redis_url=redis_url, secret_key=SECRET_KEY), None)
    with patch.object(secrets, "token_hex", return_value=ACCOUNT.removeprefix("acc_")):
        account = await store.accounts.create(email="b@example.com", tier=Tier.ENTERPRISE)
    _, key = await store.api_keys.create(account, name="b", capabilities=["execution:read"])
    forgotten = keyspace.newest_forgotten(partition_of(ACCOUNT))
    await store.client.send("HSET", forgotten, ACCOUNT, END)
    await store.close()
    return key
