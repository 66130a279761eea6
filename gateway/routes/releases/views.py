"""Types of aliases and canaries, in requests and answers."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from msgspec import Meta

from engine.errors import InvalidBody
from engine.releases.aliases import DEFAULT_MIN_RUNS, AliasChange, AliasState, Canary
from engine.releases.run_counts import RunCounts
from engine.services.releases.aliases import NamedAlias, new_canary_id
from engine.values.plain import moment
from gateway.http.query import Version
from gateway.http.types import Moment, Nested, RequestBody, View, described_as, doc, refused
from gateway.openapi.examples import CREATED

MOST_RUNS = 1_000_000
MOST_MS = 86_400_000
Percent = Annotated[int, Meta(ge=1, le=99), doc("Share of the runs that it gets.", 5)]
MinRuns = Annotated[
    int, Meta(ge=1, le=MOST_RUNS), doc("Runs of the canary before its rule decides.")
]
Rate = Annotated[
    Annotated[float, Meta(ge=0, le=1)] | None,
    doc("Share of failed runs above which it is taken back; null: failures never take it back."),
    refused("must be a number from 0 to 1"),
]
P95 = Annotated[
    Annotated[int, Meta(ge=1, le=MOST_MS)] | None,
    doc("Milliseconds of 19 of 20 runs above which it is taken back; null: slowness never does."),
    refused(f"must be a whole number from 1 to {MOST_MS}"),
]


class PublishedCanary(RequestBody, kw_only=True, forbid_unknown_fields=True):
    """Share of a canary, and the rule that takes it back."""

    percent: Percent
    min_runs: MinRuns = DEFAULT_MIN_RUNS
    max_error_rate: Rate = None
    max_p95_ms: P95 = None

    @classmethod
    def read(cls, value: Any) -> Canary:
        """Return a new canary of a member `canary`. Raises InvalidBody."""
        if not isinstance(value, dict):
            raise InvalidBody("'canary' must be an object", field="canary")
        try:
            return cls.parse(value).make_canary()
        except InvalidBody as error:
            field = error.context.get("field")
            path = "canary" if field is None else f"canary.{field}"
            raise InvalidBody(f"In 'canary': {error.message}", field=path) from None

    def make_canary(self, version: int = 0) -> Canary:
        """Return it with an id of its own; without a version it is the one that is published."""
        return Canary(
            id=new_canary_id(),
            version=version,
            percent=self.percent,
            min_runs=self.min_runs,
            max_error_rate=self.max_error_rate,
            max_p95_ms=self.max_p95_ms,
        )


class CanaryOfAlias(PublishedCanary, kw_only=True, forbid_unknown_fields=True):
    """Canary of an alias."""

    version: Annotated[Version, doc("Another version than that of the alias.", 4)]

    def make_canary(self, version: int = 0) -> Canary:
        """Return it with an id of its own."""
        return super().make_canary(self.version)


class AliasRequest(RequestBody, kw_only=True):
    """Version of an alias, and its canary."""

    version: Annotated[
        Version | None, doc("A version that is kept. Of `live` it is set by publish alone.", 3)
    ] = None
    canary: Annotated[
        Any,
        described_as(CanaryOfAlias | None),
        doc("Another version, which gets a share of the runs; null or left out: there is none."),
    ] = None


class CanaryView(Nested, kw_only=True):
    """Version that gets a share of the runs of an alias."""

    id: Annotated[str, doc("Another one for each canary that is set: runs are counted by it.")]
    version: int
    percent: Annotated[int, doc("Share of the runs that it gets.")]
    min_runs: int
    max_error_rate: float | None
    max_p95_ms: int | None

    @classmethod
    def of(cls, canary: Canary | None) -> Self | None:
        """Build the view of a canary."""
        return None if canary is None else cls.from_record(canary)


class AliasView(View, kw_only=True):
    """An alias of a workflow."""

    name: str
    version: int
    canary: CanaryView | None
    updated_at: Moment

    @classmethod
    def of(cls, alias: NamedAlias) -> Self:
        """Build the view of an alias."""
        return cls.from_record(
            alias, canary=CanaryView.of(alias.canary), updated_at=moment(alias.updated_at)
        )


class AliasPage(View):
    """Aliases of a workflow, `live` first."""

    rows: Sequence[AliasView]
    next_cursor: None = None


class AliasStateView(Nested):
    """Version and canary of an alias."""

    version: int
    canary: CanaryView | None

    @classmethod
    def of(cls, state: AliasState | None) -> Self | None:
        """Build the view of a state."""
        return None if state is None else cls(state.version, CanaryView.of(state.canary))


class AliasTransitionView(Nested, rename={"before": "from", "after": "to"}):
    """States around a change."""

    before: Annotated[AliasStateView | None, doc("Null: there was no such alias.")]
    after: AliasStateView | None


class AliasChangeView(Nested):
    """A change of an alias."""

    at: Moment
    by: Annotated[Literal["user", "system"], doc("`system`: the rule of the canary took it back.")]
    change: AliasTransitionView
    reason: str

    @classmethod
    def of(cls, change: AliasChange) -> Self:
        """Build the view of a change."""
        around = change.change
        states = AliasStateView.of(around.before), AliasStateView.of(around.after)
        by: Any = change.by
        return cls(moment(change.at), by, AliasTransitionView(*states), change.reason)


class AliasHistory(View):
    """Changes of an alias, newest first."""

    rows: Sequence[AliasChangeView]
    next_cursor: None = None


class RunFigures(Nested, kw_only=True):
    """Runs that ended since the canary was set; cancelled ones are left out."""

    runs: int
    failed: Annotated[int, doc("With `EXECUTION_FAILED` or `INTERNAL_ERROR`.")]
    error_rate: Annotated[float | None, doc("Share of failed runs; null before the first run.")]
    p50_ms: Annotated[int | None, doc("Milliseconds without waits, exact to 2 %.")]
    p95_ms: int | None
    durations: Annotated[
        Sequence[Sequence[int]],
        doc("Histogram: longest milliseconds of each bucket, and the number of its runs."),
    ]

    @classmethod
    def of(cls, counts: RunCounts) -> Self:
        """Build the figures of one side."""
        rate = counts.error_rate
        return cls(
            runs=counts.runs,
            failed=counts.failed,
            error_rate=None if rate is None else round(rate, 6),
            p50_ms=counts.quantile_ms(0.5),
            p95_ms=counts.quantile_ms(0.95),
            durations=[list(each) for each in counts.durations],
        )


class CanaryFigures(View):
    """Runs of a canary, and those of its alias beside it."""

    canary: RunFigures
    live: RunFigures
    since: Annotated[Moment, doc("The time at which the canary was set.")]


CANARY = CanaryView(
    id="5d1c8a90b7e24f13", version=4, percent=5, min_runs=50, max_error_rate=0.02, max_p95_ms=4_000
)
ALIAS = AliasView(name="live", version=3, canary=CANARY, updated_at=CREATED)
AliasRequest.examples = (
    AliasRequest(version=3),
    AliasRequest(version=3, canary=CanaryOfAlias(version=4, percent=5, max_error_rate=0.02)),
)
AliasView.examples = (ALIAS,)
AliasPage.examples = (AliasPage([ALIAS]),)
AliasHistory.examples = (
    AliasHistory(
        [
            AliasChangeView(
                CREATED,
                "user",
                AliasTransitionView(AliasStateView(3, None), AliasStateView(3, CANARY)),
                "The canary was set",
            )
        ]
    ),
)
CanaryFigures.examples = (
    CanaryFigures(
        RunFigures(
            runs=20, failed=1, error_rate=0.05, p50_ms=400, p95_ms=900, durations=[[404, 19]]
        ),
        RunFigures(
            runs=380, failed=0, error_rate=0.0, p50_ms=390, p95_ms=800, durations=[[404, 380]]
        ),
        CREATED,
    ),
)
