"""Runs: which status, cause and node type, since when, and whether workers are enough."""

from grafana_foundation_sdk.builders import table as tables

from deploy.dashboards.generator import links
from deploy.dashboards.generator.layout import DashboardLayout, Row, choice
from deploy.dashboards.generator.panels import (
    Column,
    Look,
    Query,
    Steps,
    curves,
    heat,
    quantiles,
    table,
)
from deploy.dashboards.generator.queries import (
    fact,
    increase,
    of_processes,
    quantile,
    rate,
    rate_or_zero,
    ratio,
    share,
)

ENDED = "headrace_executions_ended_total"
NODES = "headrace_nodes_ended_total"
TYPE = 'type=~"$node_type"'


def make() -> DashboardLayout:
    """Return the dashboard."""
    return DashboardLayout(
        name="runs",
        title="Headrace / Runs",
        text="Which runs fail, by which cause and at which type of node, and whether they wait.",
        variables=[choice("node_type", "Node type", NODES, "type")],
        links=[
            links.failed_runs(),
            links.executions("Runs under way", status="processing"),
        ],
        rows=[_runs(), _failures(), _nodes(), _wait(), _workers(), _recovery(), _triggers()],
    )


def _runs() -> Row:
    these = [links.executions("These runs", status="${__field.labels.status}")]
    failed = rate(ENDED, where='status="failed"')
    return Row(
        "Runs",
        [
            curves(
                Look(
                    title="Runs that end",
                    text="Per second, by status, beside those that are accepted.",
                    unit="ops",
                    width=6,
                    data_links=these,
                ),
                Query(rate(ENDED, by=("status",)), "{{status}}"),
                Query(rate("headrace_executions_accepted_total"), "accepted"),
                colours=("completed", "failed", "cancelled", "accepted"),
            ),
            curves(
                Look(
                    title="Share of failed runs",
                    text="Of those that end. A step marks the time since which runs fail.",
                    unit="percentunit",
                    width=6,
                    data_links=[links.failed_runs()],
                ),
                Query(ratio(failed, rate(ENDED)), "failed"),
                colours=("failed",),
            ),
            curves(
                Look(
                    title="Runs in the system",
                    text="Runs wait for a worker, run, or wait for time or people.",
                    width=6,
                    data_links=[links.executions("Runs under way", status="processing")],
                ),
                Query(fact("headrace_hints_waiting"), "waiting for a worker"),
                Query(fact("headrace_executions_held"), "held by workers"),
                Query(fact("headrace_executions_parked"), "parked"),
                Query(fact("headrace_batch_items_queued"), "items of batches"),
            ),
            curves(
                Look(title="Oldest parked run", text="It waits for time or people.", unit="s"),
                Query(fact("headrace_oldest_parked_seconds"), "oldest"),
            ),
        ],
    )


def _failures() -> Row:
    return Row(
        "Failures, since when",
        [
            curves(
                Look(
                    title="Failed runs by cause",
                    text=(
                        "Cause by the code of the error: caller, provider, timeout, money, or the "
                        "installation (internal)."
                    ),
                    unit="ops",
                    width=12,
                    links=[links.runbook("runs-fail"), links.dashboard("Providers", "providers")],
                    data_links=[links.failed_runs()],
                ),
                Query(rate("headrace_executions_failed_total", by=("cause",)), "{{cause}}"),
                colours=("internal", "timeout"),
                is_stacked=True,
            ),
            curves(
                Look(
                    title="Failed nodes by type",
                    text="Per second. A run that fails has one such node at least.",
                    unit="ops",
                    width=12,
                    data_links=[links.failed_runs()],
                ),
                Query(
                    rate(NODES, ("type",), f'status="failed", {TYPE}') + " > 0",
                    "{{type}}",
                ),
                is_stacked=True,
            ),
            curves(
                Look(
                    title="Canaries taken back",
                    text="Within an hour: their runs did worse than their rules allow.",
                ),
                Query(increase("headrace_canaries_rolled_back_total", "1h"), "taken back"),
            ),
        ],
    )


def _nodes() -> Row:
    by = ("type",)
    return Row(
        "Node types",
        [
            _node_table(),
            curves(
                Look(
                    title="Attempts, 95 of 100 take no longer",
                    text="Time of an attempt at a node that does not run in place.",
                    unit="s",
                    width=12,
                ),
                Query(quantile(0.95, "headrace_node_seconds", by, TYPE), "{{type}}"),
            ),
            heat(
                Look(
                    title="From acceptance to end",
                    text="Runs per second by the time that they took, waits included.",
                    unit="s",
                    width=12,
                ),
                "headrace_execution_seconds",
            ),
            curves(
                Look(
                    title="Completed runs, from acceptance to end",
                    text="Waits of nodes for time or people are included.",
                    unit="s",
                    width=12,
                ),
                *quantiles("headrace_execution_seconds", 'status="completed"'),
            ),
        ],
    )


def _node_table() -> tables.Panel:
    nodes = rate(NODES, ("type",), TYPE)
    failed = rate(NODES, ("type",), f'status="failed", {TYPE}')
    look = Look(
        title="Node types",
        text="Failed ones, rates and times, newest values.",
        width=12,
        data_links=[
            links.dashboard("This type", "runs", node_type="${__data.fields.type}"),
            links.failed_runs(),
        ],
    )
    return table(
        look,
        "type",
        "Node type",
        Column(
            name="Failed",
            expr=ratio(failed, nodes),
            unit="percentunit",
            steps=Steps(orange=0.05, red=0.2),
        ),
        Column(name="Nodes per second", expr=nodes),
        Column(
            name="p50",
            expr=quantile(0.5, "headrace_node_seconds", ("type",), TYPE),
            unit="s",
        ),
        Column(
            name="p95",
            expr=quantile(0.95, "headrace_node_seconds", ("type",), TYPE),
            unit="s",
        ),
    )


