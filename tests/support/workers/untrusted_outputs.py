"""Untrusted texts from models, and the ends of runs with them."""

import asyncio
from collections.abc import Iterator, Sequence

from engine.executions.execution import Execution
from tests.engine.net.test_url_policy import FORMS, PRIVATE, SPELLINGS
from tests.support.factories import Graph, Runner
from tests.support.workers.paying_account import PRO

EVERY = (*SPELLINGS, *PRIVATE, *FORMS)
URLS = [url for url in EVERY if url and url == url.strip(" \t\r\n") and "\ud800" not in url]
"""Models like to add space around a URL; it is stripped."""


async def run_all(runner: Runner, graph: Graph, values: Sequence[str]) -> list[Execution]:
    """Run an execution for each value of the input `said`."""
    slug, ended = await runner.save(graph), list[Execution]()
    for some in batched(values, PRO.executions_at_once // 2):
        begun = [await runner.begin(slug, {"said": value}, terms=PRO) for value in some]
        ended += await asyncio.gather(*(runner.end(each) for each in begun))
    return ended


def batched(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Return the values in batches of this size."""
    return (values[at : at + size] for at in range(0, len(values), size))


def failure(execution: Execution) -> tuple[str, str]:
    """Return the failed node and its code."""
    assert execution.error is not None, execution.result
    [code] = [node.error["code"] for node in execution.nodes if node.error]
    return execution.error["nodeId"], code


def modelled() -> Graph:
    """Return a graph with a model that repeats its input."""
    return (
        Graph("said").node("model", "customModel", model="echo").wire("in.said > model.prompt-in")
    )
