"""Lists with an item that fails, at a provider that counts: answers are reused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.models.registry import use_folder
from engine.settings import Settings
from tests.support.factories import Graph, Runner
from tests.support.http.providers import MODEL_KEYS
from tests.support.manifests import manifest
from tests.workers.providers.test_model_caller_workers import CHAT, PRICE, paid, run, seen
from workers.main import worker

PATH = "/v1/chat/completions"


@pytest.fixture
def settings(
    settings: Settings, tmp_path: Path, stub_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    (tmp_path / "mine.toml").write_text(manifest("mine", call=CHAT))
    for name, value in {"PROVIDER_URL": f"{stub_url}/v1", **MODEL_KEYS}.items():
        monkeypatch.setenv(name, value)
    yield replace(settings, models_dir=str(tmp_path))
    use_folder("")


def chats(*prompts: str, **data: object) -> Graph:
    """Return a graph with an answer to each prompt."""
    return (
        Graph("topic")
        .node("l", "list", items=[{"value": prompt} for prompt in prompts])
        .node("m", "assistant", model="mine", **data)
        .node("out", "responseOutput")
        .wire("l.items-out > m.prompt-in", "m.text-out > out.result-in")
    )


async def calls(url: str) -> int:
    return int((await seen(url))["byPath"].get(PATH, 0))


async def test_ten_prompts_of_which_one_fails_once_are_eleven_calls_and_ten_prices(
    settings: Settings, runner: Runner, stub_url: str
) -> None:
    prompts = [f"number {number}" for number in range(10)]
    prompts[4] = "[[stub fail=500 times=1]] number 4"
    before = await calls(stub_url)

    async with worker(settings):
        execution = await run(runner, chats(*prompts, retry={"attempts": 3, "backoff": 0}))

    assert execution.error is None
    assert [text[-1] for text in execution.result] == [str(number) for number in range(10)]
    assert await calls(stub_url) - before == 11
    assert execution.credits_cost == await paid(runner) == 10 * PRICE


async def test_calls_under_way_are_finished_for_the_next_attempt(
    settings: Settings, runner: Runner, stub_url: str
) -> None:
    slow = [f"[[stub delay=300]] slow {number}" for number in range(3)]
    before = await calls(stub_url)
    graph = chats(*slow, "[[stub fail=500 times=1]] once", retry={"attempts": 2, "backoff": 0})

    async with worker(settings):
        execution = await run(runner, graph)

    assert execution.error is None
    assert await calls(stub_url) - before == 5
    assert await paid(runner) == 4 * PRICE
