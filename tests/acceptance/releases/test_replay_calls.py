"""Replays of a running stack beside a provider and a server that count their calls.

`pytest -s -m slow tests/acceptance/releases/test_replay_calls.py` prints the figures of 200 runs.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_stack import RunningStack, kill_and_await, models_at, running
from tests.support.contract.replay_caller import ReplayCaller
from tests.support.factories import Graph
from tests.support.http.providers import serving_provider
from tests.support.http.scripted_server import Target, serving
from tests.support.models.chat_script import ChatScript, says

VERDICTS = ("same", "different", "failed", "unmatched")
OPTIONS = ("--no-demo", "--workers", "2", "--gateways", "1")


@dataclass(kw_only=True)
class Counted:
    """A provider of chats and a server, neither of which has been called but as it counts."""

    provider: ChatScript
    target: Target

    @property
    def counts(self) -> tuple[int, int]:
        """Calls of models, and those over HTTP."""
        return len(self.provider.bodies), self.target.calls.total()


@asynccontextmanager
async def counted() -> AsyncIterator[Counted]:
    """Run a provider and a server that count their calls."""
    provider = ChatScript(script=lambda messages: says(f"Reply to: {messages[-1]['content']}"))
    async with serving_provider(provider), serving() as target:
        yield Counted(provider=provider, target=target)


def answering(url: str, prompt: str = "Hello {{ who }}", end: str = "{{ a }}") -> Graph:
    """Return a graph: a model's reply is sent to a server, and its answer is told."""
    graph = Graph("who").node("say", "assistant", model="gpt-mini", prompt=prompt)
    graph.node("send", "httpRequest", method="POST", url=f"{url}/echo")
    graph.node("text", "textBox", text=end).node("out", "responseOutput")
    return graph.wire(
        *("in.who > say.who", "say.text-out > send.body-in", "send.response-out > text.a"),
        "text.text-out > out.result-in",
    )


class Replayer(ReplayCaller):
    """Replays the runs of a workflow on drafts of it."""

    def replay_on(self, slug: str, graph: Graph, count: int, calls: str = "recorded") -> Any:
        """Write the draft and start a replay on it; return the replay once it is over."""
        self.write(slug, graph)
        return self.end_replay(self.replay(slug, count, "draft", calls), 300)

    def write(self, slug: str, graph: Graph) -> None:
        """Write the draft."""
        self.ask("PUT", f"/api/workflows/{slug}/draft", graph.body("Replies"))

    @property
    def balance(self) -> int:
        """Credits of the account."""
        shown = self._stack.command("account", "list", "--json").stdout
        [account] = [each for each in json.loads(shown) if each["id"] == self.account_id]
        return int(account["credits"]["balance"])


def replay_thrice(stack: RunningStack, others: Counted, runs: int) -> list[str]:
    """Replay runs on three drafts; return a line of figures for each."""
    caller, lines = Replayer(stack, "replayer"), []
    slug = caller.save("Replies", answering(others.target.url))
    batch = caller.end(caller.start(slug, runs, 20))
    assert batch["counts"]["completed"] == runs, caller.executions(batch["batchId"])[0]["error"]
    assert others.counts == (runs, runs)
    before, paid = others.counts, caller.balance
    drafts = {
        "same": answering(others.target.url),
        "different": answering(others.target.url, end="Dear customer, {{ a }}"),
        "unmatched": answering(others.target.url, prompt="Dear {{ who }}"),
    }
    for verdict, graph in drafts.items():
        began = time.perf_counter()
        found = caller.replay_on(slug, graph, runs)
        seconds = time.perf_counter() - began
        assert found["counts"] == {**dict.fromkeys(VERDICTS, 0), verdict: runs}
        assert found["creditsCost"] == 0
        assert {row["after"]["creditsCost"] for row in found["rows"]} == {0}
        assert (others.counts, caller.balance) == (before, paid)
        calls = sum(others.counts) - sum(before)
        lines.append(
            f"{runs} runs, {verdict}: {calls} calls, {paid - caller.balance} credits, "
            f"{seconds:.1f} s"
        )
    return lines


@pytest.mark.thorough
async def test_a_replay_calls_nobody_and_costs_nothing(tmp_path: Path) -> None:
    async with counted() as others:

        def work() -> None:
            with running(tmp_path, *OPTIONS, **models_at(others.provider.url)) as stack:
                replay_thrice(stack, others, 10)

        await asyncio.to_thread(work)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_figures_of_two_hundred_runs(tmp_path: Path) -> None:
    async with counted() as others:

        def work() -> list[str]:
            with running(tmp_path, *OPTIONS, **models_at(others.provider.url)) as stack:
                return replay_thrice(stack, others, 200)

        for line in await asyncio.to_thread(work):
            print(line)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_kills_of_workers_repeat_no_call(tmp_path: Path) -> None:
    async with counted() as others:

        def work() -> None:
            environ = {"HEADRACE_LEASE_SECONDS": "2", **models_at(others.provider.url)}
            with running(tmp_path, *OPTIONS, **environ) as stack:
                caller = Replayer(stack, "replayer")
                slug = caller.save("Replies", answering(others.target.url))
                caller.end(caller.start(slug, 100, 20))
                before, paid = others.counts, caller.balance
                which = random.Random(7)
                for _ in range(5):
                    caller.write(slug, answering(others.target.url, end="Dear, {{ a }}"))
                    replay_id = caller.replay(slug, 100, "draft", "recorded")
                    time.sleep(which.uniform(0.05, 0.8))
                    kill_and_await(stack, "worker", which)
                    found = caller.end_replay(replay_id, 300)
                    assert found["counts"]["different"] == 100, found["counts"]
                assert (others.counts, caller.balance) == (before, paid)

        await asyncio.to_thread(work)
