"""An account that pays, and models that answer when a test opens their gate."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.errors.nodes import NodeFailed
from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL
from engine.models.manifest import Model
from engine.store import Wallet
from engine.store.redis import keyspace
from engine.values import cel
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Graph, Runner
from tests.support.workers.held_walker import HeldWalker
from workers.providers.base import ModelAnswer, ModelCall

PRICE = 13
"""Of one call of `echo`, 0.010 USD, for a Pro account, whose markup is 1.3."""
CallModel = Callable[[Model, Mapping[str, Any], ModelCall], Awaitable[ModelAnswer]]
PRO = load().terms(Tier.PRO, Role.USER)


class ModelGate:
    """Answers calls of models with their prompt; held prompts wait."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.held: set[str] = set()
        self.failures: dict[str, int] = {}
        """Number of failures of calls with a prompt before they succeed."""
        self.answers: dict[str, str] = {}
        """Other answers, by prompt."""
        self.substitute: CallModel | None = None
        """Answers in place of this gate."""
        self._opened = asyncio.Event()

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        if self.substitute is not None:
            return await self.substitute(model, values, model_call)
        prompt = str(values.get("prompt"))
        self.calls.append(prompt)
        if prompt in self.held:
            await self._opened.wait()
        left = self.failures.get(prompt, 0)
        if left:
            self.failures[prompt] = left - 1
            raise NodeFailed("provider_error", "The provider is busy", retryable=True)
        return ModelAnswer(
            value=self.answers.get(prompt, f"<{prompt}>"), usage=model.max_usage(values)
        )

    def open(self) -> None:
        """Let all calls go on."""
        self._opened.set()

    def open_once(self) -> None:
        """Let waiting calls go on; later ones wait again."""
        self._opened.set()
        self._opened.clear()

    async def called(self, times: int) -> None:
        """Wait until there were this many calls."""

        async def count() -> int:
            return len(self.calls)

        await eventually(count, lambda found: found == times)


class PlainPool:
    """Evaluates expressions in place."""

    async def run(self, function: object, expression: str, values: Any, **options: object) -> Any:
        return cel.evaluate(expression, values)


class PayingAccount:
    """The runner's account with its own allowance, and a walker for its runs."""

    def __init__(self, runner: Runner, *, allowance: int = 1_000) -> None:
        self.runner = runner
        self.store = runner.store
        self.account = runner.account
        self.terms: TierTerms = replace(PRO, allowance=allowance)
        self.models = ModelGate()
        self.held_walker = HeldWalker(self.store, PlainPool(), self.models)

    def allow(self, credits: int) -> None:
        """Set the allowance."""
        self.terms = replace(self.terms, allowance=credits)

    async def begin(self, graph: Graph, inputs: Any = None, **options: Any) -> str:
        """Accept a run and pass it to the walker."""
        execution_id = await self.accept(graph, inputs, **options)
        self.held_walker.walker.take_hint(self.reference(execution_id))
        return execution_id

    async def accept(self, graph: Graph, inputs: Any = None, **options: Any) -> str:
        """Accept a run; returns its id."""
        slug = await self.runner.save(graph)
        return await self.runner.begin(slug, inputs, terms=self.terms, **options)

    async def run(self, graph: Graph, inputs: Any = None, **options: Any) -> Execution:
        """Accept, walk and wait."""
        return await self.end(await self.begin(graph, inputs, **options))

    async def end(self, execution_id: str) -> Execution:
        """Wait for the end of the execution and return it."""
        return await eventually(
            lambda: self.store.executions.get(self.account.id, execution_id),
            lambda execution: execution.status in TERMINAL,
            timeout=PATIENCE_SECONDS,
        )

    def reference(self, execution_id: str) -> str:
        """Return the execution's reference in hints."""
        return keyspace.reference(self.account.id, execution_id)

    async def wallet(self) -> Wallet:
        """Return the wallet after checking its ledger."""
        assert await self.store.wallets.check(self.account.id) == []
        return await self.store.wallets.get(self.account.id, self.terms)

    async def paid(self, credits: int) -> bool:
        """Return whether exactly these credits are gone and none is reserved."""
        wallet = await self.wallet()
        return (wallet.balance, wallet.reserved) == (self.terms.allowance - credits, 0)


def model_node(graph: Graph, node_id: str, **data: Any) -> Graph:
    """Add a node that calls `echo`; by default its id is its prompt."""
    return graph.node(node_id, "customModel", model="echo", **({"prompt": node_id} | data))


def fan(graph: Graph, node_id: str, count: int) -> Graph:
    """Add a node that calls `echo` for each item of a list."""
    items = [{"value": f"{node_id}{number}", "included": True} for number in range(count)]
    graph.node(f"{node_id}-list", "list", items=items)
    graph.node(node_id, "customModel", model="echo")
    return graph.wire(f"{node_id}-list.items-out > {node_id}.prompt-in")


def answer(graph: Graph, *node_ids: str) -> Graph:
    """Make the answers of these models the run's result."""
    graph.node("out", "responseOutput")
    return graph.wire(*(f"{node_id}.text-out > out.result-in" for node_id in node_ids))


def costs(execution: Execution) -> list[int]:
    """Return the cost of each charged node."""
    return [node.credits_cost for node in execution.nodes if node.credits_cost]
