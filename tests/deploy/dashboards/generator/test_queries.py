"""Queries show the whole of an installation with one gateway as with many."""

from deploy.dashboards.generator.queries import (
    buckets,
    fact,
    increase,
    of_processes,
    quantile,
    rate,
    rate_or_zero,
    ratio,
)

WHOLE = "max without (instance, pod) "


def test_a_rate_is_the_maximum_over_gateways_and_the_sum_over_labels() -> None:
    one = rate("x_total", by=("type",), where='status="failed"')

    assert one == (
        f'sum by (type) ({WHOLE}(rate(x_total{{job="$job", status="failed"}}[$__rate_interval])))'
    )


def test_a_rate_without_a_series_can_be_0() -> None:
    assert rate_or_zero("x_total") == f"({rate('x_total')} or vector(0))"


def test_an_increase_has_a_window_of_its_own() -> None:
    assert increase("x_total", "1h") == f'sum({WHOLE}(increase(x_total{{job="$job"}}[1h])))'


def test_a_quantile_keeps_the_bounds_of_buckets_and_the_labels() -> None:
    one = quantile(0.95, "x_seconds", by=("type",))

    assert one.startswith(f"histogram_quantile(0.95, sum by (le, type) ({WHOLE}(rate(x_seconds_b")


def test_heat_maps_have_a_series_for_each_bucket() -> None:
    assert buckets("x_seconds").startswith("sum by (le) (")


def test_a_fact_is_the_maximum_over_gateways() -> None:
    assert fact("x", by=("part",)) == 'max by (part) (x{job="$job"})'
    assert of_processes("x") == 'max(x{job="$job-processes"})'


def test_a_ratio_is_0_without_a_part_and_nothing_without_a_whole() -> None:
    assert ratio("a", "b") == "(a or b * 0) / (b > 0)"
