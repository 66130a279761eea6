"""PromQL of the dashboards.

Each gateway reports the sum over all processes. So a query takes the maximum over the gateways that
Prometheus scrapes, not their sum, and works with one gateway as with many.
"""

from collections.abc import Sequence

JOB = 'job="$job"'
"""Selects the gateways of one installation; `$job` is a variable of each dashboard."""
PROCESSES = 'job="$job-processes"'
"""Selects processes that are scraped one by one."""
WINDOW = "$__rate_interval"
"""Grafana's window of a rate, which has four scrapes at least."""
QUANTILES = (0.5, 0.95, 0.99)
FIRING = 'max by (alertname) (ALERTS{alertname=~"Headrace.*", alertstate="firing"})'
"""Alerts that fire, 1 for each."""


def rate(metric: str, by: Sequence[str] = (), where: str = "") -> str:
    """Return a counter's increase per second."""
    return f"sum{_by(by)}({_rates(metric, where)})"


def rate_or_zero(metric: str, where: str = "") -> str:
    """Return a counter's increase per second, 0 while it has no value."""
    return f"({rate(metric, where=where)} or vector(0))"


def increase(metric: str, window: str) -> str:
    """Return a counter's increase in a window of a fixed length."""
    return f"sum(max without (instance, pod) (increase({metric}{_selector('')}[{window}])))"


def quantile(share: float, metric: str, by: Sequence[str] = (), where: str = "") -> str:
    """Return a quantile of a histogram."""
    rates = _rates(f"{metric}_bucket", where)
    return f"histogram_quantile({share}, sum{_by(('le', *by))}({rates}))"


def buckets(metric: str, where: str = "") -> str:
    """Return the observations per second in each bucket of a histogram, as heat maps take them."""
    return f"sum{_by(('le',))}({_rates(f'{metric}_bucket', where)})"


def fact(metric: str, by: Sequence[str] = (), where: str = "") -> str:
    """Return a gauge of the whole installation."""
    return f"max{_by(by)}({metric}{_selector(where)})"


def share(used: str, limit: str) -> str:
    """Return a gauge of the whole installation over that of its limit; nothing without a limit."""
    return f"{fact(used)} / ({fact(limit)} > 0)"


def of_processes(metric: str, by: Sequence[str] = (), where: str = "") -> str:
    """Return a gauge of processes that are scraped one by one."""
    return f"max{_by(by)}({metric}{{{_joined(PROCESSES, where)}}})"


def ratio(part: str, whole: str) -> str:
    """Return a part of a whole, both with the same labels; nothing while the whole is 0."""
    return f"({part} or {whole} * 0) / ({whole} > 0)"


def _rates(metric: str, where: str) -> str:
    return f"max without (instance, pod) (rate({metric}{_selector(where)}[{WINDOW}]))"


def _selector(where: str) -> str:
    return f"{{{_joined(JOB, where)}}}"


def _joined(*conditions: str) -> str:
    return ", ".join(filter(None, conditions))


def _by(labels: Sequence[str]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
