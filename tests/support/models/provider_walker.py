"""A walker whose nodes call models of a provider under control of a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.executions.execution import Execution
from engine.models.manifest import Model
from engine.process.pool import Pool
from engine.store.redis import keyspace
from tests.support.factories import Graph, Runner
from tests.support.http.providers import KEY
from tests.support.workers.paying_account import PRO
from workers.nodes.executor import Executor
from workers.outbound.client import Egress
from workers.providers.base import ModelAnswer, ModelCall
from workers.providers.model_caller import ModelCaller
from workers.runtime.limits import LoadGate
from workers.walk.walker import Walker

PRICE = 13
"""Of one call for 0.010 USD with the markup of a Pro account."""


def asking(url: str, **data: Any) -> Graph:
    """Return a graph with a node that calls the provider there."""
    graph = Graph().node("m", "customModel", model="own", prompt=f"Say hello at {url}", **data)
    return graph.node("out", "responseOutput").wire("m.text-out > out.result-in")


@dataclass(kw_only=True)
class ProviderWalker:
    """A walker whose models are streamed, or not, and the pieces of their texts."""

    runner: Runner
    egress: Egress
    pool: Pool
    streams: bool = False
    pieces: list[str] = field(default_factory=list)

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        """Make one call by a node, at the provider whose address is in its prompt."""
        environ = {"PROVIDER_URL": _url_in(values["prompt"]), "PROVIDER_KEY": KEY}
        if self.streams:
            model_call = replace(model_call, publish_text=self.pieces.append)
        return await ModelCaller(self.egress, environ=environ).call(model, values, model_call)

    async def begin(self, graph: Graph) -> tuple[Walker, str]:
        """Return a walker that has taken an execution, and the execution's id."""
        slug = await self.runner.save(graph)
        execution_id = await self.runner.begin(slug, terms=PRO)
        walker = self.walker("worker-1")
        walker.take_hint(keyspace.reference(self.runner.account.id, execution_id))
        return walker, execution_id

    async def run(self, graph: Graph) -> Execution:
        """Run an execution to its end."""
        walker, execution_id = await self.begin(graph)
        execution = await self.runner.end(execution_id)
        await walker.drain(1)
        return execution

    def walker(self, worker_id: str) -> Walker:
        """Return a walker of this name without executions."""
        return Walker(
            store=self.runner.store,
            executor=Executor(self.egress, self.pool, self),
            worker_id=worker_id,
            cpu_slots=1,
            max_bytes=1_000_000,
            release=lambda: None,
            load_gate=LoadGate(),
        )

    async def paid(self) -> int:
        """Return the account's paid credits; its ledger is right, and none is reserved."""
        store, account = self.runner.store, self.runner.account
        assert await store.wallets.check(account.id) == []
        wallet = await store.wallets.get(account.id, PRO)
        assert wallet.reserved == 0
        return PRO.allowance - wallet.balance


def _url_in(prompt: str) -> str:
    return next(word for word in prompt.split() if word.startswith("http://"))
