"""Redis and the history: whether they answer, how quickly, and how full they are."""

from deploy.dashboards.generator import links
from deploy.dashboards.generator.layout import DashboardLayout, Row
from deploy.dashboards.generator.panels import (
    Look,
    Query,
    Steps,
    curves,
    heat,
    quantiles,
    states,
)
from deploy.dashboards.generator.queries import fact, quantile, rate, rate_or_zero

UP = {"0": "away", "1": "up"}
PART = ("part",)


def make() -> DashboardLayout:
    """Return the dashboard."""
    return DashboardLayout(
        name="redis-and-history",
        title="Headrace / Redis and history",
        text="Whether the stores answer, how quickly, and how full they are.",
        links=[links.page("Installation", "/app/installation")],
        rows=[_since_when(), _redis(), _round_trips(), _history(), _losses()],
    )


def _since_when() -> Row:
    names = (
        ("Redis", "headrace_redis_up", "down", "No run is accepted, and none goes on, without it."),
        (
            "History",
            "headrace_history_up",
            "history-behind",
            "Redis keeps what ended while its database is away.",
        ),
    )
    return Row(
        "Away, since when",
        [
            states(
                Look(title=title, text=text, width=12, height=4, links=[links.runbook(name)]),
                Query(fact(metric), title),
                steps=Steps(green=1),
                words=UP,
            )
            for title, metric, name, text in names
        ],
    )


def _redis() -> Row:
    to = [links.runbook("redis-full")]
    state = (
        ("active", "headrace_executions_active"),
        ("parked", "headrace_executions_parked"),
        ("with a scheduled step", "headrace_executions_due"),
        ("ended, not archived", "headrace_history_waiting"),
        ("items of batches", "headrace_batch_items_queued"),
        ("deliveries", "headrace_webhook_deliveries_pending"),
    )
    used, limit = (
        fact("headrace_redis_memory_used_bytes"),
        fact("headrace_redis_memory_limit_bytes"),
    )
    return Row(
        "Redis",
        [
            curves(
                Look(
                    title="Memory",
                    text="New runs are refused when it is full; accepted ones end.",
                    unit="bytes",
                    width=8,
                    links=to,
                ),
                Query(used, "used"),
                Query(f"{limit} > 0", "limit"),
                colours=("limit",),
            ),
            curves(
                Look(
                    title="In the memory of Redis",
                    text="Numbers of that which Redis keeps: the one that grows with it fills it.",
                    width=8,
                    links=to,
                ),
                *(Query(fact(metric), legend) for legend, metric in state),
            ),
            curves(
                Look(
                    title="Errors",
                    text="Calls of the store that found Redis away, per second, by part.",
                    unit="ops",
                    width=8,
                    links=[links.runbook("down")],
                ),
                Query(rate("headrace_redis_errors_total", PART), "{{part}}"),
            ),
        ],
    )


def _round_trips() -> Row:
    trip = "headrace_redis_round_trip_seconds"
    return Row(
        "Round trips to Redis",
        [
            curves(
                Look(title="Round trip", text="Time of a PING, all parts.", unit="s", width=8),
                *quantiles(trip),
            ),
            curves(
                Look(
                    title="Round trip by part, 99 of 100",
                    text="One part alone is slow: its machine or its event loop is, not Redis.",
                    unit="s",
                    width=8,
                ),
                Query(quantile(0.99, trip, PART), "{{part}}"),
            ),
            heat(
                Look(
                    title="Round trips", text="PINGs per second by their time.", unit="s", width=8
                ),
                trip,
            ),
        ],
    )


def _history() -> Row:
    to = [links.runbook("history-behind")]
    return Row(
        "History",
        [
            curves(
                Look(
                    title="Behind",
                    text="Age of the oldest end that is not in the history.",
                    unit="s",
                    links=to,
                ),
                Query(fact("headrace_history_lag_seconds"), "behind"),
            ),
            curves(
                Look(title="Waiting", text="Ended runs that are not in the history.", links=to),
                Query(fact("headrace_history_waiting"), "ended runs"),
            ),
            curves(
                Look(
                    title="Archived",
                    text="Records per second, by kind.",
                    unit="ops",
                    links=to,
                ),
                Query(rate("headrace_history_archived_total", ("kind",)), "{{kind}}"),
                is_stacked=True,
            ),
            curves(
                Look(
                    title="Attempts that fail",
                    text="The database or Redis was away; the archiver tries again.",
                    unit="ops",
                    links=to,
                ),
                Query(rate_or_zero("headrace_history_failed_total"), "failed attempts"),
            ),
        ],
    )


def _losses() -> Row:
    return Row(
        "Processes, media, logs and spans",
        [
            curves(
                Look(
                    title="Lag of the event loop, 99 of 100",
                    text="By part. A process that lags answers late, whatever the stores do.",
                    unit="s",
                ),
                Query(quantile(0.99, "headrace_loop_lag_seconds", PART), "{{part}}"),
            ),
            curves(
                Look(
                    title="Free space for media",
                    text="On the file system of the media folder; empty where media are in S3.",
                    unit="bytes",
                ),
                Query(fact("headrace_media_free_bytes"), "free"),
            ),
            curves(
                Look(
                    title="Failures of the media store",
                    text="Reads and writes per second that failed; runs fail with them.",
                    unit="ops",
                    links=[links.runbook("runs-fail")],
                ),
                Query(rate_or_zero("headrace_storage_failures_total"), "failures"),
            ),
            curves(
                Look(
                    title="Lost lines, lost and sent spans",
                    text="Per second: a log is too slow, or a collector of traces is away.",
                    unit="ops",
                ),
                Query(rate("headrace_log_lines_dropped_total", ("log",)), "lines {{log}}"),
                Query(rate("headrace_spans_dropped_total", ("reason",)), "spans {{reason}}"),
                Query(rate("headrace_spans_exported_total"), "spans that a collector took"),
            ),
        ],
    )
