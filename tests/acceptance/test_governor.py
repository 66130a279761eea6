"""The governor of providers over four processes, at three times what a provider takes."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import pytest

from tests.acceptance.governed import ANSWERED, Order

PROCESSES = 4
WEIGHTS = (12, 6, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5)
"""What ten accounts ask for, in tenths of the limit: three times the limit together, of very
different sizes, and everyone more than a tenth."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What came of a run."""

    calls: int
    refused: int
    answered: int
    by_account: Sequence[int]
    codes: Counter[str]

    @property
    def fairness(self) -> float:
        """Jain's index: 1 when all had the same."""
        squares = sum(each * each for each in self.by_account)
        return sum(self.by_account) ** 2 / (len(self.by_account) * squares)


@contextmanager
def stub(*options: str) -> Iterator[str]:
    """The stub provider as a process of its own; gives its address."""
    command = [sys.executable, "-m", "deploy", "stub-provider", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


def measure(redis_url: str, stub_url: str, seconds: float, per_minute: int, limits: str) -> Figures:
    """Let four processes call at three times the limit; `limits` is what the manifest says."""
    order = Order(
        redis_url=redis_url,
        provider_url=stub_url,
        begin=time.time() + 2.5,
        seconds=seconds,
        rates={
            f"acc-{number}": weight / 10 * per_minute / 60 / PROCESSES
            for number, weight in enumerate(WEIGHTS)
        },
        limits=limits,
    )
    command = [sys.executable, "-m", "tests.acceptance.governed", order.dump()]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    outcomes = [json.loads(process.communicate()[0]) for process in processes]
    with urlopen(f"{stub_url}/stub/calls") as answer:
        seen: dict[str, Any] = json.load(answer)
    codes = sum((Counter(each) for one in outcomes for each in one.values()), Counter[str]())
    return Figures(
        calls=seen["total"],
        refused=seen["status429"],
        answered=seen["byStatus"].get("200", 0),
        by_account=[sum(one[name].get(ANSWERED, 0) for one in outcomes) for name in order.rates],
        codes=codes,
    )


def test_a_provider_gets_what_it_takes_and_no_more(redis_url: str) -> None:
    limit = 1_200

    with stub("--requests-per-minute", str(limit), "--burst", "1", "--script", "delay=50") as url:
        figures = measure(redis_url, url, 3, limit, f"[limits]\nrequests_per_minute = {limit}")

    assert figures.refused == 0
    assert figures.answered >= 0.85 * limit / 20
    assert figures.fairness >= 0.95


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
