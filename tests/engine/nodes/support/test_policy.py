from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.support.policy import Policy, parse_policy


def test_without_words_a_node_is_tried_once_and_its_failure_counts() -> None:
    assert parse_policy({}) == Policy(
        attempts=1, backoff=1.0, timeout_seconds=None, on_error="fail"
    )


@pytest.mark.parametrize(
    ("data", "policy"),
    [
        ({"retry": {"attempts": 10, "backoff": 60}}, Policy(attempts=10, backoff=60.0)),
        ({"retry": {"attempts": 2, "backoff": 0}}, Policy(attempts=2, backoff=0.0)),
        ({"retry": None, "timeoutSeconds": None, "onError": None}, Policy()),
        ({"timeoutSeconds": 600}, Policy(timeout_seconds=600.0)),
        ({"timeoutSeconds": 0.5}, Policy(timeout_seconds=0.5)),
        ({"onError": "continue"}, Policy(on_error="continue")),
        ({"onError": "fallback"}, Policy(on_error="fallback")),
        (
            {"onError": "fallback", "fallback": {"text-out": "x"}},
            Policy(on_error="fallback", fallback={"text-out": "x"}),
        ),
        ({"fallback": "the value of a field"}, Policy()),
    ],
)
def test_what_is_in_range_is_taken(data: dict[str, Any], policy: Policy) -> None:
    assert parse_policy(data) == policy


@pytest.mark.parametrize(
    "data",
    [
        {"retry": 3},
        {"retry": []},
        {"retry": {"attempts": 0}},
        {"retry": {"attempts": 11}},
        {"retry": {"attempts": True}},
        {"retry": {"attempts": 1.5}},
        {"retry": {"attempts": "2"}},
        {"retry": {"attempts": None}},
        {"retry": {"backoff": -1}},
        {"retry": {"backoff": 60.1}},
        {"retry": {"backoff": float("nan")}},
        {"timeoutSeconds": 0},
        {"timeoutSeconds": -1},
        {"timeoutSeconds": 601},
        {"timeoutSeconds": "30"},
        {"timeoutSeconds": True},
        {"timeoutSeconds": float("inf")},
        {"fallback": [], "onError": "fallback"},
        {"onError": 1},
    ],
)
def test_what_is_out_of_range_is_refused_by_name(data: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_policy(data)

    assert next(iter(data)) in raised.value.reasons[0]


def test_all_reasons_come_at_once() -> None:
    data = {"retry": {"attempts": 0, "backoff": 99}, "timeoutSeconds": 0, "onError": "x"}

    with pytest.raises(SettingsError) as raised:
        parse_policy(data)

    assert len(raised.value.reasons) == 4
