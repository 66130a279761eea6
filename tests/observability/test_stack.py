"""The watched stack makes runs of every kind, and both watchers see them."""

from pathlib import Path

import pytest

from tests.support.observability.stack import observed_stack

pytestmark = pytest.mark.slow


def test_runs_of_every_kind_are_seen_by_prometheus(tmp_path: Path) -> None:
    with observed_stack(tmp_path) as stack:
        assert stack.prometheus is not None and stack.traffic is not None
        stack.prometheus.await_targets()
        for kind in stack.traffic.kinds:
            print(kind, stack.make(kind).get("status"))
        stack.providers["shaky"].fault = "fail=500"
        assert stack.make("shaky")["status"] == "failed"
        with stack.calls(4):
            stack.await_answers(count=2)
        ended = 'sum(max without (instance) (headrace_executions_ended_total{status="completed"}))'
        stack.prometheus.await_value(ended, lambda value: value > 50)
        print(stack.traffic.answers)
        assert not [name for name in stack.traffic.answers if name.endswith(("Error", "Answer"))]
        assert stack.receiver.taken
