"""Types of replays, in requests and answers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from msgspec import UNSET, Meta, UnsetType

from engine.errors import InvalidBody
from engine.executions.batches import BatchCounts, ItemStatus
from engine.executions.replays import ReplayCalls
from engine.releases.aliases import DRAFT, is_alias_name
from engine.services.replays.differences import MOST_CHANGES, MOST_CHARACTERS
from engine.services.replays.replay_facts import ReplayFacts
from engine.services.replays.rows import ReplayRow
from engine.services.replays.selection import MOST_EXECUTIONS
from engine.services.replays.verdicts import ReplayVerdict
from engine.store import Batch
from engine.values.plain import moment
from gateway.http.types import (
    OBJECT,
    Credits,
    Moment,
    Nested,
    RequestBody,
    Uuid,
    View,
    described_as,
    doc,
    refused,
)
from gateway.openapi.examples import BATCH_ID, CREATED, ENDED, EXECUTION_ID
from gateway.runs.batch_answers import ShownStatus

AGAINST_RULE = "'against' must be \"draft\", the number of a version, or the name of an alias"
Against = Annotated[
    Any,
    described_as(int | str),
    doc("`draft`, the number of a version that is kept, or the name of an alias.", "draft"),
]
CallsMember = Annotated[
    ReplayCalls,
    doc("`recorded`: outputs are those of the earlier run, and nothing is called or charged."),
]


class ReplayRequest(RequestBody, kw_only=True):
    """Executions to replay, and the graph that they run on."""

    against: Against
    calls: CallsMember = ReplayCalls.RECORDED
    last: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_EXECUTIONS)] | UnsetType,
        doc("The number of the newest ended runs to take. Either this or `executionIds`."),
    ] = UNSET
    execution_ids: Annotated[
        Annotated[list[str], Meta(min_length=1, max_length=MOST_EXECUTIONS)] | UnsetType,
        doc("Ended runs of this workflow, of any version, whose values were recorded."),
        refused(f"must be a list of 1 to {MOST_EXECUTIONS} ids of executions"),
    ] = UNSET

    def __post_init__(self) -> None:
        """Check the members together. Raises InvalidBody."""
        if (self.last is UNSET) == (self.execution_ids is UNSET):
            raise InvalidBody("Name either 'last' or 'executionIds'", field="last")
        against = self.against
        is_number = type(against) is int and against >= 1
        is_name = isinstance(against, str) and (against == DRAFT or is_alias_name(against))
        if not (is_number or is_name):
            raise InvalidBody(AGAINST_RULE, field="against")


class StartedReplay(View, kw_only=True):
    """An accepted replay, whose executions begin soon."""

    links = {name: {"replay_id": "replayId"} for name in ("get_replay", "cancel_replay")}

    replay_id: Uuid
    executions: Annotated[int, doc("The number of earlier executions that it has.")]
    status: Literal["processing"]
    poll_url: str


class ReplayCountsView(Nested):
    """Number of rows of each verdict; the others are not over, or were cancelled."""

    same: int
    different: int
    failed: int
    unmatched: int

    @classmethod
    def of(cls, codes: str) -> Self:
        """Count the codes of all items."""
        return cls(**{each.word: codes.count(each.code) for each in ReplayVerdict})


class ReplayProgressView(Nested):
    """Number of executions of each status."""

    queued: int
    processing: int
    completed: int
    failed: int
    cancelled: int


class ReplayView(View, kw_only=True):
    """A replay, without its rows."""

    replay_id: Uuid
    workflow_slug: str
    against: Against
    calls: CallsMember
    status: ShownStatus
    counts: ReplayCountsView
    total: Annotated[int, doc("The number of rows.")]
    progress: Annotated[BatchCounts, described_as(ReplayProgressView)]
    credits_cost: Credits
    created_at: Moment
    completed_at: Moment | None

    @classmethod
    def members_of(cls, replay: Batch, facts: ReplayFacts, codes: str) -> dict[str, Any]:
        """Return the members of the view of a replay."""
        return {
            "replay_id": replay.id,
            "workflow_slug": replay.slug,
            "against": DRAFT if facts.is_of_draft else replay.version,
            "calls": facts.calls,
            "status": replay.status.shown.value,
            "counts": ReplayCountsView.of(codes),
            "total": replay.size,
            "progress": replay.counts,
            "credits_cost": replay.credits,
            "created_at": moment(replay.created_at),
            "completed_at": moment(replay.completed_at),
        }


class ReplayPage(View):
    """A page of replays, newest first."""

    rows: list[ReplayView]
    next_cursor: str | None


class ChangeView(Nested):
    """Two values at one place; null where there is none."""

    path: Annotated[str, doc("Such as `result.items[0].name`, `status` or `error.code`.")]
    before: Any
    after: Any


class ReplayedNode(Nested):
    """Node of which nothing was recorded."""

    id: str | None
    reason: str | None


class ReplayedFailure(Nested):
    """Error of an execution, or of an item that could not begin."""

    code: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    node_id: str | UnsetType = UNSET
    node_code: str | UnsetType = UNSET


class ReplayOutcome(Nested):
    """End of an execution; its result is at `GET /api/executions/{executionId}`."""

    status: str
    credits_cost: Credits
    duration_ms: int | None
    error: Annotated[OBJECT | None, described_as(ReplayedFailure | None)]


Outcome = Annotated[OBJECT | None, described_as(ReplayOutcome | None)]


class ReplayRowView(Nested, kw_only=True):
    """One earlier execution, with the new one and the verdict on both."""

    index: Annotated[int, doc("Its place in the replay, from 0.")]
    execution_id: Annotated[Uuid, doc("The earlier execution.")]
    replay_execution_id: Annotated[Uuid | None, doc("Null: it has not begun, or could not begin.")]
    status: ItemStatus
    verdict: Annotated[
        str | None,
        described_as(Literal["same", "different", "failed", "unmatched"] | None),
        doc("Null: it is not over, or was cancelled."),
    ]
    changes: Annotated[
        list[ChangeView],
        doc(
            f"The first {MOST_CHANGES} differences; values are cut at {MOST_CHARACTERS:,}"
            " characters."
        ),
    ]
    has_more_changes: bool
    node: Annotated[
        OBJECT | None,
        described_as(ReplayedNode | None),
        doc("The node of an unmatched row that would have made a call."),
    ]
    error: Annotated[
        OBJECT | None,
        described_as(ReplayedFailure | None),
        doc("The reason why the new execution failed, or could not begin; null: it did not."),
    ]
    before: Annotated[Outcome, doc("Null before the verdict, and once that execution is gone.")]
    after: Annotated[Outcome, doc("Null before the verdict.")]

    @classmethod
    def from_row(cls, row: ReplayRow) -> Self:
        """Build the view of a row."""
        value: Mapping[str, Any] = row.value
        return cls(
            index=row.index,
            execution_id=row.execution_id,
            replay_execution_id=row.replay_execution_id,
            status=row.status,
            verdict=row.verdict and row.verdict.word,
            changes=[ChangeView(*each) for each in value.get("changes", ())],
            has_more_changes=value.get("hasMore", False),
            node=value.get("node"),
            error=(value.get("after") or {}).get("error"),
            before=value.get("before"),
            after=value.get("after"),
        )


class ReplayDetails(ReplayView, kw_only=True):
    """A replay with its rows, in the order of the request, or the newest execution first."""

    rows: Annotated[Sequence[ReplayRowView], doc("All rows, unless the query asks for some.")]
    next_cursor: str | None


class ReplayCancelRequested(View):
    """A replay whose queued executions will not begin, and whose running ones are cancelled."""

    replay_id: Uuid
    status: ShownStatus


NEW_EXECUTION_ID = "7f9c24e8-3b1a-5d4c-8e6f-0a1b2c3d4e5f"
MEMBERS: Mapping[str, Any] = {
    "replay_id": BATCH_ID,
    "workflow_slug": "greeting",
    "against": DRAFT,
    "calls": ReplayCalls.RECORDED,
    "status": "completed",
    "counts": ReplayCountsView(same=0, different=1, failed=0, unmatched=0),
    "total": 1,
    "progress": BatchCounts(completed=1),
    "credits_cost": 0,
    "created_at": CREATED,
    "completed_at": ENDED,
}
END: Mapping[str, Any] = {
    "status": "completed",
    "creditsCost": 0,
    "durationMs": 31,
    "error": None,
}
ReplayRequest.examples = (
    ReplayRequest(against="draft", last=20),
    ReplayRequest(against=3, execution_ids=[EXECUTION_ID], calls=ReplayCalls.LIVE),
)
StartedReplay.examples = (
    StartedReplay(
        replay_id=BATCH_ID,
        executions=20,
        status="processing",
        poll_url=f"/api/replays/{BATCH_ID}",
    ),
)
ReplayView.examples = (ReplayView(**MEMBERS),)
ReplayPage.examples = (ReplayPage([ReplayView(**MEMBERS)], next_cursor=None),)
ReplayDetails.examples = (
    ReplayDetails(
        **MEMBERS,
        rows=[
            ReplayRowView(
                index=0,
                execution_id=EXECUTION_ID,
                replay_execution_id=NEW_EXECUTION_ID,
                status=ItemStatus.COMPLETED,
                verdict="different",
                changes=[ChangeView("result.text", "Hello Ada", "Dear Ada")],
                has_more_changes=False,
                node=None,
                error=None,
                before={**END, "creditsCost": 2},
                after=dict(END),
            )
        ],
        next_cursor=None,
    ),
)
ReplayCancelRequested.examples = (ReplayCancelRequested(BATCH_ID, "processing"),)
