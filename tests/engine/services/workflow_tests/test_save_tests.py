"""Media and judges that tests name."""

from engine.services.workflow_tests.save_tests import named_assets, with_replaced
from engine.store.workflows.workflow_test_records import Judge, WorkflowTest

PICTURE, SOUND = "Zr0sQm9yXk1dWc7uT2eHbL5a", "Ab0sQm9yXk1dWc7uT2eHbL5b"
TEST = WorkflowTest(
    inputs={"picture": PICTURE, "words": ["plain", {"sound": SOUND}]},
    expect=("true",),
    pinned={"model": {"image-out": [PICTURE]}},
    judge=Judge(workflow="rate", inputs={"text": "result.text"}),
)


def test_assets_are_found_among_inputs_and_pinned_outputs() -> None:
    assert named_assets({"a": TEST, "b": WorkflowTest(inputs={"text": "Hello"})}) == {
        PICTURE,
        SOUND,
    }


def test_a_copy_has_other_assets_and_another_judge() -> None:
    copied = with_replaced(TEST, {PICTURE: "new"}, {"rate": "rate-2", "other": "other-2"})

    assert copied.inputs == {"picture": "new", "words": ["plain", {"sound": SOUND}]}
    assert copied.pinned == {"model": {"image-out": ["new"]}}
    assert copied.judge == Judge(workflow="rate-2", inputs={"text": "result.text"})
    assert copied.expect == TEST.expect
