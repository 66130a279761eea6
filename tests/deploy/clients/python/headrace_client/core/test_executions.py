from datetime import UTC, datetime

import pytest

from headrace_client import ConflictError
from headrace_client.core.executions import cancel_execution, list_executions
from tests.deploy.clients.python.headrace_client.core.test_runs import execution
from tests.support.http.clients.fake_driver import FakeDriver, answer, broken


def test_filters_and_pages_are_queries() -> None:
    pages = [
        answer(200, {"rows": [execution("completed")], "nextCursor": "c 1"}),
        answer(200, {"rows": [], "nextCursor": "c2"}),
        answer(200, {"rows": [execution("failed", tags=["a"])], "nextCursor": None}),
    ]
    driver = FakeDriver(pages)
    at = datetime(2026, 11, 30, tzinfo=UTC)

    driver.drive(
        list_executions(
            driver.session(), {"status": ["failed", "completed"], "tag": "a", "created_from": at}
        )
    )

    assert [each.status for each in driver.emitted] == ["completed", "failed"]
    assert driver.emitted[1].tags == ("a",)
    assert driver.requests[1].query == (
        ("status", "failed"),
        ("status", "completed"),
        ("tag", "a"),
        ("from", "2026-11-30T00:00:00+00:00"),
        ("cursor", "c 1"),
    )


@pytest.mark.parametrize(("status", "is_error"), [("cancelled", False), ("completed", True)])
def test_a_repeated_cancel_meets_what_it_has_done(status: str, is_error: bool) -> None:
    ended = {"error": "It has ended", "code": "EXECUTION_NOT_CANCELLABLE", "status": status}
    driver = FakeDriver([broken(), answer(409, ended)])

    if is_error:
        with pytest.raises(ConflictError):
            driver.drive(cancel_execution(driver.session(), "e1"))
    else:
        driver.drive(cancel_execution(driver.session(), "e1"))
