from typing import Any

import pytest

from tests.support.http.clients.expectations import MISSING, find, problems
from tests.support.http.clients.fault_proxy import Seen

SAVED = {"run": {"value": {"rows": [{"id": 1}, {"id": 2}, {"no": 0}], "text": "Dear Ada"}}}


def seen(at: float, status: int = 200, **headers: str) -> Seen:
    return Seen(at=at, method="GET", path="/a", query={}, headers=headers, status=status)


def test_paths_lead_through_lists() -> None:
    assert find("run.value.rows.1.id", SAVED) == 2
    assert find("run.value.rows.-2.id", SAVED) == 2
    assert find("run.value.rows.*.id", SAVED) == [1, 2]
    assert find("run.error.code", SAVED) is MISSING


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"run.value.text": "Dear Ada"}, True),
        ({"run.value.text": "Dear Eve"}, False),
        ({"run.value.nothing": None}, False),
        ({"run.value.text": {"$starts": "Dear"}}, True),
        ({"run.value.text": {"$starts": "dear"}}, False),
        ({"run.error": {"$exists": False}}, True),
        ({"run.value": {"$exists": False}}, False),
        ({"run.value.rows": {"$length": 3}}, True),
        ({"run.value.rows": {"$most": 2}}, False),
        ({"run.value.rows": {"$least": 4}}, False),
        ({"run.value.rows.*.id": {"$contains": 2}}, True),
        ({"run.value.rows.*.id": {"$contains": "$run.value.rows.0.id"}}, True),
        ({"run.value.rows.*.id": {"$contains": 3}}, False),
        ({"run.value.rows.0.id": {"$same": "run.value.rows.1.id"}}, False),
        ({"run.value.rows.*.id": {"$distinct": 2}}, True),
        ({"run.value.rows.*.id": {"$distinct": 3}}, False),
    ],
)
def test_an_expectation_holds_or_is_named(wanted: dict[str, Any], holds: bool) -> None:
    assert bool(problems({"expect": wanted}, SAVED, [])) is not holds


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"count": 2}, True),
        ({"count": 1}, False),
        ({"least": 3}, False),
        ({"same": "key"}, True),
        ({"same": "other"}, False),
        ({"header": "last"}, True),
        ({"header": "first"}, False),
        ({"never": [429]}, False),
        ({"never": [503]}, True),
        ({"apart": 2}, True),
        ({"apart": 2.1}, False),
    ],
)
def test_requests_are_as_expected_or_named(wanted: dict[str, Any], holds: bool) -> None:
    requests = [
        seen(1.0, 429, key="k", other="a", first="x"),
        seen(3.0, key="k", other="b", last="x"),
    ]
    scenario = {"requests": [{"method": "GET", "path": "/a", **wanted}]}

    assert bool(problems(scenario, {}, requests)) is not holds
