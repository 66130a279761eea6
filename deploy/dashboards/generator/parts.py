"""Rows of the overview, one for each part: traffic, errors, latency and saturation."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from deploy.dashboards.generator import links
from deploy.dashboards.generator.layout import Row
from deploy.dashboards.generator.panels import Look, Query, curves, quantiles
from deploy.dashboards.generator.queries import fact, quantile, rate, rate_or_zero, ratio, share

PROVIDER = "${__field.labels.provider}"
TROUBLES = 'outcome=~"failed|timeout|throttled"'


def share_of_failures(where: str = "") -> str:
    """Return the share of calls that fail by provider; 1 while only open breakers answer."""
    by = ("provider",)
    name = "headrace_provider_calls_total"
    troubles = rate(name, by, ", ".join(filter(None, (where, TROUBLES))))
    breakers = fact("headrace_provider_breaker_open", by, where)
    return f"{ratio(troubles, rate(name, by, where))} or clamp_max({breakers}, 1) > 0"


def rows() -> list[Row]:
    """Return the rows in the order in which a run meets the parts."""
    return [
        _gateways(),
        _runs(),
        _nodes(),
        _providers(),
        _redis(),
        _history(),
        _webhooks(),
        _triggers(),
        _processes(),
    ]


def _look(
    title: str,
    text: str,
    unit: str = "short",
    title_links: Sequence[DashboardLink] = (),
    data_links: Sequence[DashboardLink] = (),
) -> Look:
    return Look(title=title, text=text, unit=unit, links=title_links, data_links=data_links)


def _gateways() -> Row:
    by_route = ("route",)
    return Row(
        "Gateways: traffic, errors, latency, saturation",
        [
            curves(
                _look("Requests", "Answered requests per second, by status.", "reqps"),
                Query(rate("headrace_http_requests_total", by=("status",)), "{{status}}"),
                is_stacked=True,
            ),
            curves(
                _look(
                    "Answers 5xx",
                    "By route and status; a synchronous run that fails has a 500 as well.",
                    "reqps",
                    [links.runbook("errors")],
                    [links.failed_runs()],
                ),
                Query(
                    rate("headrace_http_requests_total", ("route", "status"), 'status=~"5.."'),
                    "{{status}} {{route}}",
                ),
                Query(rate_or_zero("headrace_http_faults_total"), "faults of Headrace"),
                colours=("faults of Headrace",),
            ),
            curves(
                _look("Slowest routes", "95 of 100 answers come within this time.", "s"),
                Query(quantile(0.95, "headrace_http_request_seconds", by_route), "{{route}}"),
            ),
            curves(
                _look("Open requests", "Requests and synchronous callers that wait for an answer."),
                Query(fact("headrace_http_requests_in_flight"), "requests"),
                Query(fact("headrace_callers_waiting"), "callers that wait for a run"),
            ),
        ],
    )


def _runs() -> Row:
    status = "${__field.labels.status}"
    return Row(
        "Runs: traffic, errors, latency, saturation",
        [
            curves(
                _look(
                    "Runs that end",
                    "Per second, by status, beside those that are accepted.",
                    "ops",
                    [links.dashboard("Runs", "runs")],
                    [links.executions("These runs", status=status)],
                ),
                Query(rate("headrace_executions_ended_total", by=("status",)), "{{status}}"),
                Query(rate("headrace_executions_accepted_total"), "accepted"),
                colours=("completed", "failed", "cancelled", "accepted"),
            ),
            curves(
                _look(
                    "Failed runs",
                    "By cause: caller, provider, timeout, money, or the installation (internal).",
                    "ops",
                    [links.runbook("runs-fail")],
                    [links.failed_runs()],
                ),
                Query(rate("headrace_executions_failed_total", by=("cause",)), "{{cause}}"),
                colours=("internal", "timeout"),
                is_stacked=True,
            ),
            curves(
                _look(
                    "Wait for a worker",
                    "From acceptance to begin.",
                    "s",
                    [links.runbook("runs-wait")],
                ),
                *quantiles("headrace_hint_wait_seconds"),
            ),
            curves(
                _look(
                    "Runs in the system", "Runs wait for a worker, run, or wait for time or people."
                ),
                Query(fact("headrace_hints_waiting"), "waiting for a worker"),
                Query(fact("headrace_executions_active"), "active"),
                Query(fact("headrace_executions_parked"), "parked"),
            ),
        ],
    )


def _nodes() -> Row:
    to_type = [links.dashboard("This type", "runs", node_type="${__field.labels.type}")]
    memory = share("headrace_execution_memory_bytes", "headrace_execution_memory_limit_bytes")
    return Row(
        "Nodes and workers: traffic, errors, latency, saturation",
        [
            curves(
                _look("Nodes that end", "Per second, by type.", "ops", data_links=to_type),
                Query(rate("headrace_nodes_ended_total", by=("type",)), "{{type}}"),
                is_stacked=True,
            ),
            curves(
                _look("Nodes that fail", "Per second, by type.", "ops", data_links=to_type),
                Query(
                    rate("headrace_nodes_ended_total", ("type",), 'status="failed"') + " > 0",
                    "{{type}}",
                ),
            ),
            curves(
                _look(
                    "Slowest types",
                    "95 of 100 attempts take no longer.",
                    "s",
                    data_links=to_type,
                ),
                Query(quantile(0.95, "headrace_node_seconds", ("type",)), "{{type}}"),
            ),
            curves(
                _look("Shares in use", "Of slots, child processes and memory.", "percentunit"),
                Query(share("headrace_executions_held", "headrace_worker_slots"), "slots"),
                Query(share("headrace_pool_busy", "headrace_pool_size"), "pool"),
                Query(memory, "memory for runs"),
                most=1,
            ),
        ],
    )


def _providers() -> Row:
    by = ("provider",)
    calls = rate("headrace_provider_calls_total", by=by)
    to_provider = [links.dashboard("This provider", "providers", provider=PROVIDER)]
    return Row(
        "Providers: traffic, errors, latency, saturation",
        [
            curves(
                _look("Calls", "Per second, by provider.", "ops", data_links=to_provider),
                Query(calls, "{{provider}}"),
                is_stacked=True,
            ),
            curves(
                _look(
                    "Calls that fail",
                    "Failed, timed out or throttled; all while breakers let none through.",
                    "percentunit",
                    [links.runbook("provider-fails")],
                    [*to_provider, links.failed_runs()],
                ),
                Query(share_of_failures(), "{{provider}}"),
                most=1,
            ),
            curves(
                _look("Slowest", "95 of 100 calls take no longer.", "s", data_links=to_provider),
                Query(quantile(0.95, "headrace_provider_call_seconds", by), "{{provider}}"),
            ),
            curves(
                _look("Calls that wait", "For their turn at the provider.", data_links=to_provider),
                Query(fact("headrace_provider_calls_waiting", by), "{{provider}}"),
            ),
        ],
    )


def _redis() -> Row:
    to = [links.dashboard("Redis and history", "redis-and-history")]
    by = ("part",)
    return Row(
        "Redis: traffic, errors, latency, saturation",
        [
            curves(
                _look("Hints", "Sent again, or found nothing to do, per second.", "ops", to),
                Query(rate("headrace_hints_resent_total"), "sent again"),
                Query(rate("headrace_claims_refused_total"), "nothing to claim"),
            ),
            curves(
                _look(
                    "Errors", "Calls that found Redis away.", "ops", [links.runbook("down"), *to]
                ),
                Query(rate("headrace_redis_errors_total", by=by), "{{part}}"),
            ),
            curves(
                _look("Round trip", "99 of 100 answers to a PING come within this.", "s", to),
                Query(quantile(0.99, "headrace_redis_round_trip_seconds", by), "{{part}}"),
            ),
            curves(
                _look(
                    "Memory",
                    "Of Redis, beside its limit.",
                    "bytes",
                    [links.runbook("redis-full"), *to],
                ),
                Query(fact("headrace_redis_memory_used_bytes"), "used"),
                Query(f"{fact('headrace_redis_memory_limit_bytes')} > 0", "limit"),
                colours=("limit",),
            ),
        ],
    )


def _history() -> Row:
    to = [links.runbook("history-behind"), links.dashboard("History", "redis-and-history")]
    return Row(
        "History: traffic, errors, latency, saturation",
        [
            curves(
                _look("Archived", "Records per second, by kind.", "ops", to),
                Query(rate("headrace_history_archived_total", by=("kind",)), "{{kind}}"),
                is_stacked=True,
            ),
            curves(
                _look("Attempts that fail", "The database or Redis was away.", "ops", to),
                Query(rate_or_zero("headrace_history_failed_total"), "failed attempts"),
            ),
            curves(
                _look("Behind", "Age of the oldest end that is not in the history.", "s", to),
                Query(fact("headrace_history_lag_seconds"), "behind"),
            ),
            curves(
                _look("Waiting", "Ended runs that are not in the history yet.", "short", to),
                Query(fact("headrace_history_waiting"), "ended runs"),
            ),
        ],
    )


def _webhooks() -> Row:
    to = [links.runbook("webhooks-late"), links.dashboard("Webhooks", "webhooks")]
    return Row(
        "Webhooks: traffic, errors, latency, saturation",
        [
            curves(
                _look(
                    "Attempts", "Per second, by the state of the delivery afterwards.", "ops", to
                ),
                Query(rate("headrace_webhook_attempts_total", by=("outcome",)), "{{outcome}}"),
                colours=("delivered", "pending", "failed"),
                is_stacked=True,
            ),
            curves(
                _look("Troubles", "Deliveries given up, and webhooks disabled.", "ops", to),
                Query(
                    rate("headrace_webhook_attempts_total", where='outcome="failed"'), "given up"
                ),
                Query(rate("headrace_webhooks_disabled_total"), "disabled"),
            ),
            curves(
                _look("To the first attempt", "From the event.", "s", to),
                *quantiles("headrace_webhook_lag_seconds"),
            ),
            curves(
                _look("Waiting", "Deliveries that wait for an attempt.", "short", to),
                Query(fact("headrace_webhook_deliveries_pending"), "deliveries"),
            ),
        ],
    )


def _triggers() -> Row:
    to = [links.runbook("due-times-late"), links.dashboard("Runs", "runs")]
    name = "headrace_trigger_occurrences_total"
    return Row(
        "Triggers and waits: traffic, errors, latency, saturation",
        [
            curves(
                _look("Occurrences", "Per second, by kind and status.", "ops", to),
                Query(rate(name, ("kind", "status")), "{{kind}} {{status}}"),
                is_stacked=True,
            ),
            curves(
                _look("Not started", "Missed, failed and skipped ones, by reason.", "ops", to),
                Query(
                    rate(name, ("kind", "status", "reason"), 'status!="started"'),
                    "{{kind}} {{status}} {{reason}}",
                ),
            ),
            curves(
                _look("Lateness", "99 of 100 are no later than this.", "s", to),
                Query(quantile(0.99, "headrace_schedule_lateness_seconds"), "schedules"),
                Query(quantile(0.99, "headrace_wait_lateness_seconds"), "delays and approvals"),
            ),
            curves(
                _look(
                    "Overdue", "Age of the oldest due time or step that none has begun.", "s", to
                ),
                Query(fact("headrace_schedule_due_lag_seconds"), "due times of schedules"),
                Query(fact("headrace_due_lag_seconds"), "steps of runs"),
            ),
        ],
    )


def _processes() -> Row:
    by = ("part",)
    return Row(
        "Processes: CPU, lag of the event loop, memory, open files",
        [
            curves(
                _look("CPU", "Cores that the processes of a part use.", "short"),
                Query(rate("headrace_process_cpu_seconds_total", by), "{{part}}"),
            ),
            curves(
                _look("Lag of the event loop", "99 of 100 timers are no later.", "s"),
                Query(quantile(0.99, "headrace_loop_lag_seconds", by), "{{part}}"),
            ),
            curves(
                _look("Memory", "Resident memory of the processes of a part.", "bytes"),
                Query(fact("headrace_process_memory_bytes", by), "{{part}}"),
            ),
            curves(
                _look("Open files", "File descriptors of the processes of a part.", "short"),
                Query(fact("headrace_process_open_files", by), "{{part}}"),
            ),
        ],
    )
