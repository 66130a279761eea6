"""Canaries of a running stack, and the records by which their counts are checked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from deploy.net.http_client import call
from engine.releases.aliases import LIVE, Canary
from engine.releases.run_counts import CanaryCounts
from engine.services.releases.aliases import new_canary_id, set_alias
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.releases.keys import alias_history, canary_counts
from tests.support.acceptance.callers import RUN, make_caller, save
from tests.support.acceptance.running_stack import RunningStack
from tests.support.eventually import eventually
from tests.support.factories import Graph, greeting

GOOD, BAD = 3, 2
"""Versions: the live one, and one that fails for all texts but numbers."""
Truth = dict[str, Counter[tuple[str, bool]]]
"""Ended runs by canary: side, and whether they have failed."""


def failing() -> Graph:
    """A workflow that fails for all texts but numbers."""
    graph = Graph("who").node("number", "transform", expression="'Hello ' + string(int(value))")
    graph.node("out", "responseOutput").wire("in.who > number.value-in")
    return graph.wire("number.value-out > out.result-in")


class StackCanaries:
    """A workflow of a running stack with a good live version and a bad one before it."""

    def __init__(self, stack: RunningStack, store: Store, account_id: str, key: str) -> None:
        self.stack, self.store, self.account_id, self.key = stack, store, account_id, key
        self.slug = save(stack, key, "Greeting")
        for graph in (failing(), greeting()):
            status, answer = self.api("PUT", f"/api/workflows/{self.slug}", graph.body("Greeting"))
            assert status == 200, answer

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call the API with the account's key."""
        return call(method, self.stack.url + path, key=self.key, body=body)

    async def begin(self, **rule: Any) -> str:
        """Set another canary of `live`; return its id."""
        members: dict[str, Any] = {"percent": 50, "min_runs": 3, "max_error_rate": 0.1, **rule}
        canary = Canary(id=new_canary_id(), version=BAD, **members)
        alias = await set_alias(
            self.store, self.account_id, self.slug, LIVE, version=None, canary=canary
        )
        assert alias.canary is not None
        return alias.canary.id

    def start(self, who: str = "Ada") -> str:
        """Begin a run; return its id."""
        path = RUN.format(self.slug) + "?async=true"
        status, answer = self.api("POST", path, {"inputs": {"who": who}})
        assert status == 202, answer
        return str(answer["executionId"])

    async def is_living(self, canary_id: str) -> bool:
        """Return whether the canary has not ended."""
        watched = await self.store.canaries.read(self.account_id, self.slug)
        return canary_id in watched.living

    async def counts(self) -> dict[str, CanaryCounts]:
        """Return the counts of all canaries."""
        key = canary_counts(self.account_id, self.slug)
        found = await self.store.client.send("HGETALL", key)
        return CanaryCounts.parse_all(parse_hash(found))

    async def roll_backs(self) -> Counter[str]:
        """Return how often the history says that each canary was taken back."""
        key = alias_history(self.account_id, self.slug)
        fields = parse_hash(await self.store.client.send("HGETALL", key))
        entries = [
            msgspec.json.decode(value)
            for name, value in fields.items()
            if name.partition(".")[2].isdecimal()
        ]
        return Counter(
            each["change"]["from"]["canary"]["id"] for each in entries if each["by"] == "system"
        )

    async def truth(self) -> Truth:
        """Return the runs of all canaries by their records, once all have ended."""
        key = keyspace.account_executions(self.account_id)
        ids = [each.decode() for each in await self.store.client.send("ZRANGE", key, 0, -1)]
        active = keyspace.active(self.account_id)

        async def count_active() -> int:
            return int(await self.store.client.send("SCARD", active))

        await eventually(count_active, lambda count: count == 0, timeout=60)
        heads = await asyncio.gather(
            *(
                self.store.client.send(
                    "HMGET", keyspace.execution(self.account_id, each), "release", "status"
                )
                for each in ids
            )
        )
        found: Truth = {}
        for release, status in heads:
            if release is not None:
                canary_id, side = release.decode().split(":")
                found.setdefault(canary_id, Counter())[side, status == b"failed"] += 1
        return found

    async def check_counts(self) -> None:
        """Check that the counts of all canaries are those of the records."""
        truth, counts = await self.truth(), await self.counts()
        for canary_id, ends in truth.items():
            for side, found in (("c", counts[canary_id].canary), ("l", counts[canary_id].live)):
                assert found.failed == ends[side, True]
                assert found.runs == ends[side, True] + ends[side, False]


@asynccontextmanager
async def canaries_of(stack: RunningStack) -> AsyncIterator[StackCanaries]:
    """Open the store of a stack for a new account with its workflow."""
    account_id, key = make_caller(stack, "owner")
    store = Store.open(Settings(redis_url=stack.redis_url))
    try:
        await store.ping()
        yield StackCanaries(stack, store, account_id, key)
    finally:
        await store.close()
