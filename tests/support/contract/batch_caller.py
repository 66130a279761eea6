"""Batches of one account of a real stack, over HTTP, and what their records say at the end."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from deploy.net.http_client import Unreachable, call
from tests.support.acceptance.callers import save
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.factories import Graph


class BatchCaller:
    """Starts batches, and repeats calls while no gateway answers."""

    def __init__(
        self, stack: RunningStack, name: str, *, tier: str = "enterprise", credits: int = 100_000
    ) -> None:
        self._stack = stack
        email = f"{name}@localhost"
        words = ("--email", email, "--tier", tier, "--credits", str(credits), "--json")
        self.account_id = str(json.loads(stack.command("account", "create", *words).stdout)["id"])
        made = stack.command(
            *("key", "create", "--account", self.account_id),
            *("--preset", "Full deploy", "--json"),
        )
        self.key = str(json.loads(made.stdout)["key"])

    def save(self, name: str, graph: Graph) -> str:
        """Save a workflow; return its slug."""
        return save(self._stack, self.key, name, graph.body())

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Return the answer of a call, which is repeated while the stack cannot give one."""

        def attempt() -> tuple[int, Any]:
            try:
                url = self._stack.url + path
                return call(method, url, key=self.key, body=body, headers=headers)
            except (Unreachable, OSError, ValueError):
                return 0, None

        status, answer = until(attempt, lambda each: 200 <= each[0] < 300)
        assert status
        return answer

    def start(self, slug: str, items: int, concurrency: int) -> str:
        """Start a batch whose items name their number; return its id."""
        inputs = [{"inputs": {"who": f"{number}"}} for number in range(items)]
        body = {"items": inputs, "concurrency": concurrency}
        return str(self.ask("POST", f"/api/workflows/{slug}/batch", body)["batchId"])

    def get(self, batch_id: str) -> dict[str, Any]:
        """Return the batch."""
        found: dict[str, Any] = self.ask("GET", f"/api/batches/{batch_id}")
        return found

    def wait(
        self, batch_id: str, holds: Callable[[dict[str, Any]], object], seconds: float = 120.0
    ) -> dict[str, Any]:
        """Return the batch once it is as expected."""
        return until(lambda: self.get(batch_id), holds, timeout=seconds)

    def end(self, batch_id: str, seconds: float = 120.0) -> dict[str, Any]:
        """Return the batch once it is over."""
        return self.wait(batch_id, lambda batch: batch["status"] != "processing", seconds)

    def executions(self, batch_id: str) -> list[dict[str, Any]]:
        """Return the rows of all executions of a batch."""
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            more = f"&cursor={cursor}" if cursor else ""
            page = self.ask("GET", f"/api/executions?batchId={batch_id}&limit=100{more}")
            rows += page["rows"]
            cursor = page["nextCursor"] or ""
            if not cursor:
                return rows

    def check_books(self, batch_id: str, items: int) -> Counter[str]:
        """Check that each item has one execution, and that counts and credits are those of them.

        Returns the number of executions by status.
        """
        batch, rows = self.get(batch_id), self.executions(batch_id)
        statuses = Counter(row["status"] for row in rows)
        counts = Counter({name: n for name, n in batch["counts"].items() if n})
        assert len({row["executionId"] for row in rows}) == len(rows) == items
        assert counts == statuses
        assert batch["creditsCost"] == sum(row["creditsCost"] for row in rows)
        return statuses


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that a work took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
