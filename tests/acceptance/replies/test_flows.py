"""Flows of real use leave the same state although scripts lose their replies, or never arrive.

Each script of the engine has its flow here, or a reason why it has none. Callers ask again after a
503, with the same words.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from engine.store.redis.scripts import SCRIPTS
from tests.conftest import RedisServer
from tests.support.replies.installation import Actor, Installation, installation
from tests.support.replies.proofs import FLOWS, PROOFS, WITHOUT_FLOW, Flow

PATIENCE_SECONDS = 90
CHANGING_SECONDS = 20
"""Longest time until nothing of an account changes any more."""
PAUSE_SECONDS = 0.4
SAME_READS = 4
FAULTS = (("run", 1), ("run", 3), ("before", 1))
"""Moments of the loss, and the number of calls in a row that it meets."""
SAMPLE = ("save_workflow", "top_up", "advance_execution")
"""Scripts that the default suite tries."""


@pytest.fixture(scope="module")
async def stack(
    tmp_path_factory: pytest.TempPathFactory, workers_share_a_zygote: None
) -> AsyncIterator[Installation]:
    server = RedisServer()
    server.start()
    with pytest.MonkeyPatch.context() as patch:  # a busy machine makes expressions slow
        patch.setattr("workers.nodes.context.COMPUTE_SECONDS", PATIENCE_SECONDS)
        async with installation(server.url, tmp_path_factory.mktemp("replies")) as started:
            yield started
    server.stop()


@pytest.fixture(scope="module")
def clean_states() -> dict[Flow, Counter[str]]:
    """Return the states that flows leave without a fault."""
    return {}


async def clean_state(
    stack: Installation, states: dict[Flow, Counter[str]], flow: Flow
) -> Counter[str]:
    """Return the state of a flow without a fault, once nothing changes it for a while."""
    if flow not in states:
        async with stack.actor() as actor:
            await flow(actor)
            found, same = await actor.state(), 0
            while same < SAME_READS:
                await asyncio.sleep(PAUSE_SECONDS)
                before, found = found, await actor.state()
                same = same + 1 if found == before else 0
            states[flow] = found
    return states[flow]


async def difference(actor: Actor, clean: Counter[str]) -> list[str]:
    """Return what the state of an account has more and fewer than a clean one, in the end."""
    ends_at = time.monotonic() + CHANGING_SECONDS
    while True:
        found = await actor.state()
        more, fewer = (found - clean).elements(), (clean - found).elements()
        differing = [*(f"+ {each}" for each in more), *(f"- {each}" for each in fewer)]
        if not differing or time.monotonic() > ends_at:
            return differing
        await asyncio.sleep(PAUSE_SECONDS)


async def check(stack: Installation, states: dict[Flow, Counter[str]], script: str) -> None:
    """Compare the state of a script's flow with a clean one, for each kind of fault."""
    flow = FLOWS[script]
    clean = await clean_state(stack, states, flow)
    for when, times in FAULTS:
        async with stack.actor() as actor:
            loss = stack.proxy.lose(script, after=when, times=times)
            await asyncio.wait_for(flow(actor), PATIENCE_SECONDS)
            differing = await difference(actor, clean)
        stack.proxy.forget()
        assert loss.left < times, f"the flow does not call {script}"
        assert not differing, "\n".join([f"{script}, {times} lost ({when}):", *differing])


@pytest.mark.F24b
@pytest.mark.F24c
@pytest.mark.parametrize("script", SAMPLE)
async def test_a_flow_ends_as_without_a_fault(
    stack: Installation, clean_states: dict[Flow, Counter[str]], script: str
) -> None:
    await check(stack, clean_states, script)


@pytest.mark.F24b
@pytest.mark.F24c
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("script", sorted(FLOWS.keys() - set(SAMPLE)))
async def test_a_flow_of_each_script_ends_as_without_a_fault(
    stack: Installation, clean_states: dict[Flow, Counter[str]], script: str
) -> None:
    await check(stack, clean_states, script)


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_a_script_has_a_flow_or_a_reason_why_it_has_none(script: str) -> None:
    assert (script in FLOWS) is not (script in WITHOUT_FLOW)


def test_a_script_has_one_flow_and_flows_name_scripts_alone() -> None:
    named = [script for scripts in PROOFS.values() for script in scripts.split()]

    assert len(named) == len(set(named))
    assert {*named, *WITHOUT_FLOW} <= set(SCRIPTS)
