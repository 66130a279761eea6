"""A provider and tools that note each call, and agents that ask them for six steps."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.factories import Graph
from tests.support.models.chat_script import ChatScript, Message, calls, results_in, says

MODEL = "gpt-mini"
STEPS = 6
TURNS = {0: 0, 2: 3, 3: 5}
"""Index of a turn's child by the number of results that it gets."""
TOOLS = {"a": 1, "b": 2, "c": 4}
"""Index of a tool call's child by its letter."""
RUN = re.compile(r"run (\d+)")


@dataclass(kw_only=True)
class NotedCalls(ChatScript):
    """Answers turns and tools, and notes run, step and time of each call as it arrives."""

    tool_seconds: float = 0.0
    noted: list[tuple[int, int, int]] = field(default_factory=list)
    """Run, index of the step's child, and time in milliseconds."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        now = time.time_ns() // 1_000_000
        if request.path.startswith("/tool/"):
            run, letter = request.path.removeprefix("/tool/").split("/")
            self.noted.append((int(run), TOOLS[letter], now))
            await asyncio.sleep(self.tool_seconds)
            return web.json_response(f"{letter} of {run}")
        messages = (await request.json())["messages"]
        self.noted.append((_run_of(messages), TURNS[len(results_in(messages))], now))
        return await super().answer(request)


def _run_of(messages: Sequence[Message]) -> int:
    user = next(each["content"] for each in messages if each["role"] == "user")
    found = RUN.search(str(user))
    assert found is not None
    return int(found[1])


def six_steps(slug: str) -> Any:
    """Return a script: a turn, two calls, a turn, a call, and the answer with all results."""

    def script(messages: Sequence[Message]) -> dict[str, Any]:
        run, results = _run_of(messages), results_in(messages)
        if not results:
            return calls(*((slug, {"run": str(run), "step": each}) for each in "ab"))
        if len(results) == 2:
            return calls((slug, {"run": str(run), "step": "c"}), number=1)
        return says(", ".join(results))

    return script


def tool(url: str) -> Graph:
    """A workflow that calls the tool's address."""
    graph = Graph("run", "step")
    graph.node("call", "httpRequest", url=f"{url}/tool/{{{{ run }}}}/{{{{ step }}}}")
    graph.node("out", "responseOutput")
    return graph.wire(
        "in.run > call.run", "in.step > call.step", "call.response-out > out.result-in"
    )


def agent(slug: str) -> Graph:
    """Request input → agent with the tool → its text and its steps."""
    tools = [{"workflow": slug}]
    retry = {"attempts": 5, "backoff": 0.2}
    graph = Graph("run").node(
        "agent", "agent", model=MODEL, prompt="This is run {{ run }}.", tools=tools, retry=retry
    )
    graph.node("out", "responseOutput", fields=[{"name": "text"}, {"name": "steps"}])
    return graph.wire(
        "in.run > agent.run", "agent.text-out > out.text", "agent.steps-out > out.steps"
    )


def expected(run: int) -> str:
    """Return the text of a run's answer."""
    return ", ".join(f"{letter} of {run}" for letter in "abc")


def repeated(
    noted: Sequence[tuple[int, int, int]], ended: Mapping[tuple[int, int], int]
) -> list[tuple[int, int]]:
    """Return run and index of steps that were called after they had ended on record."""
    return [(run, index) for run, index, at in noted if at > ended[run, index]]
