"""Providers: which one fails, how, since when, and whether calls wait for their turn."""

from grafana_foundation_sdk.builders import statetimeline, timeseries
from grafana_foundation_sdk.builders import table as tables

from deploy.dashboards.generator import links
from deploy.dashboards.generator.layout import DashboardLayout, Row, choice
from deploy.dashboards.generator.panels import Column, Look, Query, Steps, curves, states, table
from deploy.dashboards.generator.parts import share_of_failures
from deploy.dashboards.generator.queries import fact, quantile, rate, ratio

CALLS = "headrace_provider_calls_total"
SECONDS = "headrace_provider_call_seconds"
CHOSEN = 'provider=~"$provider"'
BY = ("provider",)


def make() -> DashboardLayout:
    """Return the dashboard."""
    return DashboardLayout(
        name="providers",
        title="Headrace / Providers",
        text="Which provider fails, how, and since when.",
        variables=[choice("provider", "Provider", CALLS, "provider")],
        links=[
            links.failed_runs(),
            links.page("Models", "/app/models"),
        ],
        rows=[_since_when(), _calls(), _times(), _troubles()],
    )


def _since_when() -> Row:
    return Row("Which provider fails, since when", [_bars(), _figures()])


def _bars() -> statetimeline.Panel:
    look = Look(
        title="Calls that fail, of all calls to the provider",
        text=(
            "Green below 5 %, orange from 5 %, red from 20 %, and while open breakers let no call "
            "through: the begin of a red bar is the time."
        ),
        unit="percentunit",
        width=24,
        height=8,
        links=[links.runbook("provider-fails")],
        data_links=[
            links.dashboard("This provider", "providers", provider="${__field.labels.provider}"),
            links.failed_runs(),
        ],
    )
    return states(
        look,
        Query(share_of_failures(CHOSEN), "{{provider}}"),
        steps=Steps(orange=0.05, red=0.2),
        words={},
    )


def _figures() -> tables.Panel:
    calls = rate(CALLS, BY, CHOSEN)
    throttled = rate(CALLS, BY, f'{CHOSEN}, outcome="throttled"')
    refused = rate(CALLS, BY, f'{CHOSEN}, outcome="refused"')
    failed = rate(CALLS, BY, f'{CHOSEN}, outcome=~"failed|timeout"')
    bad = Steps(orange=0.05, red=0.2)
    look = Look(
        title="Providers",
        text="Newest values. An open breaker fails calls at once, without asking the provider.",
        width=24,
        data_links=[
            links.dashboard("This provider", "providers", provider="${__data.fields.provider}"),
            links.failed_runs(),
        ],
    )
    return table(
        look,
        "provider",
        "Provider",
        Column(name="Failed", expr=ratio(failed, calls), unit="percentunit", steps=bad),
        Column(name="Throttled", expr=ratio(throttled, calls), unit="percentunit", steps=bad),
        Column(name="Refused", expr=ratio(refused, calls), unit="percentunit", steps=bad),
        Column(name="Calls per second", expr=calls),
        Column(name="p50", expr=quantile(0.5, SECONDS, BY, CHOSEN), unit="s"),
        Column(name="p95", expr=quantile(0.95, SECONDS, BY, CHOSEN), unit="s"),
        Column(name="Waiting", expr=fact("headrace_provider_calls_waiting", BY, CHOSEN)),
        Column(
            name="Open breakers",
            expr=fact("headrace_provider_breaker_open", BY, CHOSEN),
            steps=Steps(red=1),
        ),
    )


def _calls() -> Row:
    failed = [links.failed_runs()]
    return Row(
        "Calls",
        [
            curves(
                Look(
                    title="By outcome",
                    text=(
                        "Per second: `throttled` by a 429, `failed` at the provider or on the way, "
                        "`refused` for the request, the key or the balance."
                    ),
                    unit="ops",
                    width=8,
                    data_links=failed,
                ),
                Query(rate(CALLS, ("outcome",), CHOSEN), "{{outcome}}"),
                colours=("ok", "throttled", "failed", "timeout", "refused"),
                is_stacked=True,
            ),
            curves(
                Look(title="By provider", text="Per second.", unit="ops", width=8),
                Query(rate(CALLS, BY, CHOSEN), "{{provider}}"),
                is_stacked=True,
            ),
            curves(
                Look(
                    title="Calls that end badly",
                    text="By provider and outcome, per second.",
                    unit="ops",
                    width=8,
                    links=[links.runbook("provider-fails")],
                    data_links=failed,
                ),
                Query(
                    rate(CALLS, ("provider", "outcome"), f'{CHOSEN}, outcome!="ok"') + " > 0",
                    "{{provider}} {{outcome}}",
                ),
            ),
        ],
    )


def _times() -> Row:
    turn = "headrace_provider_turn_seconds"
    alone = "Without the wait for a turn."
    limits = "The limits of a model's manifest hold calls back until it is their turn."
    return Row(
        "Times",
        [
            _time_of("Calls, half take no longer", alone, 0.5, SECONDS),
            _time_of("Calls, 95 of 100 take no longer", alone, 0.95, SECONDS),
            _time_of("Wait for a turn, 95 of 100", limits, 0.95, turn),
        ],
    )


def _time_of(title: str, text: str, share: float, metric: str) -> timeseries.Panel:
    """Return the times of each provider that this share of its calls does not exceed."""
    query = Query(quantile(share, metric, BY, CHOSEN), "{{provider}}")
    return curves(Look(title=title, text=text, unit="s", width=8), query)


def _troubles() -> Row:
    return Row(
        "Turns and breakers",
        [
            curves(
                Look(title="Calls that wait for a turn", text="By provider.", width=8),
                Query(fact("headrace_provider_calls_waiting", BY, CHOSEN), "{{provider}}"),
            ),
            curves(
                Look(
                    title="Answers 429, and turns",
                    text="Per second: many 429 beside few turns mean limits that are too high.",
                    unit="ops",
                    width=8,
                ),
                Query(
                    rate("headrace_provider_calls_refused_total", BY, CHOSEN), "429 {{provider}}"
                ),
                Query(
                    rate("headrace_provider_calls_granted_total", BY, CHOSEN), "turns {{provider}}"
                ),
            ),
            curves(
                Look(
                    title="Open breakers, jobs without an id",
                    text="Workers that fail calls at once; jobs that may have begun twice.",
                    width=8,
                    links=[links.runbook("provider-fails")],
                ),
                Query(fact("headrace_provider_breaker_open", BY, CHOSEN), "breaker {{provider}}"),
                Query(
                    rate("headrace_provider_jobs_unknown_total", ("outcome",)), "jobs {{outcome}}"
                ),
            ),
        ],
    )
