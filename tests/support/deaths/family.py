"""Runs over a list, of which each item is a child that calls a target and a model."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deploy.net.http_client import Unreachable, call
from engine.settings import Settings
from engine.store import Store
from engine.store.children.keys import open_children
from tests.support.acceptance.running_stack import until
from tests.support.deaths.scene import CAPABILITIES, END_SECONDS, GATEWAY, PRICE, Scene, workflow
from tests.support.graphs.nested_graphs import per_item
from tests.support.redis.installation import SECRET_KEY

ITEMS, CONCURRENCY = 4, 2
_numbers = itertools.count()


@dataclass(eq=False)
class FamilyRun:
    """One run over a list of names."""

    id: str
    names: list[str]


@dataclass
class Families:
    """An account whose workflow runs a child for each item."""

    scene: Scene
    account_id: str
    key: str
    slug: str
    runs: list[FamilyRun] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def begin(self) -> FamilyRun:
        """Begin a run without waiting for its end."""
        number = next(self._numbers)
        names = [f"{self.slug}-{number}-{item}" for item in range(ITEMS)]
        for name in names:
            self.scene.prepare(name)
        body = {"inputs": {"items": names}}
        answer = self._ask("POST", f"/api/workflows/{self.slug}/run?async=true", body)
        self.runs.append(run := FamilyRun(answer["executionId"], names))
        return run

    def read(self, run: FamilyRun) -> Any:
        """Return the parent."""
        return self._ask("GET", f"/api/executions/{run.id}")

    def end(self, run: FamilyRun) -> Any:
        """Return the parent once it has ended."""
        deadline = time.monotonic() + END_SECONDS
        while not (found := self.read(run))["completedAt"]:
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def check(self, run: FamilyRun, deaths: int) -> None:
        """Check that each item is one child, run once beside deaths, and that the parent has all.

        `deaths`: processes that were killed on the way of the run.
        """
        found = self.end(run)
        assert found["status"] == "completed", found
        assert found["result"]["errors"] == []
        assert len(found["result"]["results"]) == ITEMS
        where = f"parentId={run.id}&parentNodeId=each&limit=100"
        rows = self._ask("GET", f"/api/executions?{where}")["rows"]
        assert sorted(row["childIndex"] for row in rows) == list(range(ITEMS))
        assert Counter((row["status"], row["creditsCost"]) for row in rows) == Counter(
            {("completed", PRICE): ITEMS}
        )
        assert found["creditsCost"] == ITEMS * PRICE
        for name in run.names:
            for kind in ("first", "make"):
                assert 1 <= self.scene.target.counts[f"/{kind}/{name}"] <= 1 + deaths

    def check_books(self) -> None:
        """Check the ledger, and that no child is under way."""
        until(lambda: asyncio.run(self._left()) == ([], 0))

    async def _left(self) -> tuple[list[str], int]:
        store = Store.open(Settings(redis_url=self.scene.redis_url, secret_key=SECRET_KEY))
        try:
            left = await store.client.send("ZCARD", open_children(self.account_id))
            return await store.wallets.check(self.account_id), left
        finally:
            await store.close()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        def attempt() -> tuple[int, Any]:
            try:
                url = self.scene.living(GATEWAY)[0].url + path
                return call(method, url, key=self.key, body=body)
            except (Unreachable, OSError):
                return 0, None

        return until(attempt, lambda answer: 200 <= answer[0] < 300)[1]


def open_families(scene: Scene) -> Families:
    """Make the account and its workflow."""
    name = f"family{next(_numbers)}"
    account_id, key = scene.fleet.make_account(name, *CAPABILITIES)
    graph = per_item(workflow(scene.target.url), concurrency=CONCURRENCY)
    return Families(scene, account_id, key, scene.fleet.save(key, name, graph))
