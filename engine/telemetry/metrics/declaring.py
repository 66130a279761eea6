"""Declaration of metrics: the registry of this process, and descriptions for the reference page."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.samples import Sample

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LONG_SECONDS_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)

REGISTRY = CollectorRegistry()


class Signal(StrEnum):
    """Question about a service that a metric answers."""

    TRAFFIC = "traffic"
    ERRORS = "errors"
    LATENCY = "latency"
    SATURATION = "saturation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Description of a metric."""

    name: str
    """Name on the page, with the `_total` of a counter."""
    kind: str
    """`counter`, `gauge` or `histogram`."""
    text: str
    signal: Signal
    labels: Mapping[str, Sequence[str] | str]
    """All values of each label, or a phrase that says which there are."""
    is_fact: bool = False
    """Whether it is read from the store for each page, and not counted by processes."""


DECLARATIONS: dict[str, Declaration] = {}
"""All metrics by name."""
NO_LABELS: Mapping[str, Sequence[str] | str] = {}
M = TypeVar("M", Counter, Histogram)


def counter(
    name: str,
    text: str,
    signal: Signal,
    labels: Mapping[str, Sequence[str] | str] = NO_LABELS,
) -> Counter:
    """Declare a count that only grows; all series of closed labels begin with 0."""
    _declare(name, "counter", text, signal, labels)
    return _with_series(Counter(name, text, list(labels), registry=REGISTRY), labels)


def gauge(
    name: str,
    text: str,
    signal: Signal,
    labels: Mapping[str, Sequence[str] | str] = NO_LABELS,
) -> Gauge:
    """Declare a value that rises and falls; the page shows the sum over all processes."""
    _declare(name, "gauge", text, signal, labels)
    return Gauge(name, text, list(labels), registry=REGISTRY)


def histogram(
    name: str,
    text: str,
    signal: Signal = Signal.LATENCY,
    labels: Mapping[str, Sequence[str] | str] = NO_LABELS,
    *,
    buckets: Sequence[float] = SECONDS_BUCKETS,
) -> Histogram:
    """Declare a histogram of seconds."""
    _declare(name, "histogram", text, signal, labels)
    made = Histogram(name, text, list(labels), buckets=buckets, registry=REGISTRY)
    return _with_series(made, labels)


def fact(name: str, text: str, signal: Signal) -> Declaration:
    """Declare a value of the store's state, which is read for each page."""
    return _declare(name, "gauge", text, signal, NO_LABELS, is_fact=True)


def snapshot() -> list[Any]:
    """Return this process's samples: [name, type, help, [[sample name, labels, value], …]].

    Times of creation are left out: they would be half of the samples of counts.
    """
    return [
        [each.name, each.type, each.documentation, _rows(each.samples)]
        for each in REGISTRY.collect()
    ]


def _rows(samples: Iterable[Sample]) -> list[Any]:
    return [
        [each.name, each.labels, each.value]
        for each in samples
        if not each.name.endswith("_created")
    ]


def _declare(
    name: str,
    kind: str,
    text: str,
    signal: Signal,
    labels: Mapping[str, Sequence[str] | str],
    *,
    is_fact: bool = False,
) -> Declaration:
    if name in DECLARATIONS:
        raise ValueError(f"The metric {name} is declared twice")
    declaration = DECLARATIONS[name] = Declaration(
        name=name, kind=kind, text=text, signal=signal, labels=labels, is_fact=is_fact
    )
    return declaration


def _with_series(metric: M, labels: Mapping[str, Sequence[str] | str]) -> M:
    """Return the metric with the series of closed labels.

    Alert rules see no increase of a series whose first value is not 0.
    """
    values = [each for each in labels.values() if not isinstance(each, str)]
    if labels and len(values) == len(labels):
        for combination in itertools.product(*values):
            metric.labels(*combination)
    return metric
