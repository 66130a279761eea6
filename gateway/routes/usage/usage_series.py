"""Figures of the account's executions by time, for charts."""

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import field
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import InvalidQuery, Unavailable
from engine.services.usage_series import read_series
from engine.store import Principal
from engine.store.archive.archive import SeriesQuery, SeriesRow
from engine.values.plain import moment
from gateway.auth.endpoints import any_key, in_turns, operation
from gateway.auth.resource import Resource
from gateway.http.json_bodies import run_off_loop
from gateway.http.query import QueryParameters
from gateway.http.responses import json_response
from gateway.http.types import Credits, Instant, Moment, Nested, View, doc
from gateway.openapi.examples import CREATED
from gateway.services import GatewayRequest

DAY_MS = 86_400_000
MOST_BUCKETS = 10_080
"""Buckets of one answer: a week of minutes, a year of hours."""
ROW_BYTES = 120
"""About the size of a row."""


class SeriesBucket(StrEnum):
    """Length of time of one row."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class SeriesDimension(StrEnum):
    """Property by which rows are apart."""

    WORKFLOW = "workflow"
    MODEL = "model"
    KEY = "key"
    STATUS = "status"


LENGTHS = {SeriesBucket.MINUTE: 60_000, SeriesBucket.HOUR: 3_600_000, SeriesBucket.DAY: DAY_MS}


class UsageSeriesQuery(QueryParameters):
    """Query of figures."""

    since: Annotated[
        Instant | None,
        doc("Of executions created at this time or later; a day before `to`, if absent.", CREATED),
    ] = field(default=None, name="from")
    until: Annotated[
        Instant | None,
        doc("Of executions created before this time; now, if absent.", CREATED),
    ] = field(default=None, name="to")
    bucket: Annotated[SeriesBucket, doc("Length of time of a row, in UTC.", "hour")] = (
        SeriesBucket.HOUR
    )
    by: Annotated[
        SeriesDimension,
        doc("Property that tells the rows of one time apart.", "workflow"),
    ] = SeriesDimension.WORKFLOW

    def read_series(self) -> SeriesQuery:
        """Return the range and the grouping. Raises InvalidQuery."""
        end = int(time.time() * 1_000) + 1 if self.until is None else self.until
        start = end - DAY_MS if self.since is None else self.since
        if end <= start:
            raise InvalidQuery("to", "'to' must be later than 'from'")
        if (end - start) // LENGTHS[self.bucket] > MOST_BUCKETS:
            raise InvalidQuery(
                "bucket", f"There are more than {MOST_BUCKETS:,} of these from 'from' to 'to'"
            )
        return SeriesQuery(
            start=start, end=end, bucket_ms=LENGTHS[self.bucket], dimension=self.by.value
        )


class SeriesRowView(Nested):
    """Figures of executions that were created in one minute, hour or day."""

    at: Moment
    key: Annotated[str | None, doc("Slug, model, key's id or status; null: there is none.")]
    runs: Annotated[int, doc("Executions, with those that have not ended.")]
    failed: int
    credits: Credits
    p50_ms: Annotated[int | None, doc("Median duration, within one percent; null: none has ended.")]
    p95_ms: Annotated[int | None, doc("Duration that 95 of 100 do not exceed, likewise.")]


class UsageSeries(View):
    """Figures by time and key."""

    rows: list[SeriesRowView]


UsageSeries.examples = (
    UsageSeries(
        [
            SeriesRowView(
                at=CREATED, key="greeting", runs=12, failed=1, credits=130, p50_ms=27, p95_ms=140
            )
        ]
    ),
)


@operation(query=UsageSeriesQuery, answers={200: UsageSeries}, errors=(InvalidQuery, Unavailable))
@in_turns
@any_key
async def get_usage_series(request: GatewayRequest, principal: Principal) -> Response:
    """Runs, failures, credits and durations by minute, hour or day, and by one property.

    Rows are in the order of time, and there is none for a time without executions. A run of several
    models counts for each of them.
    """
    wanted = UsageSeriesQuery.parse(request.scope).read_series()
    rows = await read_series(request.services.store, principal.account.id, wanted)

    def build() -> Response:
        return json_response(UsageSeries(_views(rows)))

    return await run_off_loop(len(rows) * ROW_BYTES, build)


def _views(rows: Sequence[SeriesRow]) -> list[SeriesRowView]:
    times = {at: moment(at) for at in {row.at for row in rows}}
    return [
        SeriesRowView(
            at=times[row.at],
            key=row.key or None,
            runs=row.runs,
            failed=row.failed,
            credits=row.credits,
            p50_ms=row.p50_ms,
            p95_ms=row.p95_ms,
        )
        for row in rows
    ]


routes = [Route("/api/usage/series", Resource(GET=get_usage_series))]
