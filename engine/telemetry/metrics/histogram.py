"""Histogram for the busiest paths: an observation is a search in a tuple and two additions.

That of prometheus_client takes a lock and goes over all buckets. Here one thread observes.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client.core import Metric
from prometheus_client.registry import Collector


class Series:
    """Observations under one combination of labels."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Observations of each bucket alone; the last one has those above all bounds."""
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Add an observation."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class Histogram(Collector):
    """Family of series by their labels' values."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> None:
        self.name = name
        self._text = text
        self._labels = tuple(labels)
        self._bounds = tuple(map(float, buckets))
        self._words = [*map(repr, self._bounds), "+Inf"]
        self._series: dict[tuple[str, ...], Series] = {}
        if not labels:
            self._series[()] = Series(self._bounds)

    def labels(self, *values: str) -> Series:
        """Return the series of these values, in the order of the labels."""
        series = self._series.get(values)
        if series is None:
            if len(values) != len(self._labels):
                raise ValueError(f"{self.name} has the labels {self._labels}")
            series = self._series[values] = Series(self._bounds)
        return series

    @property
    def series(self) -> Series:
        """The series without labels."""
        return self._series[()]

    def observe(self, value: float) -> None:
        """Add an observation to the series without labels."""
        self._series[()].observe(value)

    def describe(self) -> Iterator[Metric]:
        """Yield the family without its samples."""
        yield Metric(self.name, self._text, "histogram")

    def collect(self) -> Iterator[Metric]:
        """Yield the family with its samples."""
        metric = Metric(self.name, self._text, "histogram")
        for values, series in self._series.items():
            labels = dict(zip(self._labels, values, strict=True))
            count = 0
            for word, number in zip(self._words, series.counts, strict=True):
                count += number
                metric.add_sample(f"{self.name}_bucket", {**labels, "le": word}, count)
            metric.add_sample(f"{self.name}_count", labels, count)
            metric.add_sample(f"{self.name}_sum", labels, series.total)
        yield metric
