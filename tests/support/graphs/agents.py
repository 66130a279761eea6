"""Documents with agents, and tools of theirs."""

from typing import Any

from engine.executions.execution import Execution
from tests.support.factories import Graph, Runner
from tests.support.workers.paying_account import PRO

AGENT = "agent"


def agent(**data: Any) -> Graph:
    """Request input → agent → its text and its steps."""
    graph = Graph("question")
    graph.node(AGENT, "agent", model="thinker", prompt="{{ question }}", **data)
    graph.node("out", "responseOutput", fields=[{"name": "text"}, {"name": "steps"}])
    return graph.wire(
        "in.question > agent.question",
        "agent.text-out > out.text",
        "agent.steps-out > out.steps",
    )


def upper(field: str = "text") -> Graph:
    """A tool: gives its text with an exclamation mark."""
    graph = Graph(field).node("t", "textBox", text="{{ a }}!").node("out", "responseOutput")
    return graph.wire(f"in.{field} > t.a", "t.text-out > out.result-in")


def calling(url: str) -> Graph:
    """A tool that calls a URL."""
    graph = Graph("text").node("call", "httpRequest", url=f"{url}?text={{{{ text }}}}")
    graph.node("out", "responseOutput")
    return graph.wire("in.text > call.text", "call.response-out > out.result-in")


async def ask(runner: Runner, graph: Graph, question: str = "Why?", **options: Any) -> Execution:
    """Save, run with a question and wait."""
    slug = await runner.save(graph)
    options = {"terms": PRO, **options}
    return await runner.end(await runner.begin(slug, {"question": question}, **options))


def parts_of(execution: Execution) -> list[tuple[str, str, str]]:
    """Return kind, name and status of each step."""
    return [(each["kind"], each["name"], each["status"]) for each in execution.result["steps"]]
