"""A time-out decides as the node's setting says."""

from engine.executions.node_waits import Decision, OnTimeout


def test_a_time_out_decides_or_fails() -> None:
    assert {each: each.decision for each in OnTimeout} == {
        OnTimeout.FAIL: None,
        OnTimeout.REFUSE: Decision.REFUSE,
        OnTimeout.APPROVE: Decision.APPROVE,
    }
