"""Samples on pages of metrics."""

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def parse_samples(page: str) -> Iterator[Sample]:
    """Yield each sample of a page in Prometheus's text format."""
    for family in text_string_to_metric_families(page):
        yield from family.samples
