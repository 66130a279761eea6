"""Types of tests of workflows, in requests and answers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from engine.services.workflow_tests.parse_tests import MOST_EXPECTATIONS
from engine.store.workflows.workflow_test_records import LastResult, SavedTest
from engine.values.plain import moment
from gateway.http.types import OBJECT, Moment, Nested, RequestBody, Uuid, View, described_as, doc
from gateway.openapi.examples import CREATED, EXECUTION_ID

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
    "expect": ['result.contains("Ada")', "cost <= 20.0", "judge >= 4.0"],
    "judge": {"workflow": "rate-a-greeting", "inputs": {"text": "result"}},
}
WorkflowTestRequest.examples = (
    WorkflowTestRequest(**TEST),
    WorkflowTestRequest(
        inputs={"name": "Ada"},
        expect=['result == "Hello Ada"'],
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
