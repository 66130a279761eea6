"""Credits reserved and taken for prompts: by their size once it is known, never cut."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.billing.credits import estimate
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import compile_plan
from engine.models.registry import use_models
from tests.support.factories import Graph, Runner
from tests.support.http.providers import MODEL_KEYS, Provider, a_provider, provided
from tests.support.manifests import PROMPT
from tests.support.workers.held_walker import HeldWalker
from tests.support.workers.paying_account import PayingAccount
from workers.outbound.client import Egress
from workers.providers.model_caller import ModelCaller

AT_MOST = 50_000
MARKUP = load().terms(Tier.PRO, Role.USER).markup
PRICING = f"""
[[pricing]]
unit = "input_token"
usd = "0.000001"
atMost = {AT_MOST}

[[pricing]]
unit = "output_token"
usd = "0.000002"
field = "maxTokens"
"""
MAX_TOKENS = '[[fields]]\nname = "maxTokens"\ntype = "number"\ndefault = 100\nmax = 500\n'
SMALL = 2
"""Credits of a call with a short prompt: 1,000 tokens and a few, and 100 out, times 1.3."""
UNKNOWN = 66
"""Credits with the prompt of another node: 50,000 and 100, times 1.3."""


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    chat = provided(
        "openai", 'model = "any"\n', name="chat", fields=PROMPT + MAX_TOKENS, pricing=PRICING
    )
    with use_models([chat]):
        yield


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        yield provider


@pytest.fixture
async def payer(runner: Runner, egress: Egress, provider: Provider) -> AsyncIterator[PayingAccount]:
    payer = PayingAccount(runner)
    await payer.held_walker.walker.drain(0)
    models = ModelCaller(egress, environ={**provider.environ, **MODEL_KEYS})
    payer.held_walker = HeldWalker(runner.store, models=models)
    yield payer
    await payer.held_walker.walker.drain(0)


def said(text: str, tokens_in: int, tokens_out: int) -> object:
    usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}
    return {"choices": [{"message": {"content": text}}], "usage": usage}


def asking(*chain: str) -> Graph:
    """Return a chain of models: each gets the one before's answer, the first a caller's input."""
    graph, before = Graph("topic"), "in.topic"
    for name in chain:
        graph.node(name, "customModel", model="chat").wire(f"{before} > {name}.prompt-in")
        before = f"{name}.text-out"
    return graph.node("out", "responseOutput").wire(f"{before} > out.result-in")


async def run(payer: PayingAccount, graph: Graph, topic: str) -> Execution:
    return await payer.run(graph, {"topic": topic})


async def test_a_small_prompt_holds_little(payer: PayingAccount, provider: Provider) -> None:
    payer.allow(SMALL)
    provider.answers = [said("Hi", 10, 5)]

    execution = await run(payer, asking("a"), "Hello")

    assert execution.error is None
    assert execution.credits_cost == 1
    assert await payer.paid(1)


async def test_a_prompt_over_the_most_that_was_thought_is_held_for_and_paid_whole(
    payer: PayingAccount, provider: Provider
) -> None:
    provider.answers = [said("Hi", 60_000, 100)]

    execution = await run(payer, asking("a"), "x" * 70_000)

    assert execution.credits_cost == 79  # 0.06 and 0.0002 USD, times 1.3
    assert await payer.paid(79)


async def test_a_large_prompt_that_cannot_be_paid_is_refused_before_it_is_sent(
    payer: PayingAccount, provider: Provider
) -> None:
    payer.allow(UNKNOWN + 20)
    provider.answers = [said("x" * 100_000, 10, 100)]

    execution = await run(payer, asking("a", "b"), "Hello")

    assert execution.status is ExecutionStatus.FAILED
    assert (execution.error or {})["code"] == "INSUFFICIENT_CREDITS"
    assert len(provider.asked) == 1
    assert await payer.paid(1)


async def test_a_prompt_from_another_model_is_reserved_for_by_its_length(
    payer: PayingAccount, provider: Provider
) -> None:
    provider.answers = [said("x" * 100_000, 10, 100), said("Hi", 90_000, 10)]

    execution = await run(payer, asking("a", "b"), "Hello")

    assert [node.credits_cost for node in execution.nodes[1:3]] == [1, 118]
    assert await payer.paid(119)


async def test_each_prompt_of_a_list_is_held_for_by_its_own_size(
    payer: PayingAccount, provider: Provider
) -> None:
    provider.answers = [said("Hi", 45_000, 10)]
    graph = Graph().node("l", "list", items=[{"value": "Hello"}, {"value": "x" * 90_000}])
    graph.node("a", "customModel", model="chat").node("out", "responseOutput")

    execution = await payer.run(
        graph.wire("l.items-out > a.prompt-in", "a.text-out > out.result-in")
    )

    assert execution.credits_cost == 60  # 46,000 tokens, of which the short prompt cannot have more
    assert await payer.paid(60)


def test_an_estimate_counts_fixed_prompts_and_bounds_others() -> None:
    def of(graph: Graph) -> int:
        return estimate(compile_plan(graph.nodes, graph.edges), MARKUP)

    typed = Graph().node("a", "assistant", model="chat", prompt="Hello").node("o", "responseOutput")

    assert of(typed.wire("a.text-out > o.result-in")) == SMALL
    assert of(asking("a")) == UNKNOWN
    assert of(asking("a", "b")) == 2 * UNKNOWN
