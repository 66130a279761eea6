"""Users of every kind at once: callers that wait, poll, watch, cancel or err, and authors."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from tests.support.factories import Graph, greeting

END_STATUSES = {"completed", "failed", "cancelled"}
LARGE_TEXT = "x" * 400_000


def documents(target_url: str) -> dict[str, dict[str, Any]]:
    """Return workflows by name; their HTTP nodes call the target."""
    fields = [{"name": "value", "label": "Value", "type": "json"}]
    computing = Graph().node("in", "requestInput", fields=fields).node("out", "responseOutput")
    computing.node("t", "transform", expression="size(value.value)")
    computing.wire("in.params > t.value-in", "t.value-out > out.result-in")
    calling = Graph("who").node("out", "responseOutput")
    for number, path in enumerate(("echo", "flaky/1/{{id}}", "large/300000")):
        url = f"{target_url}/{path}?n={number}"
        retry = {"attempts": 3, "backoff": 0.05}
        calling.node(f"h{number}", "httpRequest", url=url, retry=retry)
        calling.wire(f"h{number}.response-out > out.result-in")
        if "{{id}}" in path:
            calling.wire(f"in.who > h{number}.id")
    failing = Graph().node("out", "responseOutput")
    failing.node("h", "httpRequest", url=f"{target_url}/status/500")
    failing.wire("h.response-out > out.result-in")
    slow = Graph().node("out", "responseOutput")
    slow.node("h", "httpRequest", url=f"{target_url}/slow/3").wire("h.response-out > out.result-in")
    graphs = {
        "greeting": greeting(),
        "long": greeting(texts=20),
        "computing": computing,
        "calling": calling,
        "failing": failing,
        "slow": slow,
    }
    return {name: graph.body(name) for name, graph in graphs.items()}


class MixedLoad:
    """Random calls of an account, with the count of each call and status."""

    def __init__(self, client: httpx2.AsyncClient, target_url: str, seed: int = 1) -> None:
        self._client = client
        self._documents = documents(target_url)
        self._slugs: dict[str, str] = {}
        self._rng = random.Random(seed)
        self.answers: Counter[str] = Counter()
        self._kinds: tuple[tuple[int, Callable[[], Awaitable[None]]], ...] = (
            (30, self._run_small),
            (10, self._run_long),
            (10, self._poll),
            (6, self._call_out),
            (4, self._compute),
            (3, self._send_large),
            (3, self._watch),
            (3, self._fail),
            (3, self._cancel),
            (2, self._repeat),
            (2, self._author),
            (4, self._read_lists),
            (4, self._err),
        )

    async def begin(self) -> None:
        """Save the workflows."""
        for name, document in self._documents.items():
            self._slugs[name] = (await self._call("POST", "/api/workflows", document))["slug"]

    async def go_on(self, seconds: float, per_second: float) -> None:
        """Make calls at this rate for a time, and wait for the last of them."""
        weights, kinds = zip(*self._kinds, strict=True)
        ends_at = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            while asyncio.get_running_loop().time() < ends_at:
                group.create_task(self._do(self._rng.choices(kinds, weights)[0]))
                await asyncio.sleep(self._rng.expovariate(per_second))

    async def _do(self, kind: Callable[[], Awaitable[None]]) -> None:
        try:
            await kind()
        except httpx2.HTTPError as error:
            self.answers[f"{kind.__name__} {type(error).__name__}"] += 1

    async def _call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = await self._client.request(method, path, json=body, headers=headers)
        where = path.split("/")[2].partition("?")[0]
        self.answers[f"{method} {where} {answer.status_code}"] += 1
        return answer.json() if answer.content else None

    async def _run(self, name: str, inputs: Any, query: str = "", **headers: str) -> Any:
        path = f"/api/workflows/{self._slugs[name]}/run{query}"
        return await self._call("POST", path, {"inputs": inputs}, **headers)

    async def _run_small(self) -> None:
        await self._run("greeting", {"who": "Ada"})

    async def _run_long(self) -> None:
        await self._run("long", {"who": "Ada"})

    async def _call_out(self) -> None:
        await self._run("calling", {"who": f"{self._rng.random():.12f}"})

    async def _compute(self) -> None:
        await self._run("computing", {"value": list(range(self._rng.randint(1, 20_000)))})

    async def _send_large(self) -> None:
        await self._run("greeting", {"who": LARGE_TEXT})

    async def _fail(self) -> None:
        await self._run("failing", {})

    async def _poll(self) -> None:
        accepted = await self._run("calling", {"who": f"{self._rng.random():.12f}"}, "?async=true")
        await self._wait_for(accepted["executionId"])

    async def _wait_for(self, execution_id: str) -> None:
        for _ in range(100):
            found = await self._call("GET", f"/api/executions/{execution_id}")
            if found["status"] in END_STATUSES:
                return
            await asyncio.sleep(0.2)
        self.answers["an execution that did not end"] += 1

    async def _watch(self) -> None:
        path = f"/api/workflows/{self._slugs['long']}/run"
        events = {"accept": "text/event-stream"}
        body = {"inputs": {"who": "Ada"}}
        async with self._client.stream("POST", path, json=body, headers=events) as answer:
            async for _ in answer.aiter_lines():
                pass
        self.answers[f"events {answer.status_code}"] += 1

    async def _cancel(self) -> None:
        accepted = await self._run("slow", {}, "?async=true")
        await asyncio.sleep(self._rng.random())
        path = f"/api/executions/{accepted['executionId']}"
        await self._call("POST", f"{path}/cancel")
        await self._wait_for(accepted["executionId"])

    async def _repeat(self) -> None:
        key = f"{self._rng.random():.12f}"
        for _ in range(2):
            await self._run("greeting", {"who": "Ada"}, **{"idempotency-key": key})

    async def _author(self) -> None:
        saved = await self._call("POST", "/api/workflows", self._documents["long"])
        path = f"/api/workflows/{saved['slug']}"
        for number in range(3):
            await self._call("PUT", path, {**self._documents["long"], "name": f"Version {number}"})
        await self._call("DELETE", path)

    async def _read_lists(self) -> None:
        for path in ("/api/executions?limit=50", "/api/usage", "/api/workflows"):
            await self._call("GET", path)

    async def _err(self) -> None:
        await self._run("greeting", {"nobody": 1})
        await self._call("GET", "/api/executions/00000000-0000-4000-8000-000000000000")
        await self._call("GET", "/api/executions", **{"x-api-key": "knd_wrong"})
        with contextlib.suppress(json.JSONDecodeError):
            await self._client.post("/api/workflows", content=b"{" * 200)
