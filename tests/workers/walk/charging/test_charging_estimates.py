"""An estimate is the most that a run with known lists costs: tried with random documents."""

import random
from collections.abc import Iterator

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.billing.credits import make_quote
from engine.graph.plan import compile_plan
from engine.models.registry import use_models
from tests.support.factories import Graph
from tests.support.http.providers import provided
from tests.support.manifests import PROMPT, field, model
from tests.support.workers.paying_account import PayingAccount

GRAPHS = 40
TOKENS = """
[[pricing]]
unit = "input_token"
usd = "0.00001"
atMost = 50000
"""
PER_IMAGE = '[[pricing]]\nunit = "image"\nusd = "0.010"\nfield = "count"\n'
COUNT = field("count", "number", "min = 1\nmax = 15\ndefault = 1")
OUTPUTS = {
    "textBox": ["text-out"],
    "list": ["items-out"],
    "assistant": ["text-out", "items-out"],
    "customModel": ["text-out"],
    "several": ["image-out"],
    "imageGenerator": ["image-out"],
    "condition": ["true-out"],
    "merge": ["value-out"],
    "seer": ["text-out"],
}
SOCKETS = {
    "list": "items-in",
    "textBox": "it",
    "condition": "value-in",
    "merge": "value-in",
    "seer": "image-in",
}


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    drawn = model("drawn", category="image", fields=PROMPT + COUNT, pricing=PER_IMAGE)
    chat = provided("openai", 'model = "any"\n', name="chat", pricing=TOKENS)
    seer = model("seer", fields=PROMPT + field("image", "text"))
    with use_models([model("echo"), drawn, chat, seer]):
        yield


class Drawing:
    """A random document whose nodes call models for each item of fixed lists."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.graph = Graph("topic").node("out", "responseOutput")
        self._texts, self._images = ["in.topic"], list[str]()
        self._add("first", "list")
        for number in range(rng.randint(2, 7)):
            self._add(f"n{number}", rng.choice(list(OUTPUTS)))

    def _add(self, node_id: str, kind: str) -> None:
        sources = self._images if kind == "seer" else self._texts
        if not sources:
            return
        source, socket = self._rng.choice(sources[-3:]), SOCKETS.get(kind, "prompt-in")
        name = {"several": "customModel", "seer": "assistant"}.get(kind, kind)
        self.graph.node(node_id, name, **self._data(kind))
        if kind == "merge" and len(sources) > 1:
            self._add_dead_end(f"{node_id}x", sources[-2], f"{node_id}.{socket}")
        self.graph.wire(f"{source} > {node_id}.{socket}")
        output = f"{node_id}.{self._rng.choice(OUTPUTS[kind])}"
        self.graph.wire(f"{output} > out.result-in")
        (self._images if output.endswith("image-out") else self._texts).append(output)

    def _add_dead_end(self, node_id: str, source: str, target: str) -> None:
        """Wire a value that a condition never lets through, before another wire."""
        self.graph.node(node_id, "condition", expression="false")
        self.graph.wire(f"{source} > {node_id}.value-in", f"{node_id}.true-out > {target}")

    def _data(self, kind: str) -> dict[str, object]:
        rng = self._rng
        if kind == "list":
            items = [{"value": "x" * rng.randint(1, 900)} for _ in range(rng.randint(0, 4))]
            return {"items": items, "mode": rng.choice(["keep", "replace"])}
        if kind == "merge":
            return {"mode": "first"}
        if kind in ("textBox", "condition"):
            return {"text": "say {{ it }}"} if kind == "textBox" else {"expression": "true"}
        if kind in ("several", "imageGenerator"):
            return {"model": "drawn", "count": rng.randint(1, 3)}
        if kind == "seer":
            return {"model": "seer", "prompt": "What is it?"}
        return {"model": rng.choice(["echo", "chat"])}


@pytest.mark.parametrize("seed", range(GRAPHS))
async def test_a_run_never_costs_more_than_its_estimate_and_never_stops_for_it(
    seed: int, payer: PayingAccount
) -> None:
    graph = Drawing(random.Random(seed)).graph
    plan, inputs = compile_plan(graph.nodes, graph.edges), {"topic": "a mill"}
    quote = make_quote(plan, load().terms(Tier.PRO, Role.USER), None, inputs)
    most = 0 if quote is None else quote.credits
    payer.allow(max(most, 1))

    execution = await payer.run(graph, inputs, max_credits=most)

    assert execution.error is None
    assert execution.credits_cost <= most
    assert await payer.paid(execution.credits_cost)
