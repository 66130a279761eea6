"""Callers of every kind of run, who go on whatever fails, and a count of their answers."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx2

from tests.support.acceptance.versions.load import NOWHERE, calling, computing
from tests.support.contract.approvals import ANSWER, asking_person, delaying
from tests.support.factories import Graph, greeting
from tests.support.graphs import nested_graphs
from tests.support.hosts.load import modelling

TERMINAL = frozenset({"completed", "failed", "cancelled"})
RETRY = {"attempts": 3, "backoff": 0.05}
ITEMS = 3
SECRET = "a secret of the receiver"
ANSWER_SECONDS, END_SECONDS = 30.0, 60.0
FLAKY = "/flaky/1"
"""Path of the target at which the first call of a name fails."""


def story(slug: str, target_url: str) -> Graph:
    """Return a run with a child, which calls a model, and a call that is tried again."""
    graph = Graph("id").node("child", "subWorkflow", workflow=slug)
    graph.node("fetch", "httpRequest", url=f"{target_url}{FLAKY}/{{{{id}}}}", retry=RETRY)
    graph.node("out", "responseOutput", fields=[{"name": "said"}, {"name": "fetched"}])
    return graph.wire(
        *("in.id > child.id", "in.id > fetch.id"),
        *("child.result-out > out.said", "fetch.response-out > out.fetched"),
    )


def agent(model: str, slug: str) -> Graph:
    """Return an agent that calls a workflow as its tool, and then answers."""
    tools = [{"workflow": slug}]
    graph = Graph("id")
    graph.node("agent", "agent", model=model, prompt=f"Use {slug}. who: {{{{ id }}}}", tools=tools)
    graph.node("out", "responseOutput")
    return graph.wire("in.id > agent.id", "agent.text-out > out.result-in")


def each_item(model: str) -> Graph:
    """Return a child for each of some items, which calls a model."""
    graph = Graph("id").node("l", "list", items=[{"value": f"item {n}"} for n in range(ITEMS)])
    graph.node("each", "forEach", body=nested_graphs.body_of(modelling(model)))
    graph.node("out", "responseOutput")
    return graph.wire("l.items-out > each.id", "each.results-out > out.result-in")


class Traffic:
    """Callers of one account at several gateways.

    Kinds: plain runs `greet compute call retry model shaky fail child each agent story stream`,
    others `cancel delay approval webhook batch hook occurrence replay refused`.
    """

    def __init__(
        self, urls: Callable[[], Sequence[str]], key: str, target_url: str, receiver_url: str
    ) -> None:
        self._urls = urls
        self._target_url = target_url
        self.receiver_url = receiver_url
        """URL to which runs of the kinds `webhook` and `story` have their events sent."""
        self._client = httpx2.AsyncClient(headers={"x-api-key": key}, timeout=ANSWER_SECONDS)
        self._rng = random.Random(1)
        self._numbers = itertools.count()
        self.make_name = self._make_name
        """Makes the input of each run."""
        self.slugs: dict[str, str] = {}
        self._triggers: dict[str, dict[str, Any]] = {}
        self.answers: Counter[str] = Counter()
        """Runs by kind and status of their end, and calls that failed, by kind and failure."""
        self.last: dict[str, str] = {}
        """Id of the last execution of each kind."""
        self._ways: dict[str, Callable[[dict[str, str]], Awaitable[Any]]] = {
            "stream": self._stream,
            "cancel": self._cancel,
            "approval": self._approval,
            "webhook": self._webhook,
            "story": self._story,
            "batch": self._batch,
            "hook": self._hook,
            "occurrence": self._occurrence,
            "replay": self._replay,
            "refused": self._refused,
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return all kinds of runs."""
        return tuple({**self.slugs, **self._ways})

    # -- before the first run ---------------------------------------------------------------------

    async def begin(self) -> None:
        """Save the workflows and triggers."""
        url = self._target_url
        graphs = {
            "greet": greeting(),
            "compute": computing(),
            "call": calling(f"{url}/echo"),
            "retry": calling(f"{url}{FLAKY}", retry=RETRY),
            "model": modelling("steady"),
            "shaky": modelling("shaky"),
            "fail": calling(f"{url}/status/404"),
            "cancel": calling(f"{url}/slow/5"),
            "delay": delaying(seconds=1),
            "approval": asking_person(),
            "each": each_item("steady"),
        }
        for name, graph in graphs.items():
            await self._save(name, graph)
        await self._save("child", nested_graphs.calling(self.slugs["greet"]))
        await self._save("agent", agent("steady", self.slugs["greet"]))
        await self._save("story", story(self.slugs["model"], url))
        greet = {"workflowSlug": self.slugs["greet"], "name": "Of the traffic"}
        self._triggers = {
            "hook": await self._trigger(
                kind="webhook", verify={"kind": "none"}, inputs={"who": "body.who"}, **greet
            ),
            "occurrence": await self._trigger(
                kind="schedule", cron="0 0 29 2 *", inputs={"who": "Ada"}, **greet
            ),
        }

    async def _save(self, name: str, graph: Graph) -> None:
        saved = await self._must("POST", "/api/workflows", graph.body(name.capitalize()))
        self.slugs[name] = saved["slug"]

    async def _trigger(self, **body: Any) -> dict[str, Any]:
        return dict(await self._must("POST", "/api/triggers", body))

    # -- runs -------------------------------------------------------------------------------------

    async def go_on(
        self, callers: int, until: Awaitable[object], kinds: Sequence[str] = ()
    ) -> None:
        """Let callers make one run after another until something is over."""
        chosen = list(kinds or self.kinds)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._call_on(chosen)) for _ in range(callers)]
            await until
            for task in tasks:
                task.cancel()

    async def _call_on(self, kinds: list[str]) -> None:
        while True:
            for kind in self._rng.sample(kinds, len(kinds)):
                try:
                    await self.make(kind)
                except (httpx2.HTTPError, TimeoutError, ValueError, UnexpectedAnswer) as error:
                    self.answers[f"{kind} {type(error).__name__}"] += 1
                    await asyncio.sleep(0.1)

    async def make(self, kind: str, **headers: str) -> Any:
        """Make one run with such headers; return its execution once it has ended.

        A batch and a refusal are returned as they were answered. Raises UnexpectedAnswer.
        """
        async with asyncio.timeout(END_SECONDS):
            made = await self._ways.get(kind, self._plain(kind))(headers)
        self.answers[f"{kind} {made.get('status', 'answered')}"] += 1
        if "executionId" in made:
            self.last[kind] = made["executionId"]
        return made

    def _plain(self, kind: str) -> Callable[[dict[str, str]], Awaitable[Any]]:
        async def run(headers: dict[str, str]) -> Any:
            return await self.end_of(await self._start(kind, headers, waits=True))

        return run

    async def end_of(self, execution_id: str) -> Any:
        """Return an execution once it has ended."""
        return await self._until(execution_id, lambda found: found["status"] in TERMINAL)

    async def _until(self, execution_id: str, holds: Callable[[Any], object]) -> Any:
        while True:
            found = await self._must("GET", f"/api/executions/{execution_id}")
            if holds(found):
                return found
            await asyncio.sleep(0.1)

    async def _start(
        self, kind: str, headers: dict[str, str], *, waits: bool = False, **members: Any
    ) -> str:
        """Begin a run; return its id."""
        query = "" if waits else "?async=true"
        body = {"inputs": self._inputs(kind), **members}
        path = f"/api/workflows/{self.slugs[kind]}/run{query}"
        status, answer = await self.ask("POST", path, body, **headers)
        if "executionId" not in answer:
            raise UnexpectedAnswer(f"{kind}: {status} {answer}")
        return str(answer["executionId"])

    def _inputs(self, kind: str) -> dict[str, str]:
        name = "who" if kind in ("greet", "child", "delay", "approval") else "id"
        return {name: self.make_name()}

    def _make_name(self) -> str:
        return f"r{next(self._numbers)}-{self._rng.randrange(1_000_000)}"

    async def _stream(self, headers: dict[str, str]) -> Any:
        path = f"{self._url()}/api/workflows/{self.slugs['model']}/run"
        words = {**headers, "accept": "text/event-stream"}
        body = {"inputs": self._inputs("model")}
        async with self._client.stream("POST", path, json=body, headers=words) as answer:
            async for _ in answer.aiter_lines():
                pass
        return {"status": "streamed" if answer.status_code == 200 else str(answer.status_code)}

    async def _cancel(self, headers: dict[str, str]) -> Any:
        execution_id = await self._start("cancel", headers)
        await asyncio.sleep(0.2)
        await self.ask("POST", f"/api/executions/{execution_id}/cancel")
        return await self.end_of(execution_id)

    async def _approval(self, headers: dict[str, str]) -> Any:
        execution_id = await self._start("approval", headers)
        await self._until(execution_id, lambda found: found["waitingFor"])
        await self._must("POST", f"/api/executions/{execution_id}/approvals/ask", ANSWER)
        return await self.end_of(execution_id)

    async def _webhook(self, headers: dict[str, str]) -> Any:
        webhook = {"url": self.receiver_url, "secret": SECRET}
        return await self.end_of(await self._start("greet", headers, webhook=webhook))

    async def _story(self, headers: dict[str, str]) -> Any:
        webhook = {"url": self.receiver_url, "secret": SECRET}
        return await self.end_of(await self._start("story", headers, webhook=webhook))

    async def _batch(self, headers: dict[str, str]) -> Any:
        path = f"/api/workflows/{self.slugs['greet']}/batch"
        body = {"items": [{"inputs": self._inputs("greet")} for _ in range(ITEMS)]}
        made = await self._must("POST", path, body, **headers)
        while True:
            found = await self._must("GET", f"/api/batches/{made['batchId']}")
            if found["status"] != "processing":
                return found
            await asyncio.sleep(0.1)

    async def _hook(self, headers: dict[str, str]) -> Any:
        url = self._triggers["hook"]["url"]
        path = url[url.index("/", len("https://")) :] if "://" in url else url
        return await self._must("POST", path, {"who": "Ada"}, **headers)

    async def _occurrence(self, headers: dict[str, str]) -> Any:
        path = f"/api/triggers/{self._triggers['occurrence']['id']}/run"
        return await self._must("POST", path, {}, **headers)

    async def _replay(self, headers: dict[str, str]) -> Any:
        words = {**headers, "Idempotency-Key": f"key-{self._rng.random()}"}
        path = f"/api/workflows/{self.slugs['greet']}/run"
        body = {"inputs": self._inputs("greet")}
        first = await self._must("POST", path, body, **words)
        again = await self._must("POST", path, body, **words)
        if again["executionId"] != first["executionId"]:
            raise UnexpectedAnswer(f"replay: {first} {again}")
        return await self.end_of(first["executionId"])

    async def _refused(self, headers: dict[str, str]) -> Any:
        path = "/api/workflows/nobody-has-this/run"
        status, answer = await self.ask("POST", path, {"inputs": {}}, **headers)
        return {"status": str(status), "answer": answer}

    # -- calls ------------------------------------------------------------------------------------

    async def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Send one request to some gateway; return status and answer. Raises httpx2.HTTPError."""
        answer = await self._client.request(method, self._url() + path, json=body, headers=headers)
        return answer.status_code, answer.json() if answer.content else {}

    async def _must(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, answer = await self.ask(method, path, body, **headers)
        if not 200 <= status < 300:
            raise UnexpectedAnswer(f"{method} {path}: {status} {answer}")
        return answer

    def _url(self) -> str:
        return self._rng.choice(self._urls() or [NOWHERE])

    async def close(self) -> None:
        await self._client.aclose()


class UnexpectedAnswer(Exception):
    """A gateway answered otherwise than the kind of run needs."""
