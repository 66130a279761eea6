"""Retries in tests, and random graphs of charged nodes of which some fail once."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.executions.execution import Execution
from engine.executions.rows import unpack_answers
from engine.executions.sources import Source
from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan
from engine.models.manifest import Model
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.retries import FailedExecution
from engine.settings import Settings
from engine.store import Accepted, NewRun, Store
from engine.store.executions.record_fields import parse_answer_batches
from engine.store.redis.record_packing import unpack
from tests.support.factories import Graph
from tests.support.store.records import NotAccepted
from tests.support.workers.paying_account import PayingAccount
from workers.providers.base import ModelAnswer, ModelCall


def media_service(store: Store) -> MediaService:
    """Return a media service with default settings."""
    return MediaService.from_settings(Settings(), store)


async def accept_retry(payer: PayingAccount, execution_id: str) -> str:
    """Accept a retry of a failed execution; return its id. Raises NotAccepted."""
    account, store, media = payer.account, payer.store, media_service(payer.store)
    failed = await FailedExecution.read(store, media, account.id, execution_id)
    new = NewRun(account_id=account.id, terms=payer.terms, source=Source.WORKFLOW, key_id="key")
    acceptance = Acceptance(store=store, media_service=media, allow_http=True)
    verdict = await acceptance.accept(new, failed, {})
    if not isinstance(verdict, Accepted):
        raise NotAccepted(verdict)
    return verdict.id


async def retry(payer: PayingAccount, execution_id: str) -> Execution:
    """Retry a failed execution, walk it and wait for its end."""
    retried = await accept_retry(payer, execution_id)
    payer.held_walker.walker.take_hint(payer.reference(retried))
    return await payer.end(retried)


class FailingModels:
    """Answers prompts `<node>: …`, and fails the first call of chosen prompts."""

    def __init__(self, failing: set[str]) -> None:
        self.calls: Counter[str] = Counter()
        """Calls by node."""
        self.succeeded: Counter[str] = Counter()
        """Answered prompts."""
        self._failing = set(failing)

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        prompt = str(values["prompt"])
        node, _, item = prompt.partition(": ")
        self.calls[node] += 1
        await asyncio.sleep(0)
        for name in (node, f"{node}: {item}"):
            if name in self._failing:
                self._failing.remove(name)
                raise NodeFailed("rejected", "The provider refused")
        self.succeeded[prompt] += 1
        return ModelAnswer(value=f"<{node}>", usage=model.max_usage(values))


class RetriedGraph:
    """A random graph of two to nine nodes, most of them charged; up to three fail once."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.graph = Graph("who")
        self.items: dict[str, int] = {}
        """Calls of each charged node."""
        self._outputs = ["in.who"]
        for number in range(self._random.randint(2, 9)):
            add = self._random.choice(
                [self._call, self._call, self._calls, self._text, self._branch]
            )
            add(f"n{number}")
        if not self.items:
            self._call("n9")
        self._close()
        self.failing = self._choose_failing()

    def _source(self) -> str:
        return self._random.choice(self._outputs[-4:])

    def _policy(self) -> dict[str, Any]:
        return {"onError": "continue"} if self._random.random() < 0.2 else {}

    def _call(self, node_id: str) -> None:
        prompt = node_id + ": {{ a }}"
        self.graph.node(node_id, "assistant", model="echo", prompt=prompt, **self._policy())
        self._add(node_id, "a", "text-out", 1)

    def _calls(self, node_id: str) -> None:
        count = self._random.randint(2, 5)
        items = [{"value": f"{node_id}: {number}"} for number in range(count)]
        self.graph.node(f"{node_id}t", "textBox", text=node_id + ": {{ a }}")
        self.graph.node(f"{node_id}l", "list", items=items)
        self.graph.node(node_id, "assistant", model="echo", **self._policy())
        self.graph.wire(f"{self._source()} > {node_id}t.a")
        self.graph.wire(f"{node_id}t.text-out > {node_id}l.items-in")
        self.graph.wire(f"{node_id}l.items-out > {node_id}.prompt-in")
        self._outputs.append(f"{node_id}.text-out")
        self.items[node_id] = count + 1

    def _text(self, node_id: str) -> None:
        self.graph.node(node_id, "textBox", text="{{ a }} and {{ b }}")
        self.graph.wire(f"{self._source()} > {node_id}.a")
        self._add(node_id, "b", "text-out", 0)

    def _branch(self, node_id: str) -> None:
        self.graph.node(node_id, "condition", expression=self._random.choice(["true", "false"]))
        self._add(node_id, "value-in", self._random.choice(["true-out", "false-out"]), 0)

    def _add(self, node_id: str, socket: str, output: str, calls: int) -> None:
        self.graph.wire(f"{self._source()} > {node_id}.{socket}")
        self._outputs.append(f"{node_id}.{output}")
        if calls:
            self.items[node_id] = calls

    def _close(self) -> None:
        sources = self._outputs[1:]
        names = [f"o{number}" for number in range(len(sources))]
        self.graph.node("out", "responseOutput", fields=[{"name": name} for name in names])
        for name, source in zip(names, sources, strict=True):
            self.graph.wire(f"{source} > out.{name}")

    def _choose_failing(self) -> set[str]:
        nodes = self._random.sample(sorted(self.items), min(len(self.items), 3))
        chosen = nodes[: self._random.randint(1, 3)]
        return {
            f"{node}: {self._random.randrange(self.items[node] - 1)}"
            if self.items[node] > 1
            else node
            for node in chosen
        }


async def expected_calls(
    payer: PayingAccount, graph: RetriedGraph, failed: Execution, plan: Plan
) -> dict[str, int]:
    """Return the calls of each charged node that a retry may make at most, kept answers aside."""
    record = await payer.store.walks.records(payer.account.id, failed.id)
    kept = parse_answer_batches(record)
    names = {node.id: node.index for node in plan.nodes}
    statuses = {node.index: node.status for node in failed.nodes}
    found = {}
    for node, calls in graph.items.items():
        index = names[node]
        if statuses[index] is NodeStatus.COMPLETED:
            continue
        items: set[int] = set()
        for number in range(1, kept.get(index, 0) + 1):
            for row in unpack_answers(unpack(record[f"k{index}.{number}"])):
                items = items | {row.item} if row.value is not None else items - {row.item}
        found[node] = calls - len(items)
    return found
