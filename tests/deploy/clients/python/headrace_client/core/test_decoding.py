from datetime import UTC, datetime

import pytest

from headrace_client import Asset, UnexpectedAnswerError
from headrace_client.core.decoding import camel, decode
from headrace_client.models import Execution
from tests.deploy.clients.python.headrace_client.core.test_runs import execution


def test_members_become_fields_of_their_types() -> None:
    node = {
        "id": "a",
        "type": "textBox",
        "status": "completed",
        "attempts": 1,
        "startedAt": "2026-11-30T10:00:00.500Z",
        "durationMs": 1,
        "creditsCost": 0,
        "error": None,
    }
    found = decode(Execution, execution("completed", nodes=[node], somethingNew=1))

    assert found.created_at == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert found.nodes[0].started_at == datetime(2026, 11, 30, 10, 0, 0, 500_000, UTC)
    assert found.tags == ()
    assert found.raw["somethingNew"] == 1


def test_a_member_that_is_missing_or_wrong_is_named() -> None:
    with pytest.raises(UnexpectedAnswerError, match="'url'"):
        decode(Asset, {"id": "x"})
    with pytest.raises(UnexpectedAnswerError, match="'createdAt'"):
        decode(Execution, execution("completed", createdAt=7))


def test_names_of_fields_are_those_of_the_api() -> None:
    assert camel("execution_id") == "executionId"
