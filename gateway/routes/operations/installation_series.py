"""The last hour of the installation, for the browsers of its admins."""

from collections.abc import Sequence
from typing import Annotated, Self

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import InvalidQuery, Unavailable
from engine.store import Principal
from engine.store.metrics.installation_sample import (
    Durations,
    InstallationSample,
    NodeTypeSample,
    ProviderSample,
    combine,
)
from engine.store.metrics.last_hour import SAMPLE_SECONDS, parse_samples
from engine.values.plain import moment
from gateway.auth.endpoints import admins_only, operation
from gateway.auth.resource import Resource
from gateway.http.json_bodies import run_off_loop
from gateway.http.query import QueryParameters
from gateway.http.responses import json_response
from gateway.http.types import Instant, Moment, Nested, View, doc
from gateway.openapi.examples import CREATED
from gateway.services import GatewayRequest


class InstallationSeriesQuery(QueryParameters):
    """Query of the last hour."""

    after: Annotated[
        Instant | None,
        doc("Samples after this time alone; those of the whole hour, if absent.", CREATED),
    ] = None


class SampleView(Nested):
    """Activity of some seconds, and the state at their end."""

    at: Moment
    seconds: Annotated[float, doc("Length of time in which the counts happened.")]
    accepted: int
    completed: int
    failed: int
    cancelled: int
    causes: Annotated[dict[str, int], doc("Failed executions by cause.", {"provider": 2})]
    requests: Annotated[int, doc("Answered requests.")]
    server_errors: Annotated[int, doc("Those answered with 500 or more.")]
    deliveries: Annotated[int, doc("Attempts at deliveries of webhooks.")]
    deliveries_failed: int
    p50_ms: Annotated[int | None, doc("Median time of a run; null: none has ended.")]
    p95_ms: int | None
    wait_p95_ms: Annotated[int | None, doc("Wait before a run began, that 95 of 100 stay below.")]
    loop_lag_p99_ms: Annotated[float | None, doc("Delay of the processes' event loops.")]
    redis_p99_ms: Annotated[float | None, doc("Round trip to Redis.")]
    workers: int
    gateways: int
    waiting: Annotated[dict[str, int], doc("Hints by queue.", {"walk": 1})]
    oldest_wait_seconds: Annotated[float, doc("Age of the hint that waits longest; 0: none waits.")]
    held: Annotated[int, doc("Executions that workers hold.")]
    slots: Annotated[int, doc("Most executions that workers hold; 0: not told.")]
    active: Annotated[int, doc("Executions that have not ended.")]
    parked: Annotated[int, doc("Those that wait for a time, an answer, or their children.")]
    due_lag_seconds: Annotated[float, doc("Age of the oldest overdue step.")]
    deliveries_due: int
    oldest_delivery_seconds: Annotated[float, doc("Age of the oldest overdue attempt.")]
    redis_used_bytes: int
    redis_limit_bytes: Annotated[int, doc("0: there is no limit.")]
    history_waiting: int
    history_lag_seconds: float

    @classmethod
    def of(cls, sample: InstallationSample) -> Self:
        """Return the view of a sample."""
        latencies, facts = sample.latencies, sample.facts
        return cls.from_record(
            sample,
            **{name: getattr(sample.counts, name) for name in sample.counts.__struct_fields__},
            **{name: getattr(facts, name) for name in SAME_FACTS},
            p50_ms=_milliseconds(latencies.execution, 0.5),
            p95_ms=_milliseconds(latencies.execution, 0.95),
            wait_p95_ms=_milliseconds(latencies.hint_wait, 0.95),
            loop_lag_p99_ms=_exact_milliseconds(latencies.loop_lag, 0.99),
            redis_p99_ms=_exact_milliseconds(latencies.redis, 0.99),
            oldest_wait_seconds=facts.oldest_hint_seconds,
            redis_used_bytes=facts.redis_used,
            redis_limit_bytes=facts.redis_limit,
        )


SAME_FACTS = (
    *("workers", "gateways", "waiting", "held", "slots", "active", "parked"),
    *(
        "due_lag_seconds",
        "deliveries_due",
        "oldest_delivery_seconds",
        "history_waiting",
        "history_lag_seconds",
    ),
)
"""Facts that the view calls as the sample does."""


class NodeTypeActivityView(Nested):
    """Nodes of one type in the last hour."""

    type: str
    completed: int
    failed: int
    attempts: Annotated[int, doc("Attempts that did not run in place.")]
    p50_ms: Annotated[int | None, doc("Median time of these attempts; null: there is none.")]
    p95_ms: int | None
    total_seconds: Annotated[float, doc("Time of all these attempts together.")]

    @classmethod
    def of(cls, row: NodeTypeSample) -> Self:
        """Return the view of the nodes of a type."""
        return cls(
            type=row.type,
            completed=row.completed,
            failed=row.failed,
            attempts=row.durations.count,
            p50_ms=_milliseconds(row.durations, 0.5),
            p95_ms=_milliseconds(row.durations, 0.95),
            total_seconds=round(row.durations.seconds, 3),
        )