def _wait() -> Row:
    to = [links.runbook("runs-wait")]
    name = "headrace_hint_wait_seconds"
    return Row(
        "Wait for a worker",
        [
            curves(
                Look(
                    title="By queue, 95 of 100 wait no longer",
                    text="From acceptance to begin; `bulk` has batches and busy accounts.",
                    unit="s",
                    width=8,
                    links=to,
                ),
                Query(quantile(0.95, name, ("queue",)), "{{queue}}"),
            ),
            heat(
                Look(
                    title="Waits",
                    text="Runs per second by the time from acceptance to begin.",
                    unit="s",
                    width=8,
                    links=to,
                ),
                name,
            ),
            curves(
                Look(
                    title="Oldest waiting run",
                    text="Age of the oldest run that no worker has begun.",
                    unit="s",
                    width=8,
                    links=to,
                ),
                Query(fact("headrace_oldest_hint_seconds"), "oldest"),
            ),
        ],
    )


def _workers() -> Row:
    memory = share("headrace_execution_memory_bytes", "headrace_execution_memory_limit_bytes")
    return Row(
        "Workers",
        [
            curves(
                Look(
                    title="Slots",
                    text="Executions that workers hold, beside their limit.",
                    links=[links.runbook("runs-wait")],
                ),
                Query(fact("headrace_executions_held"), "held"),
                Query(fact("headrace_worker_slots"), "limit"),
                colours=("limit",),
            ),
            curves(
                Look(title="Child processes", text="They run nodes which compute."),
                Query(fact("headrace_pool_busy"), "busy"),
                Query(fact("headrace_pool_size"), "limit"),
                colours=("limit",),
            ),
            curves(
                Look(
                    title="Memory for runs",
                    text="Share in use; runs wait when it is full.",
                    unit="percentunit",
                ),
                Query(memory, "in use"),
                most=1,
            ),
            curves(
                Look(
                    title="Memory of each process",
                    text=(
                        "Needs a scrape of each process under the job `headrace-processes`: "
                        "empty without one."
                    ),
                    unit="bytes",
                ),
                Query(
                    of_processes("headrace_process_memory_bytes", ("part", "instance")),
                    "{{part}} {{instance}}",
                ),
            ),
        ],
    )


def _recovery() -> Row:
    lost = (
        ("headrace_executions_recovered_total", "taken back from dead workers"),
        ("headrace_executions_orphaned_total", "held by nobody"),
        ("headrace_executions_unwalked_total", "held and not walked"),
        ("headrace_executions_left_unknown_total", "left to other versions"),
    )
    steps = (
        ("headrace_steps_fenced_total", "gone to another worker"),
        ("headrace_steps_lost_total", "earlier ones lost by Redis"),
        ("headrace_hints_unknown_total", "hints of a later release"),
    )
    return Row(
        "Recovery",
        [
            curves(
                Look(
                    title="Runs taken up again",
                    text="Per second. Workers die, or drop their runs: look at their logs.",
                    unit="ops",
                    width=8,
                    links=[links.runbook("no-workers")],
                ),
                *(Query(rate_or_zero(name), legend) for name, legend in lost),
            ),
            curves(
                Look(
                    title="Steps refused",
                    text="Per second. Steps of a worker that lost its run, or after a failover.",
                    unit="ops",
                    width=8,
                ),
                *(Query(rate_or_zero(name), legend) for name, legend in steps),
            ),
            curves(
                Look(
                    title="Duties that fail or are late",
                    text="Seconds if over two minutes late; tasks that were started again.",
                    width=8,
                ),
                Query(rate("headrace_sweeps_failed_total", ("duty",)), "{{duty}} fails"),
                Query(fact("headrace_duty_lag_seconds", ("duty",)) + " > 120", "{{duty}} is late"),
                Query(rate("headrace_background_tasks_restarted_total", ("task",)), "{{task}}"),
            ),
        ],
    )


def _triggers() -> Row:
    to = [links.runbook("due-times-late")]
    name = "headrace_trigger_occurrences_total"
    return Row(
        "Triggers and waits",
        [
            curves(
                Look(title="Occurrences", text="By kind and status.", unit="ops", links=to),
                Query(rate(name, ("kind", "status")), "{{kind}} {{status}}"),
                is_stacked=True,
            ),
            curves(
                Look(
                    title="Occurrences that started no run",
                    text="By reason.",
                    unit="ops",
                    links=to,
                ),
                Query(
                    rate(name, ("kind", "status", "reason"), 'status!="started"'),
                    "{{kind}} {{status}} {{reason}}",
                ),
            ),
            curves(
                Look(
                    title="Lateness, 99 of 100 are no later",
                    text="From the due time of a schedule, or the end of a delay.",
                    unit="s",
                    links=to,
                ),
                Query(quantile(0.99, "headrace_schedule_lateness_seconds"), "schedules"),
                Query(quantile(0.99, "headrace_wait_lateness_seconds"), "delays and approvals"),
                Query(fact("headrace_due_lag_seconds"), "oldest overdue step"),
            ),
            curves(
                Look(
                    title="Waits of nodes",
                    text="Waits that began and ended per second, by kind and outcome.",
                    unit="ops",
                ),
                Query(rate("headrace_waits_opened_total", ("kind",)), "{{kind}} begins"),
                Query(
                    rate("headrace_waits_ended_total", ("kind", "outcome")), "{{kind}} {{outcome}}"
                ),
            ),
        ],
    )
