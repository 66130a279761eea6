"""Scenes that several tests and the pictures share: one run of everything, and a planted fault."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.support.observability.spans import Span
from tests.support.observability.stack import ObservedStack

FAULT = "fail=503"
MODEL = "shaky"
OTHERS = ("greet", "model", "retry", "fail", "child")
"""Kinds of runs beside those of the model, some of which fail for other reasons."""
HEALTHY_SECONDS = 20.0
FAILING_SECONDS = 30.0


def make_story(stack: ObservedStack) -> str:
    """Make a run with a child, a second attempt and a webhook; return the id of its trace."""
    made = stack.make("story")
    assert made["status"] == "completed", made
    return str(made["traceId"])


def is_whole_story(spans: Sequence[Span]) -> bool:
    """Return whether the trace of the story has its last spans: children, calls and delivery."""
    names = Counter(each.name.split(" ")[0] for each in spans)
    has_ends = names["archive"] == 2 and names["attempt"] == 4
    return (
        has_ends and names["invoke_workflow"] == 2 and names["chat"] == 1 and names["deliver"] == 1
    )


def has_failed_call(spans: Sequence[Span]) -> bool:
    """Return whether the trace has a call to a provider that failed, and the end of its run."""
    return any(each.name.startswith("chat ") and each.is_error for each in spans) and any(
        each.name.startswith("invoke_workflow") for each in spans
    )


@contextlib.contextmanager
def failing_provider(stack: ObservedStack, callers: int = 3) -> Iterator[float]:
    """Let a provider work for a while and fail from then on; yield the time of its first failure.

    Runs of other kinds go on beside it.
    """
    assert stack.prometheus is not None
    with stack.calls(callers, (MODEL, MODEL, *OTHERS)):
        stack.await_answers(MODEL, *OTHERS, count=2)
        time.sleep(HEALTHY_SECONDS)
        stack.providers[MODEL].fault = FAULT
        planted = time.time()
        time.sleep(FAILING_SECONDS)
        yield planted
    stack.providers[MODEL].fault = ""
