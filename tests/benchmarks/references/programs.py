"""The workloads as plain functions: what the reference systems run, and the answers to expect."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.benchmarks.graphs import CALLS_AT_ONCE, CALLS_IN_LINE, CHAIN_LENGTH, FAN_WIDTH

Fetch = Callable[[str], Awaitable[str]]
Get = Callable[[str], str]


def expected(workload: str, name: str) -> Any:
    """The right `result` of a workload for an input."""
    if workload in PURE:
        return PURE[workload](name)
    if workload == "w4":
        return {"text": " ".join(["ok"] * CALLS_AT_ONCE)}
    return "ok"


def run_chain(name: str, length: int = 1) -> dict[str, str]:
    text = name
    for _ in range(length):
        text = f"{text}!"
    return {"text": text}


def run_fan(name: str, width: int = FAN_WIDTH) -> dict[str, str]:
    first = f"{name}!"
    return {"text": " ".join(f"{first} t{index}" for index in range(width))}


PURE: dict[str, Callable[[str], dict[str, str]]] = {
    "w1": run_chain,
    "w2": lambda name: run_chain(name, CHAIN_LENGTH),
    "w3": run_fan,
}


async def run(workload: str, name: str, fetch: Fetch, target: str, wait_ms: int) -> Any:
    """Run a workload on an event loop; calls at once really are."""
    if workload in PURE:
        return PURE[workload](name)
    if workload == "w4":
        calls = (fetch(f"{target}/wait/100?name={name}") for _ in range(CALLS_AT_ONCE))
        return {"text": " ".join(await asyncio.gather(*calls))}
    if workload == "w5":
        return await fetch(f"{target}/wait/{wait_ms}?name={name}")
    text = name
    for _ in range(CALLS_IN_LINE):
        text = await fetch(f"{target}/now?name={text}")
    return text


def run_blocking(workload: str, name: str, get: Get, target: str, wait_ms: int) -> Any:
    """Run a workload in a thread, as an ordinary actor does."""
    if workload in PURE:
        return PURE[workload](name)
    if workload == "w4":
        with ThreadPoolExecutor(CALLS_AT_ONCE) as threads:
            urls = [f"{target}/wait/100?name={name}"] * CALLS_AT_ONCE
            return {"text": " ".join(threads.map(get, urls))}
    if workload == "w5":
        return get(f"{target}/wait/{wait_ms}?name={name}")
    text = name
    for _ in range(CALLS_IN_LINE):
        text = get(f"{target}/now?name={text}")
    return text