class ProviderActivityView(Nested):
    """Calls to one provider in the last hour."""

    provider: str
    calls: int
    outcomes: Annotated[dict[str, int], doc("Calls by outcome.", {"ok": 12, "throttled": 1})]
    p50_ms: int | None
    p95_ms: int | None

    @classmethod
    def of(cls, row: ProviderSample) -> Self:
        """Return the view of the calls to a provider."""
        return cls(
            provider=row.provider,
            calls=row.calls,
            outcomes=row.outcomes,
            p50_ms=_milliseconds(row.durations, 0.5),
            p95_ms=_milliseconds(row.durations, 0.95),
        )


class InstallationSeriesView(View):
    """Last hour of the installation."""

    at: Moment
    sample_seconds: Annotated[int, doc("Time between two samples.")]
    samples: Annotated[
        list[SampleView], doc("Oldest first; the time in which no worker led has none.")
    ]
    node_types: Annotated[
        list[NodeTypeActivityView], doc("Those that took the most time first, of the whole hour.")
    ]
    providers: Annotated[
        list[ProviderActivityView], doc("Those with most calls first, of the whole hour.")
    ]


InstallationSeriesView.examples = (
    InstallationSeriesView(
        at=CREATED,
        sample_seconds=SAMPLE_SECONDS,
        samples=[
            SampleView(
                at=CREATED,
                seconds=10.0,
                accepted=42,
                completed=40,
                failed=2,
                cancelled=0,
                causes={"provider": 2},
                requests=90,
                server_errors=0,
                deliveries=4,
                deliveries_failed=1,
                p50_ms=27,
                p95_ms=140,
                wait_p95_ms=2,
                loop_lag_p99_ms=3.1,
                redis_p99_ms=0.8,
                workers=2,
                gateways=1,
                waiting={"walk": 0, "bulk": 0, "deliver": 0},
                oldest_wait_seconds=0.0,
                held=3,
                slots=20_000,
                active=3,
                parked=0,
                due_lag_seconds=0.0,
                deliveries_due=1,
                oldest_delivery_seconds=0.0,
                redis_used_bytes=8_388_608,
                redis_limit_bytes=0,
                history_waiting=0,
                history_lag_seconds=0.0,
            )
        ],
        node_types=[
            NodeTypeActivityView(
                type="llm",
                completed=38,
                failed=2,
                attempts=41,
                p50_ms=640,
                p95_ms=1_900,
                total_seconds=31.5,
            )
        ],
        providers=[
            ProviderActivityView(
                provider="openai",
                calls=41,
                outcomes={"ok": 38, "throttled": 1, "failed": 2},
                p50_ms=630,
                p95_ms=1_800,
            )
        ],
    ),
)


@operation(
    query=InstallationSeriesQuery,
    answers={200: InstallationSeriesView},
    errors=(InvalidQuery, Unavailable),
)
@admins_only
async def get_installation_series(request: GatewayRequest, principal: Principal) -> Response:
    """Samples of the last hour, one for each ten seconds, with its node types and providers."""
    after = InstallationSeriesQuery.parse(request.scope).after
    stored, now = await request.services.store.last_hour.stored()

    def build() -> Response:
        return json_response(_view(parse_samples(stored, now), now, after))

    return await run_off_loop(sum(map(len, stored.values())), build)


def _view(
    samples: Sequence[InstallationSample], at: int, after: int | None
) -> InstallationSeriesView:
    hour = combine(samples) if samples else None
    node_types = sorted(
        hour.node_types if hour else (), key=lambda row: (-row.durations.seconds, row.type)
    )
    providers = sorted(hour.providers if hour else (), key=lambda row: (-row.calls, row.provider))
    return InstallationSeriesView(
        at=moment(at),
        sample_seconds=SAMPLE_SECONDS,
        samples=[SampleView.of(each) for each in samples if after is None or each.at > after],
        node_types=[NodeTypeActivityView.of(row) for row in node_types],
        providers=[ProviderActivityView.of(row) for row in providers],
    )


def _milliseconds(durations: Durations, share: float) -> int | None:
    seconds = durations.quantile(share)
    return None if seconds is None else round(seconds * 1000)


def _exact_milliseconds(durations: Durations, share: float) -> float | None:
    seconds = durations.quantile(share)
    return None if seconds is None else round(seconds * 1000, 1)


routes = [
    Route("/api/admin/installation/series", Resource(GET=get_installation_series)),
]
