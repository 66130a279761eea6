"""An hour of an installation in minutes: traffic of all kinds, and a provider that fails."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.dashboards.drawing import Span
from tests.support.observability.prometheus import Prometheus
from tests.support.observability.stack import ObservedStack, observed_stack

FAULT = "fail=500"
"""Fault of the provider `shaky` in the second half."""
WINDOW = "20s"
"""Window of rates: the scrapes of the scene are a second apart."""
POINTS = 240


@dataclass(frozen=True)
class Scene:
    """A Prometheus that scraped a stack, and the time in which it did."""

    prometheus: Prometheus
    span: Span


@contextmanager
def playing(
    folder: Path, seconds: float, *, callers: int = 2, rules: Sequence[Path] = ()
) -> Iterator[Scene]:
    """Run a stack under load for some seconds, with a fault in the second half."""
    with observed_stack(folder, rules=rules, with_workers=False) as stack:
        assert stack.prometheus is not None
        stack.prometheus.await_targets()
        began = time.time()
        with stack.calls(callers=callers):
            time.sleep(seconds / 2)
            plant(stack, FAULT)
            time.sleep(seconds / 2)
            ended = time.time()
            yield Scene(stack.prometheus, Span(began, ended, max(1.0, (ended - began) / POINTS)))


def plant(stack: ObservedStack, fault: str) -> None:
    """Let the provider of the model `shaky` fail; an empty fault mends it."""
    stack.providers["shaky"].fault = fault
