"""The governor of providers over four processes, at three times a provider's limit."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import ExecutionFilter, Store
from tests.support.acceptance.http_load import Connection
from tests.support.acceptance.limited_caller import ANSWERED, CallerOptions
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.manifests import manifest

PROCESSES = 4
WEIGHTS = (12, 6, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5)
"""Demand of ten accounts, in tenths of the limit: three times the limit together, of very
different sizes, each more than a tenth.
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Outcome of a run."""

    calls: int
    refused: int
    answered: int
    by_account: Sequence[int]

    @property
    def fairness(self) -> float:
        """Return Jain's index: 1 when all had the same."""
        squares = sum(each * each for each in self.by_account)
        return sum(self.by_account) ** 2 / (len(self.by_account) * squares)


@contextmanager
def stub(*options: str) -> Iterator[str]:
    """The stub provider as a process of its own; yields its address."""
    command = [sys.executable, "-m", "deploy", "stub-provider", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


def measure(redis_url: str, stub_url: str, seconds: float, per_minute: int, limits: str) -> Figures:
    """Let four processes call at three times the limit; `limits` are those of the manifest."""
    options = CallerOptions(
        redis_url=redis_url,
        provider_url=stub_url,
        seconds=seconds,
        rates={
            f"acc-{number}": weight / 10 * per_minute / 60 / PROCESSES
            for number, weight in enumerate(WEIGHTS)
        },
        limits=limits,
    )
    command = [sys.executable, "-m", "tests.support.acceptance.limited_caller", options.dump()]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    begin = f"{time.time() + 0.2}\n"
    with ThreadPoolExecutor(PROCESSES) as threads:
        outputs = threads.map(lambda process: process.communicate(begin)[0], processes)
    outcomes: list[dict[str, dict[str, int]]] = [json.loads(each) for each in outputs]
    answered = [sum(one[name].get(ANSWERED, 0) for one in outcomes) for name in options.rates]
    return read_figures(stub_url, answered)


def read_figures(stub_url: str, by_account: Sequence[int]) -> Figures:
    """Return the stub's counts, and the share of each account."""
    with urlopen(f"{stub_url}/stub/calls") as answer:
        observed: dict[str, Any] = json.load(answer)
    return Figures(
        calls=observed["total"],
        refused=observed["status429"],
        answered=observed["byStatus"].get("200", 0),
        by_account=by_account,
    )


def test_a_provider_gets_what_it_takes_and_hardly_more(redis_url: str) -> None:
    """With limits that hold even if calls that were admitted in time are sent late."""
    limit = 1_200

    with stub("--requests-per-minute", str(limit), "--burst", "1", "--script", "delay=50") as url:
        figures = measure(redis_url, url, 3, limit, f"[limits]\nrequests_per_minute = {limit}")

    assert figures.refused <= 0.25 * figures.calls  # without a limit, two thirds
    assert figures.answered >= 0.5 * limit / 20
    assert figures.fairness >= 0.85


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("burst", [1, 60])
def test_a_minute_at_three_times_the_limit(redis_url: str, burst: int) -> None:
    limit = 1_200

    with stub(
        *("--requests-per-minute", str(limit), "--burst", str(burst), "--script", "delay=200")
    ) as url:
        figures = measure(redis_url, url, 60, limit, f"[limits]\nrequests_per_minute = {limit}")

    print(figures, figures.fairness)
    assert figures.refused <= 0.005 * figures.calls
    assert 0.95 * limit <= figures.answered <= limit
    assert figures.fairness >= 0.95


OWN = """
[openai]
base_url = "http://127.0.0.1:9"
base_url_env = "STUB"
model = "m"
"""


async def ask_for_runs(stack: RunningStack, per_minute: int, seconds: float) -> list[int]:
    """Let accounts start runs at three times the limit; return how many of each completed."""
    store = Store.open(Settings(redis_url=stack.redis_url))
    accounts = [
        await store.accounts.create(email=f"{number}@localhost", tier=Tier.BUSINESS)
        for number in range(len(WEIGHTS))
    ]
    keys = [
        (await store.api_keys.create(each, name="k", capabilities=["model:*"]))[1]
        for each in accounts
    ]
    rates = [weight / 10 * per_minute / 60 for weight in WEIGHTS]
    await asyncio.gather(
        *(
            ask_steadily(stack.url, key, rate, seconds)
            for key, rate in zip(keys, rates, strict=True)
        )
    )
    wanted = ExecutionFilter(statuses=[ExecutionStatus.COMPLETED])
    pages = [await store.usage.page(each.id, wanted, limit=1, offset=0) for each in accounts]
    await store.close()
    return [page.total for page in pages]


async def ask_steadily(url: str, key: str, rate: float, seconds: float) -> None:
    """Start runs of the model `own`, so many a second."""
    loop = asyncio.get_running_loop()
    connection = await Connection(url, key).open()
    began = loop.time()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(began + number / rate - loop.time())
        status, _ = await connection.call(
            "POST", "/api/models/own/run?async=true", {"inputs": {"prompt": "x"}}
        )
        assert status == 202
    await asyncio.sleep(began + seconds - loop.time())
    await connection.close()


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_minute_of_runs_over_four_workers(tmp_path: Path) -> None:
    limit = 600
    models = tmp_path / "models"
    models.mkdir()
    call = f"{OWN}\n[limits]\nrequests_per_minute = {limit}\n"
    (models / "own.toml").write_text(manifest("own", pricing="", call=call))
    options = ("--requests-per-minute", str(limit), "--burst", "1", "--script", "delay=200")

    with (
        stub(*options) as url,
        running(
            tmp_path,
            *("--no-demo", "--workers", str(PROCESSES)),
            HEADRACE_MODELS_DIR=str(models),
            STUB=f"{url}/v1",
        ) as stack,
    ):
        by_account = asyncio.run(ask_for_runs(stack, limit, 60))
        figures = read_figures(url, by_account)

    print(figures, figures.fairness)
    assert figures.refused <= 0.005 * figures.calls
    assert 0.95 * limit <= figures.answered <= limit
    assert figures.fairness >= 0.95
