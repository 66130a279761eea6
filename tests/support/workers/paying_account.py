"""An account that pays, and models that answer when a test lets them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.errors.nodes import NodeFailed
from engine.executions.execution import TERMINAL, Execution
from engine.models.manifest import Model
from engine.store import Wallet
from engine.store.redis import keyspace
from engine.values import cel
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.workers.held_walker import HeldWalker
from workers.providers.base import ModelAnswer, ModelCall

PRICE = 13
"""Of one call of `echo`, 0.010 USD, for a Pro account, whose markup is 1.3."""
PRO = load().terms(Tier.PRO, Role.USER)


class ModelGate:
    """Answers calls of models with their prompt; those on the list of held prompts wait."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.held: set[str] = set()
        self.failures: dict[str, int] = {}
        """How often calls with a prompt fail before they succeed."""
        self.answers: dict[str, str] = {}
        """What calls with a prompt are answered in place of that."""
        self._opened = asyncio.Event()

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        prompt = str(values.get("prompt"))
        self.calls.append(prompt)
        if prompt in self.held:
            await self._opened.wait()
        left = self.failures.get(prompt, 0)
        if left:
            self.failures[prompt] = left - 1
            raise NodeFailed("provider_error", "The provider is busy", retryable=True)
        return ModelAnswer(value=self.answers.get(prompt, f"<{prompt}>"), usage=model.most(values))

    def open(self) -> None:
        """Let what waits go on."""
        self._opened.set()

    def open_once(self) -> None:
        """Let what waits go on, and have later calls wait again."""
        self._opened.set()
        self._opened.clear()

    async def called(self, times: int) -> None:
        """Wait until there were as many calls."""

        async def count() -> int:
            return len(self.calls)

        await eventually(count, lambda found: found == times)


class PlainPool:
    """Evaluates expressions in place."""

    async def run(self, function: object, expression: str, values: Any, **options: object) -> Any:
        return cel.evaluate(expression, values)


class PayingAccount:
    """The runner's account with an allowance of a test's own, and a worker for its runs."""

    def __init__(self, runner: Runner, *, allowance: int = 1_000) -> None:
        self.runner = runner
        self.store = runner.store
        self.account = runner.account
        self.terms: TierTerms = replace(PRO, allowance=allowance)
        self.models = ModelGate()
        self.held_walker = HeldWalker(self.store, PlainPool(), self.models)

    def allow(self, credits: int) -> None:
        """Have this allowance from now on."""
        self.terms = replace(self.terms, allowance=credits)

    async def begin(self, graph: Graph, inputs: Any = None, **options: Any) -> str:
        """Accept a run and put it into the worker's hands."""
        execution_id = await self.accept(graph, inputs, **options)
        self.held_walker.walker.take(self.reference(execution_id))
        return execution_id

    async def accept(self, graph: Graph, inputs: Any = None, **options: Any) -> str:
        """Accept a run; returns its id."""
        slug = await self.runner.save(graph)
        return await self.runner.begin(slug, inputs, terms=self.terms, **options)

    async def run(self, graph: Graph, inputs: Any = None, **options: Any) -> Execution:
        """Accept, walk and wait."""
        return await self.end(await self.begin(graph, inputs, **options))

    async def end(self, execution_id: str) -> Execution:
        """The execution, once it has ended."""
        return await eventually(
            lambda: self.store.executions.get(self.account.id, execution_id),
            lambda execution: execution.status in TERMINAL,
            timeout=10,
        )

    def reference(self, execution_id: str) -> str:
        """How hints name the execution."""
        return keyspace.reference(self.account.id, execution_id)

    async def wallet(self) -> Wallet:
        """The wallet as it is, its ledger being right."""
        assert await self.store.wallets.check(self.account.id) == []
        return await self.store.wallets.read(self.account.id, self.terms)

    async def paid(self, credits: int) -> bool:
        """Whether exactly these credits are gone and nothing is reserved any more."""
        wallet = await self.wallet()
        return (wallet.balance, wallet.reserved) == (self.terms.allowance - credits, 0)


def model_node(graph: Graph, node_id: str, **data: Any) -> Graph:
    """A node that calls `echo`; its own id is its prompt unless there is another."""
    return graph.node(node_id, "customModel", model="echo", **({"prompt": node_id} | data))


def fan(graph: Graph, node_id: str, count: int) -> Graph:
    """A node that calls `echo` for each item of a list."""
    items = [{"value": f"{node_id}{number}", "included": True} for number in range(count)]
    graph.node(f"{node_id}-list", "list", items=items)
    graph.node(node_id, "customModel", model="echo")
    return graph.wire(f"{node_id}-list.items-out > {node_id}.prompt-in")


def answer(graph: Graph, *node_ids: str) -> Graph:
    """The answers of these models as the run's result."""
    graph.node("out", "responseOutput")
    return graph.wire(*(f"{node_id}.text-out > out.result-in" for node_id in node_ids))


def costs(execution: Execution) -> list[int]:
    """What each charged node has cost, the others left out."""
    return [node.credits_cost for node in execution.nodes if node.credits_cost]
