"""An hour of an installation in minutes: traffic of all kinds, and parts that fail."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.dashboards.written import RULES
from tests.support.dashboards.drawing import Span
from tests.support.observability.alerts.scaled_rules import divide
from tests.support.observability.prometheus import Prometheus
from tests.support.observability.stack import ObservedStack, observed_stack

FAULT = "fail=500"
"""Fault of the provider `shaky` from the middle on."""
SCRAPE_SECONDS = 2.0
"""Time between scrapes, and the longest for one: a busy machine takes over a second."""
POINTS = 240
FACTOR = 15.0
"""Divisor of the durations of alert rules."""
SETTLE_SECONDS = 6.0
"""Time until no alert fires any more that began before the first scrape."""
HISTORY_AWAY = (0.68, 0.85)
"""Shares of the scene between which the database of the history is away."""


@dataclass(frozen=True)
class Scene:
    """A Prometheus that scraped a stack, and the time in which it did."""

    prometheus: Prometheus
    span: Span


@contextlib.contextmanager
def playing(
    folder: Path, seconds: float, *, callers: int = 2, is_history_away: bool = False
) -> Iterator[Scene]:
    """Run a stack under load for some seconds, with a failing provider in the second half."""
    rules = folder / "rules.yaml"
    rules.write_text(divide(RULES.read_text(), FACTOR))
    with observed_stack(folder, rules=[rules], scrape_seconds=SCRAPE_SECONDS) as stack:
        prometheus = _scrape_processes(stack)
        began = time.time()
        with stack.calls(callers=callers):
            _sleep_until(began + seconds * 0.5)
            stack.providers["shaky"].fault = FAULT
            if is_history_away:
                _sleep_until(began + seconds * HISTORY_AWAY[0])
                stack.history.take_away()
                _sleep_until(began + seconds * HISTORY_AWAY[1])
                stack.history.give_back()
            _sleep_until(began + seconds)
            ended = time.time()
            yield Scene(prometheus, Span(began, ended, max(1.0, (ended - began) / POINTS)))


def _scrape_processes(stack: ObservedStack) -> Prometheus:
    """Let Prometheus scrape single processes too; return it."""
    assert stack.prometheus is not None
    stack.prometheus.await_targets()
    paths = {f"127.0.0.1:{each.port}": "/metrics" for each in stack.workers}
    paths |= {f"127.0.0.1:{each.port}": "/metrics/process" for each in stack.gateways}
    stack.prometheus.processes = paths
    stack.prometheus.set_targets(stack.prometheus.targets)
    time.sleep(SETTLE_SECONDS)
    return stack.prometheus


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.time()))
