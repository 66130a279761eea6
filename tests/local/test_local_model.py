"""The real model that runs here, through a whole stack: `make local` installs it and runs this."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.net.http_client import call
from deploy.stack.location import LOCAL_MODEL_URL, read_private
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.factories import Graph

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

QUESTION = "Explain in five sentences what a mill race is and what it was used for."


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    began = time.monotonic()
    with running(tmp_path_factory.mktemp("stack"), "--local") as started:
        print(f"\nfrom nothing to ready, with the file joined: {time.monotonic() - began:.1f} s")
        yield started


@pytest.fixture(scope="module")
def model_url(stack: RunningStack) -> str:
    return str(read_private(stack.data_dir / "stack.json")["settings"][LOCAL_MODEL_URL])


def memory(stack: RunningStack) -> dict[str, int]:
    """Return the memory of the server in MB: now, and at most so far."""
    (pid,) = [
        pid
        for pid, line in stack.processes().items()
        if "deploy.local_model" in line and "launcher.py" not in line
    ]
    lines = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return {name: int(lines[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM")}


def ask(url: str, prompt: str, tokens: int) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": prompt}], "max_tokens": tokens}
    status, answer = call("POST", f"{url}/chat/completions", body=body, timeout=300)
    assert status == 200, answer
    assert isinstance(answer, dict)
    return answer


def test_a_text_workflow_runs_on_it(stack: RunningStack) -> None:
    times = []
    for _ in range(3):
        began = time.monotonic()
        status, answer = stack.api(
            "POST", "/api/workflows/product-sheet/run", {"inputs": {}}, timeout=300
        )
        times.append(round(time.monotonic() - began, 1))
        assert status == 200, answer
        facts = answer["result"]["facts"]
        assert (facts["madeIn"], facts["euros"]) == ("Portugal", 12.5)
        assert "mug" in facts["product"].lower()
        assert "mug" in answer["result"]["pitch"].lower()
        assert answer["cost"] == 0

    print(f"\nproduct-sheet, seconds a run: {times}; says: {answer['result']['pitch']}")


def test_how_fast_it_is(model_url: str, stack: RunningStack) -> None:
    began = time.monotonic()
    ask(model_url, QUESTION, 1)
    first = time.monotonic() - began
    timings = [ask(model_url, f"{QUESTION} ({turn})", 150)["timings"] for turn in range(5)]

    speeds = sorted(round(each["predicted_per_second"], 1) for each in timings)
    prompts = sorted(round(each["prompt_per_second"], 1) for each in timings)
    print(
        f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; first token {first:.2f} s; "
        f"tokens/s {speeds}; prompt tokens/s {prompts}; memory in MB {memory(stack)}"
    )
    assert speeds[0] > 0


def test_a_prompt_that_is_too_long_is_refused_in_the_words_of_its_server(
    stack: RunningStack,
) -> None:
    graph = Graph("prompt").node("model", "customModel", model="local-text")
    graph.node("out", "responseOutput")
    graph.wire("in.prompt > model.prompt-in", "model.text-out > out.result-in")
    stack.api("POST", "/api/workflows", graph.body("Too long"))

    inputs = {"prompt": "word " * 9_000}
    status, answer = stack.api("POST", "/api/workflows/too-long/run", {"inputs": inputs})

    assert (status, answer["code"]) == (500, "EXECUTION_FAILED")
    assert "exceeds the available context size" in answer["reason"]
