"""Overview: is anything wrong, since when, and in which part; the four signals of each part."""

from grafana_foundation_sdk.builders import stat, statetimeline

from deploy.dashboards.generator import links, parts
from deploy.dashboards.generator.layout import DashboardLayout, Row
from deploy.dashboards.generator.panels import FIGURE_HEIGHT, Look, Query, Steps, figure, states
from deploy.dashboards.generator.queries import FIRING, fact, rate, rate_or_zero, ratio, share
from deploy.dashboards.generator.runbooks import ALERTS, link_of


def make() -> DashboardLayout:
    """Return the dashboard."""
    return DashboardLayout(
        name="overview",
        title="Headrace / Overview",
        text="Is anything wrong, since when, and in which part: read it from top to bottom.",
        links=[
            links.failed_runs(),
            links.page("Installation", "/app/installation"),
        ],
        rows=[
            Row("Now", [*_living(), *_traffic(), *_errors(), *_lateness()]),
            Row("Alerts, since when", [_alerts()]),
            *parts.rows(),
        ],
    )


def _look(title: str, text: str, unit: str = "short", runbook: str = "", to: str = "") -> Look:
    """Return the look of a figure that leads to a runbook or to another dashboard."""
    found = [links.runbook(runbook)] if runbook else []
    found += [links.dashboard("Details", to)] if to else []
    height = FIGURE_HEIGHT
    return Look(title=title, text=text, unit=unit, width=3, height=height, data_links=found)


def _living() -> list[stat.Panel]:
    is_up = {"0": "away", "1": "up"}
    one = Steps(green=1)
    gateways = "Gateways that Prometheus reaches. None: nothing here says anything."
    workers = "Workers with a lease."
    redis = "Redis answers. Without it no run is accepted, and none goes on."
    history = "The database of the history answers. Without it Redis keeps what ended."
    return [
        figure(
            _look("Gateways", gateways, runbook="down"),
            'count(up{job="$job"} == 1) or vector(0)',
            steps=one,
        ),
        figure(
            _look("Workers", workers, runbook="no-workers", to="runs"),
            fact("headrace_workers_alive"),
            steps=one,
        ),
        figure(
            _look("Redis", redis, runbook="down", to="redis-and-history"),
            fact("headrace_redis_up"),
            steps=one,
            words=is_up,
        ),
        figure(
            _look("History", history, runbook="history-behind", to="redis-and-history"),
            fact("headrace_history_up"),
            steps=one,
            words=is_up,
        ),
    ]


def _traffic() -> list[stat.Panel]:
    slots = share("headrace_executions_held", "headrace_worker_slots")
    memory = share("headrace_redis_memory_used_bytes", "headrace_redis_memory_limit_bytes")
    held = "Executions that workers hold, of their slots. Full: runs wait, so add workers."
    used = "Memory of Redis, of its limit. When it is full, new runs are refused."
    return [
        figure(
            _look("Requests", "Requests per second at all gateways.", "reqps"),
            rate_or_zero("headrace_http_requests_total"),
            steps=Steps(),
        ),
        figure(
            _look("Runs", "Runs that end per second, failed ones as well.", "ops", to="runs"),
            rate_or_zero("headrace_executions_ended_total"),
            steps=Steps(),
        ),
        figure(
            _look("Slots in use", held, "percentunit", runbook="runs-wait", to="runs"),
            slots,
            steps=Steps(orange=0.8, red=0.95),
        ),
        figure(
            _look("Memory of Redis", used, "percentunit", runbook="redis-full"),
            memory,
            steps=Steps(orange=0.7, red=0.85),
        ),
    ]


def _errors() -> list[stat.Panel]:
    requests, ended = "headrace_http_requests_total", "headrace_executions_ended_total"
    of_ours = rate_or_zero("headrace_executions_failed_total", where='cause="internal"')
    away = rate_or_zero(requests, where='status="503"')
    faults = rate_or_zero("headrace_http_faults_total")
    wrong = (
        "Answers 503, and 500 by a fault of Headrace, of all; runs that fail are not among them."
    )
    unsuccessful = "Runs that fail, of those that end. The row of runs says by which cause."
    ours = "Runs that fail per second by a fault of the installation."
    bad = "Providers at which over a fifth of the calls fail, time out or are throttled."
    return [
        figure(
            _look("Requests that fail", wrong, "percentunit", runbook="errors"),
            ratio(f"({away} + {faults})", rate(requests)),
            steps=Steps(orange=0.01, red=0.05),
        ),
        figure(
            _look("Failed runs", unsuccessful, "percentunit", to="runs"),
            ratio(rate(ended, where='status="failed"'), rate(ended)),
            steps=Steps(orange=0.05, red=0.2),
        ),
        figure(
            _look("Runs failed by a fault", ours, "ops", runbook="runs-fail"),
            of_ours,
            steps=Steps(orange=0.001, red=0.1),
        ),
        figure(
            _look("Failing providers", bad, runbook="provider-fails", to="providers"),
            f"count(({parts.share_of_failures()}) > 0.2) or vector(0)",
            steps=Steps(orange=1, red=2),
        ),
    ]


def _lateness() -> list[stat.Panel]:
    late = Steps(orange=30, red=60)
    schedules, steps = fact("headrace_schedule_due_lag_seconds"), fact("headrace_due_lag_seconds")
    oldest = "Age of the oldest run that no worker has begun."
    due = "Age of the oldest scheduled step that is overdue: a delay, a retry, a due time."
    delivery = "Age of the oldest delivery of a webhook whose attempt is due."
    behind = "Age of the oldest run that ended and is not in the history."
    return [
        figure(
            _look("Oldest waiting run", oldest, "s", runbook="runs-wait", to="runs"),
            fact("headrace_oldest_hint_seconds"),
            steps=late,
        ),
        figure(
            _look("Oldest due step", due, "s", runbook="due-times-late", to="runs"),
            f"{steps} > {schedules} or {schedules}",
            steps=late,
        ),
        figure(
            _look("Oldest delivery", delivery, "s", runbook="webhooks-late", to="webhooks"),
            fact("headrace_oldest_delivery_seconds"),
            steps=late,
        ),
        figure(
            _look("History is behind", behind, "s", runbook="history-behind"),
            fact("headrace_history_lag_seconds"),
            steps=Steps(orange=60, red=300),
        ),
    ]


def _alerts() -> statetimeline.Panel:
    look = Look(
        title="Alerts that fire",
        text=(
            "Each bar is an alert while it fires: a click leads to its runbook. Empty: none fires, "
            "or Prometheus has no rules of Headrace."
        ),
        width=24,
        height=6,
    )
    panel = states(look, Query(FIRING, "{{alertname}}"), steps=Steps(red=1), words={"1": "fires"})
    for alert in ALERTS:
        panel.override_by_name(alert, [link_of(alert)])
    return panel.no_value("No alert of Headrace fires.")
