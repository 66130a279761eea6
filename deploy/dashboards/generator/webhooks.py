"""Webhooks: whether deliveries go out, how late, and whether receivers take them."""

from deploy.dashboards.generator import links
from deploy.dashboards.generator.layout import DashboardLayout, Row
from deploy.dashboards.generator.panels import (
    FIGURE_HEIGHT,
    Look,
    Query,
    Steps,
    curves,
    figure,
    heat,
    quantiles,
)
from deploy.dashboards.generator.queries import fact, increase, rate, rate_or_zero, ratio

ATTEMPTS = "headrace_webhook_attempts_total"
LAG = "headrace_webhook_lag_seconds"
OCCURRENCES = "headrace_trigger_occurrences_total"
TO = [links.runbook("webhooks-late")]


def make() -> DashboardLayout:
    """Return the dashboard."""
    return DashboardLayout(
        name="webhooks",
        title="Headrace / Webhooks",
        text="Whether deliveries go out in time, and whether receivers take them.",
        links=[links.executions("Runs", status="completed,failed")],
        rows=[_now(), _attempts(), _lateness(), _inbound()],
    )


def _now() -> Row:
    failing = ratio(rate(ATTEMPTS, where='outcome!="delivered"'), rate(ATTEMPTS))

    def look(title: str, text: str, unit: str = "short") -> Look:
        height = FIGURE_HEIGHT
        return Look(title=title, text=text, unit=unit, width=6, height=height, data_links=TO)

    return Row(
        "Now",
        [
            figure(
                look("Oldest delivery", "Age of the oldest one whose attempt is due.", "s"),
                fact("headrace_oldest_delivery_seconds"),
                steps=Steps(orange=30, red=60),
            ),
            figure(
                look("Waiting", "Deliveries that wait for their first or next attempt."),
                fact("headrace_webhook_deliveries_pending"),
                steps=Steps(orange=1000, red=10000),
            ),
            figure(
                look("Attempts that fail", "Of all attempts; they are repeated.", "percentunit"),
                failing,
                steps=Steps(orange=0.05, red=0.5),
            ),
            figure(
                look("Webhooks disabled", "In the last hour, since their receivers are gone."),
                increase("headrace_webhooks_disabled_total", "1h"),
                steps=Steps(orange=1),
            ),
        ],
    )


def _attempts() -> Row:
    return Row(
        "Attempts, since when",
        [
            curves(
                Look(
                    title="By outcome",
                    text=(
                        "Per second: `delivered`, `pending` for another attempt, `failed` for good."
                    ),
                    unit="ops",
                    width=8,
                    links=TO,
                ),
                Query(rate(ATTEMPTS, ("outcome",)), "{{outcome}}"),
                colours=("delivered", "pending", "failed"),
                is_stacked=True,
            ),
            curves(
                Look(
                    title="Share of attempts that fail",
                    text="A step marks the time since which receivers fail.",
                    unit="percentunit",
                    width=8,
                    links=TO,
                ),
                Query(
                    ratio(rate(ATTEMPTS, where='outcome!="delivered"'), rate(ATTEMPTS)), "failed"
                ),
                colours=("failed",),
                most=1,
            ),
            curves(
                Look(
                    title="Given up, and disabled",
                    text="Deliveries without a further attempt, and webhooks, per second.",
                    unit="ops",
                    width=8,
                    links=TO,
                ),
                Query(rate_or_zero(ATTEMPTS, 'outcome="failed"'), "given up"),
                Query(rate_or_zero("headrace_webhooks_disabled_total"), "disabled"),
            ),
        ],
    )


def _lateness() -> Row:
    return Row(
        "Lateness",
        [
            curves(
                Look(
                    title="From the event to the first attempt",
                    text="High: workers are full, or slow receivers of one account take its turns.",
                    unit="s",
                    width=8,
                    links=TO,
                ),
                *quantiles(LAG),
            ),
            heat(
                Look(
                    title="First attempts",
                    text="Per second, by the time from the event.",
                    unit="s",
                    width=8,
                    links=TO,
                ),
                LAG,
            ),
            curves(
                Look(
                    title="Waiting deliveries",
                    text="All that wait for an attempt, and the age of the oldest due one.",
                    width=8,
                    links=TO,
                ),
                Query(fact("headrace_webhook_deliveries_pending"), "deliveries"),
                Query(fact("headrace_oldest_delivery_seconds"), "oldest, in seconds"),
            ),
        ],
    )


def _inbound() -> Row:
    of_webhooks = 'kind="webhook"'
    return Row(
        "Webhooks of others that start runs",
        [
            curves(
                Look(
                    title="Events",
                    text="Events per second that triggers got, by status.",
                    unit="ops",
                    width=12,
                    data_links=[links.executions("Runs of triggers", source="trigger")],
                ),
                Query(rate(OCCURRENCES, ("status",), of_webhooks), "{{status}}"),
                colours=("started", "failed"),
                is_stacked=True,
            ),
            curves(
                Look(
                    title="Events that started no run",
                    text="By status and reason.",
                    unit="ops",
                    width=12,
                    links=[links.runbook("due-times-late")],
                ),
                Query(
                    rate(OCCURRENCES, ("status", "reason"), f'{of_webhooks}, status!="started"'),
                    "{{status}} {{reason}}",
                ),
            ),
        ],
    )
