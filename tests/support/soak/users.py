"""Users of one account who use each part of the product, one thing after another."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.support.acceptance.versions.load import PRICE, Run, VersionLoad, saying
from tests.support.eventually import eventually
from tests.support.soak.differences import LOST, OTHER, Differences
from tests.support.soak.graphs import asking_child, asking_person, charging_each, sleeping

PATIENCE_SECONDS = 180.0
"""Longest that a user waits for the end of anything."""
PAUSE_SECONDS = 1.0
"""Mean pause between two runs of a user."""
WEIGHTS = {
    "greet": 10,
    "call": 8,
    "list": 4,
    "retry": 4,
    "delay": 3,
    "fail": 3,
    "cancel": 3,
    "compute": 2,
    "author": 4,
    "draft": 3,
    "sub": 4,
    "each": 4,
    "batch": 2,
    "hook": 6,
    "sleep": 4,
    "ask": 5,
    "watch": 4,
    "pages": 5,
    "large": 1,
    "err": 3,
    "repeat": 3,
    "canary": 4,
}
"""Kinds of things to do, and how often each is drawn."""
LARGE_TEXT = "x" * 400_000
EVERY_MINUTE = "* * * * *"
PAGES = (
    *("/api/executions?limit=50", "/api/workflows", "/api/usage", "/api/batches?limit=20"),
    *("/api/approvals?limit=20", "/api/triggers", "/api/ledger?limit=50", "/openapi.json"),
)


class Gone(Exception):
    """An execution, or a batch, that was accepted is not on record."""


ODD = (Gone, AssertionError, KeyError, TypeError, ValueError, httpx2.HTTPError)
"""Errors of users, by answers that are not as they should be."""


@dataclass
class Place:
    """Account of the users: its workflows and triggers, and what they know of each other."""

    differences: Differences
    slugs: dict[str, str] = field(default_factory=dict)
    hook_path: str = ""
    trigger_ids: dict[str, str] = field(default_factory=dict)
    pages: Counter[str] = field(default_factory=Counter)
    batches: dict[str, list[Run]] = field(default_factory=dict)
    """Runs of the items of each batch that is over."""
    has_releases: bool = False
    """Whether the store has the schema of aliases and canaries."""
    is_over: bool = False


class User(VersionLoad):
    """One user, who makes one thing after another by draws of their own."""

    def __init__(
        self,
        place: Place,
        number: int,
        seed: int,
        urls: Callable[[], Sequence[str]],
        key: str,
        target_url: str,
    ) -> None:
        draws = f"{seed} {number}"
        super().__init__(urls, key, target_url, draws, patience=PATIENCE_SECONDS, timeout=30)
        self._place = place
        self._number = number
        self._numbers = itertools.count(number * 1_000_000)
        self._slugs = place.slugs
        self._target_url = target_url
        self._released = ""
        """Workflow of the user with a canary."""
        self._live, self._canary = "Version 0", ""
        """Words of its live version and of its canary."""

    # -- saving -----------------------------------------------------------------------------------

    async def settle_in(self) -> None:
        """Save the workflows and triggers of the account."""
        await self.begin()
        url = self._target_url
        for kind, graph in (
            ("sub", asking_child(self._slugs["call"])),
            ("each", charging_each()),
            ("sleep", sleeping(url)),
            ("ask", asking_person(url)),
        ):
            self._slugs[kind] = await self.save(kind, graph)
        common = {"workflowSlug": self._slugs["greet"]}
        hook = {"kind": "webhook", "name": "Events", "verify": {"kind": "none"}}
        due = {"kind": "schedule", "name": "Minutes", "cron": EVERY_MINUTE}
        due["inputs"] = {"who": "schedule"}  # type: ignore[assignment]
        for name, body in (("hook", hook), ("schedule", due)):
            status, made = await self.ask("POST", "/api/triggers", common | body)
            assert status == 201, made
            self._place.trigger_ids[name] = made["id"]
            if name == "hook":
                self._place.hook_path = urlsplit(made["url"]).path
        await self._make("sub", "")  # workers are there, and have started their children

    # -- living -----------------------------------------------------------------------------------

    async def live(self) -> None:
        """Do one thing after another until all is over; note what is not as it should be."""
        own = await self.save(f"Own {self._number}", saying("Version 0"))
        kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
        while not self._place.is_over:
            kind = self._rng.choices(kinds, weights)[0]
            made, began = len(self.runs), time.monotonic()
            try:
                await self._make(kind, own)
            except ODD as error:
                self._note(error, kind, self.runs[made:], began)
            for run in self.runs[made:]:
                run.ended = run.ended or time.monotonic()
            await asyncio.sleep(self._rng.expovariate(1 / PAUSE_SECONDS))

    def _note(self, error: Exception, kind: str, runs: Sequence[Run], began: float) -> None:
        differences, now = self._place.differences, time.monotonic()
        if isinstance(error, Gone) and runs:
            return  # the oracle looks for it too
        is_explained = differences.touches(began, now)
        text = f"{kind}, {differences.after(began)} to {differences.after(now)}: {error!r}"
        lost = LOST if isinstance(error, Gone) else OTHER
        differences.note(lost, "caller", text, is_by_failover=is_explained)

    async def _make(self, kind: str, own: str) -> None:
        match kind:
            case "batch":
                await self._batch()
            case "hook":
                await self._hook()
            case "ask":
                await self._ask_person()
            case "watch":
                await self._watch()
            case "pages":
                await self._read_pages()
            case "large":
                await self._send_large()
            case "canary":
                await self._release()
            case "err":
                await self._err()
            case "repeat":
                await self._repeat()
            case _:
                await super()._make(kind, own)

    async def read(self, execution_id: str, url: str | None = None) -> dict[str, Any]:
        status, answer = await self.ask("GET", f"/api/executions/{execution_id}", url=url)
        if status == 404:
            raise Gone(execution_id)
        assert status == 200, (execution_id, answer)
        return dict(answer)

    # -- kinds ------------------------------------------------------------------------------------

    def _expected(self, run: Run) -> tuple[Any, int]:
        match run.kind:
            case "sub":
                return {"n": 7, "kind": "echo"}, 0
            case "sleep":
                return {"n": 7, "kind": "later"}, 0
            case "each":
                items = items_of(run)
                return {"results": items, "errors": []}, PRICE * len(items)
            case "watch" | "repeat":
                return {"text": f"Hello {run.name}"}, 0
            case "large":
                return {"text": f"Hello {self._inputs(run)['inputs']['who']}"}, 0
        return super()._expected(run)

    def _inputs(self, run: Run) -> dict[str, Any]:
        if run.kind == "each":
            return {"inputs": {"items": items_of(run)}}
        if run.kind == "large":
            return {"inputs": {"who": f"{run.name} {LARGE_TEXT}"}}
        if run.kind in ("watch", "hook", "repeat"):
            return {"inputs": {"who": run.name}}
        return super()._inputs(run)

    async def _batch(self) -> None:
        """Start a batch of calls, and wait for its end."""
        whole = next(self._numbers)
        names = [f"r{whole}-{number}" for number in range(self._rng.randint(1, 6))]
        items = [{"inputs": {"id": name}} for name in names]
        path, headers = f"/api/workflows/{self._slugs['call']}/batch", {"Idempotency-Key": names[0]}
        began = time.monotonic()
        status, batch = await self.ask("POST", path, {"items": items}, **headers)
        assert status == 202, batch
        found = f"/api/batches/{batch['batchId']}"

        async def read() -> dict[str, Any]:
            status, answer = await self.ask("GET", found)
            if status == 404:
                raise Gone(found)
            assert status == 200, answer
            return dict(answer)

        over = await eventually(
            read, lambda each: each["status"] != "processing", timeout=self._patience, pause=0.2
        )
        _, page = await self.ask("GET", f"{found}/items?limit=100")
        expected = {"n": 7, "kind": "echo"}
        runs = [
            Run(name=name, kind="call", key="", waits=True, result=expected, began=began)
            for name in names
        ]
        for run, row in zip(runs, page["rows"], strict=True):
            run.execution_id, run.accepted = row["executionId"] or "", began
            run.ended = time.monotonic()
        self.runs += runs
        self._place.batches[batch["batchId"]] = runs
        assert over["counts"]["completed"] == len(names), over
        assert all(row["result"] == expected for row in page["rows"]), page

    async def _hook(self) -> None:
        """Send an event, again and again until a gateway has it."""
        run = self._new("hook", waits=True)
        run.result = {"text": f"Hello {run.name}"}
        headers = {"webhook-id": run.key}
        status, answer = await self.ask("POST", self._place.hook_path, {"who": run.name}, **headers)
        run.execution_id = answer.get("executionId", "")
        assert status in (200, 202) and run.execution_id, (run, status, answer)
        run.accepted = time.monotonic()
        await self._await_end(run)

    async def _ask_person(self) -> None:
        """Begin a run that asks, and answer it, now and then twice."""
        run = self._new("ask", waits=False)
        way, decision = self._rng.choice([("approved", "approve"), ("refused", "refuse")])
        run.result = {"n": 7, "kind": way}
        await self._accept(run, f"/api/workflows/{self._slugs['ask']}/run")
        await eventually(
            lambda: self.read(run.execution_id),
            lambda found: found["waitingFor"],
            timeout=self._patience,
            pause=0.2,
        )
        path = f"/api/executions/{run.execution_id}/approvals/ask"
        for _ in range(self._rng.choice([1, 1, 2])):
            status, answer = await self.ask("POST", path, {"decision": decision})
            assert status in (200, 409) and answer["decision"] == decision, (run, status, answer)
        await self._await_end(run)

    async def _watch(self) -> None:
        """Follow the events of a run to its end, as often as the stream breaks off."""
        run = self._new("watch", waits=False)
        run.result, run.cost = self._expected(run)
        await self._accept(run, f"/api/workflows/{self._slugs['greet']}/run")
        path = f"/api/executions/{run.execution_id}/events"
        deadline = time.monotonic() + self._patience
        while not await self._follow(path):
            assert time.monotonic() < deadline, f"the stream of {run} does not end"
            await asyncio.sleep(0.1)
        await self._await_end(run)

    async def _follow(self, path: str) -> bool:
        """Return whether a stream told the end."""
        try:
            headers = {"accept": "text/event-stream"}
            request = self._client.stream("GET", self._choose() + path, headers=headers)
            async with request as answer:
                if answer.status_code == 404:
                    raise Gone(path)
                if answer.status_code == 204:
                    return True
                text = "".join([part async for part in answer.aiter_text()])
                return "event: execution.finished" in text
        except httpx2.TransportError:
            return False

    async def _send_large(self) -> None:
        """Wait for a run whose input and result are too large for its record."""
        run = self._new("large")
        run.result, run.cost = self._expected(run)
        await self._run(run, f"/api/workflows/{self._slugs['greet']}/run")

    async def _release(self) -> None:
        """Publish a draft as a canary, run it or the live version, and promote it now and then."""
        if not self._place.has_releases:
            return
        if not self._released:
            self._released = await self.save(f"Released {self._number}", saying(self._live))
        run = self._new("canary", waits=False)
        path, word = f"/api/workflows/{self._released}", f"Canary {run.name}"
        status, answer = await self.ask("PUT", f"{path}/draft", saying(word).body("Released"))
        assert status == 200, answer
        body = {"canary": {"percent": 50}}
        status, answer = await self.ask("POST", f"{path}/publish", body)
        assert status == 200 or answer["code"] == "DRAFT_NOT_FOUND", answer  # sent before
        self._canary = word
        await self._accept(run, f"{path}/run")
        await self._await_end(run)
        texts = [{"text": f"{word} {run.name}"} for word in (self._live, self._canary)]
        run.result = (await self.read(run.execution_id))["result"]
        assert run.result in texts, (run, texts)
        if self._rng.random() < 0.5:
            status, answer = await self.ask("POST", f"{path}/aliases/live/promote")
            assert status == 200 or answer["code"] == "NO_CANARY", answer  # sent before
            self._live = word

    async def _repeat(self) -> None:
        """Send one request three times at once: they are one run."""
        run = self._new("repeat", waits=False)
        run.result, run.cost = self._expected(run)
        path = f"/api/workflows/{self._slugs['greet']}/run?async=true"
        headers = {"Idempotency-Key": run.key}
        asked = (self.ask("POST", path, self._inputs(run), **headers) for _ in range(3))
        answers = await asyncio.gather(*asked)
        ids = {answer.get("executionId", "") for _, answer in answers}
        run.execution_id, run.accepted = next(iter(ids)), time.monotonic()
        assert len(ids) == 1 and {status for status, _ in answers} == {202}, (run, answers)
        await self._await_end(run)

    async def _err(self) -> None:
        """Ask for what is not there, and with what is not right."""
        nobody = "/api/executions/00000000-0000-4000-8000-000000000000"
        run = f"/api/workflows/{self._slugs['greet']}/run"
        for expected, method, path, body in (
            (404, "GET", nobody, None),
            (400, "POST", "/api/workflows", {"name": 7}),
            (404, "POST", "/api/workflows/nobody/run", {"inputs": {}}),
            (400, "POST", run, {"inputs": 7}),
        ):
            status, answer = await self.ask(method, path, body)
            assert status == expected, (path, status, answer)

    async def _read_pages(self) -> None:
        for path in self._rng.sample(PAGES, 3):
            status, answer = await self.ask("GET", path)
            self._place.pages[f"{path.partition('?')[0]} {status}"] += 1
            assert status == 200, (path, answer)


def items_of(run: Run) -> list[str]:
    """Return the items of a run over a list."""
    return [f"{run.name} {number}" for number in range(1 + int(run.name[1:]) % 5)]
