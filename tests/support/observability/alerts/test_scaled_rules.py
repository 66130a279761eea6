"""Divided rules are the same rules, only faster."""

from pathlib import Path

from tests.support.observability.alerts.scaled_rules import divide

RULES = (Path(__file__).parents[4] / "deploy" / "alerts" / "rules.yaml").read_text()


def test_windows_holds_limits_and_buckets_are_divided() -> None:
    rule = """
        expr: rate(headrace_x_total[2m]) or max(headrace_due_lag_seconds) > 30
          or headrace_wait_lateness_seconds_bucket{le="10.0"} > 0.05
        for: 1m
"""

    assert (
        divide(rule, 10)
        == """
        expr: rate(headrace_x_total[12000ms]) or max(headrace_due_lag_seconds) > 3
          or headrace_wait_lateness_seconds_bucket{le="5.0"} > 0.05
        for: 6000ms
"""
    )


def test_no_rule_keeps_a_duration() -> None:
    divided = divide(RULES, 10)

    assert "m]" not in divided.replace("ms]", "")
    assert 'le="10.0"' not in divided
    for limit in ("> 60 ", "> 300 ", "> 30,"):
        assert limit in RULES
        assert limit not in divided
