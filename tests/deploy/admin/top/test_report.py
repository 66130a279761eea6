"""A reading as JSON."""

import json

from deploy.admin.top.report import as_dict
from tests.support.top.readings import reading, reading_without_counts, sample


def test_a_reading_has_rates_tables_and_state() -> None:
    found = json.loads(json.dumps(as_dict(reading(sample(failed=5, causes={"provider": 5})))))

    assert found["rates"]["completedPerSecond"] == 12.5
    assert found["rates"]["causes"] == {"provider": 5}
    assert found["rates"]["waitSeconds"] == {"p50": None, "p95": None, "p99": None}
    assert [row["type"] for row in found["nodeTypes"]] == ["assistant"]
    assert [row["provider"] for row in found["providers"]] == ["openai"]
    assert found["workers"][0]["alive"] is True
    assert found["history"]["problem"] is None


def test_what_is_not_known_is_null() -> None:
    found = as_dict(reading_without_counts())

    assert (found["rates"], found["executions"], found["tableSeconds"]) == (None, None, None)
    assert (found["nodeTypes"], found["providers"]) == ([], [])
    assert found["queues"][0] == {"name": "walk", "waiting": 0, "oldestAt": None}
