"""Types of tests of workflows, in requests and answers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from msgspec import UNSET, Meta, UnsetType

from engine.executions.batches import ItemStatus
from engine.services.workflow_tests.parse_tests import MOST_EXPECTATIONS
from engine.store.workflows.workflow_test_records import LastResult, SavedTest
from engine.store.workflows.workflow_tests import MOST_TESTS
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

VERDICTS = "`passed`, `failed` or `error`."
SEEN = "CEL over `result`, `nodes`, `cost`, `ms` and `status`"


class JudgeView(Nested):
    """A workflow of the account that gives a score."""

    workflow: Annotated[str, doc("Its slug.")]
    inputs: Annotated[OBJECT, doc(f"Its inputs by name: {SEEN}.")]


Judge = Annotated[
    Any,
    described_as(JudgeView | None),
    doc("A workflow of the account that runs after the test; its result is `judge` in `expect`."),
]
Inputs = Annotated[OBJECT, doc("The inputs of the run.")]
Expect = Annotated[
    Any,
    described_as(Annotated[list[str], Meta(max_length=MOST_EXPECTATIONS)]),
    doc(f"Conditions that must all be true: {SEEN}, and `judge` where there is one."),
]
Pinned = Annotated[
    OBJECT, doc("By node and output socket: values that the node gives without running.")
]


class WorkflowTestRequest(RequestBody, kw_only=True):
    """A test of a workflow; `parse_test` reads it."""

    inputs: Inputs | UnsetType = UNSET
    expect: Expect = UNSET
    pinned: Pinned | None | UnsetType = UNSET
    judge: Judge = UNSET


class LastRunOfTest(Nested):
    """The newest run of a test that has ended, since the test was changed."""

    test_run_id: Uuid
    verdict: Annotated[str, doc(VERDICTS)]
    version: Annotated[int | None, doc("The version that ran; null: a draft.")]
    at: Annotated[Moment, doc("The time at which the test run began.")]

    @classmethod
    def from_result(cls, last: LastResult) -> Self:
        """Build the view of the last result of a test."""
        return cls.from_record(last, version=last.version or None, at=moment(last.at))


class WorkflowTestView(View, kw_only=True):
    """A test of a workflow."""

    name: str
    inputs: Inputs
    expect: Annotated[Sequence[str], doc(f"Conditions that must all be true: {SEEN}, `judge`.")]
    pinned: Pinned
    judge: Annotated[OBJECT | None, described_as(JudgeView | None)]
    last_run: LastRunOfTest | None

    @classmethod
    def from_test(cls, saved: SavedTest) -> Self:
        """Build the view of a saved test."""
        members, last = saved.test.as_dict(), saved.last
        return cls(
            name=saved.name,
            inputs=members["inputs"],
            expect=members["expect"],
            pinned=members.get("pinned", {}),
            judge=members.get("judge"),
            last_run=None if last is None else LastRunOfTest.from_result(last),
        )


class DraftVerdictView(Nested):
    """Verdict of the newest run of all tests on a draft."""

    test_run_id: Uuid
    passed: Annotated[bool, doc("Whether all tests passed.")]
    failed: Annotated[int, doc("Number of tests that did not pass.")]
    total: int
    is_current: Annotated[
        bool, doc("Whether neither the draft nor a test was changed since: `requireTests` counts.")
    ]
    at: Annotated[Moment, doc("The time at which the test run began.")]


class WorkflowTestList(View):
    """The tests of a workflow by name."""

    rows: list[WorkflowTestView]
    draft: Annotated[DraftVerdictView | None, doc("Null: no test run of a draft has ended.")]


TEST: Mapping[str, Any] = {
    "inputs": {"name": "Ada"},
    "expect": ['result.text.contains("Ada")', "cost <= 20.0", "judge.score >= 4.0"],
    "judge": {"workflow": "rate-a-greeting", "inputs": {"text": "result.text"}},
}
WorkflowTestRequest.examples = (
    WorkflowTestRequest(**TEST),
    WorkflowTestRequest(
        inputs={"name": "Ada"},
        expect=['result.text == "Hello Ada"'],
        pinned={"model": {"text-out": "Hello Ada"}},
    ),
)
WorkflowTestView.examples = (
    WorkflowTestView(
        name="greets-by-name",
        **TEST,
        pinned={},
        last_run=LastRunOfTest(
            test_run_id=EXECUTION_ID, verdict="passed", version=None, at=CREATED
        ),
    ),
)
WorkflowTestList.examples = (
    WorkflowTestList(
        rows=[WorkflowTestView.examples[0]],
        draft=DraftVerdictView(
            test_run_id=EXECUTION_ID, passed=True, failed=0, total=1, is_current=True, at=CREATED
        ),
    ),
)


class WorkflowTestRunRequest(RequestBody, kw_only=True):
    """Choice of the tests to run, and of the draft or version that they run on."""

    version: Annotated[
        int | str | None,
        doc(
            "The number of a version, an alias, or `draft`; left out: the draft, or the live"
            " version where there is no draft.",
            "draft",
        ),
        refused("must be a version's number, 'draft' or the name of an alias"),
    ] = None
    names: Annotated[
        Annotated[list[str], Meta(min_length=1, max_length=MOST_TESTS)] | None,
        doc("Only these tests."),
        refused("must be a list of names of tests"),
    ] = None


class StartedTestRunView(View):
    """An accepted test run, whose tests begin soon."""

    links = {name: {"test_run_id": "testRunId"} for name in ("get_test_run", "cancel_test_run")}

    test_run_id: Uuid
    tests: Annotated[int, doc("The number of its tests.")]
    status: Literal["processing"]
    poll_url: str

    @classmethod
    def of(cls, test_run_id: str, tests: int) -> Self:
        """Build the answer that leads to the test run."""
        return cls(test_run_id, tests, "processing", f"/api/test-runs/{test_run_id}")


class ExpectationView(Nested):
    """An expectation of a test that has run."""

    expression: str
    met: Annotated[bool | None, doc("Null: it could not be evaluated.")]
    values: Annotated[
        OBJECT, doc("The values that it saw, by their path in the expression; long ones are cut.")
    ]
    reason: Annotated[str | None, doc("Reason why it could not be evaluated.")]


class JudgedRunView(Nested):
    """The run of the judge of a test."""

    execution_id: Uuid
    result: Annotated[Any, doc("Its result, which is `judge` in expectations; cut where long.")]


class WorkflowTestResultView(Nested, kw_only=True):
    """A test in a test run."""

    name: str
    status: Annotated[ItemStatus, doc("That of its run; its judge and its verdict may follow.")]
    verdict: Annotated[str | None, doc(f"{VERDICTS} Null: there is none yet.")]
    execution_id: Annotated[Uuid | None, doc("Null: it has not begun, or could not begin.")]
    expectations: Annotated[
        Sequence[ExpectationView], doc("In order; empty before the verdict, and after a failure.")
    ]
    error: Annotated[
        OBJECT | None, doc("With the verdict `error`: its reason, with `code` and `message`.")
    ]
    judge: JudgedRunView | None
    credits_cost: Annotated[int, doc("Of the test and of its judge.")]
    duration_ms: Annotated[int | None, doc("Of the run, which expectations see as `ms`.")]


class WorkflowTestCountsView(Nested):
    """Number of tests of each verdict."""

    passed: int
    failed: int
    error: int
    pending: Annotated[int, doc("Tests without a verdict yet.")]


class WorkflowTestRunView(View, kw_only=True):
    """A test run with its tests."""

    test_run_id: Uuid
    workflow_slug: str
    workflow_version: Annotated[int | None, doc("Null: the draft.")]
    draft_revision: Annotated[int | None, doc("Revision of the draft that ran.")]
    status: ShownStatus
    counts: WorkflowTestCountsView
    credits_cost: Credits
    created_at: Moment
    completed_at: Moment | None
    rows: Annotated[list[WorkflowTestResultView], doc("The tests by name.")]


class WorkflowTestRunCancelRequested(View):
    """A test run whose queued tests will not begin, and whose running ones are being cancelled."""

    test_run_id: Uuid
    status: ShownStatus


WorkflowTestRunRequest.examples = (
    WorkflowTestRunRequest(version="draft"),
    WorkflowTestRunRequest(version=3, names=["greets-by-name"]),
)
StartedTestRunView.examples = (StartedTestRunView.of(BATCH_ID, 3),)
WorkflowTestRunView.examples = (
    WorkflowTestRunView(
        test_run_id=BATCH_ID,
        workflow_slug="greeting",
        workflow_version=None,
        draft_revision=7,
        status="completed",
        counts=WorkflowTestCountsView(passed=0, failed=1, error=0, pending=0),
        credits_cost=12,
        created_at=CREATED,
        completed_at=ENDED,
        rows=[
            WorkflowTestResultView(
                name="greets-by-name",
                status=ItemStatus.COMPLETED,
                verdict="failed",
                execution_id=EXECUTION_ID,
                expectations=[
                    ExpectationView(
                        'result.text.contains("Ada")', False, {"result.text": "Hello"}, None
                    )
                ],
                error=None,
                judge=None,
                credits_cost=12,
                duration_ms=31,
            )
        ],
    ),
)
WorkflowTestRunCancelRequested.examples = (WorkflowTestRunCancelRequested(BATCH_ID, "processing"),)
