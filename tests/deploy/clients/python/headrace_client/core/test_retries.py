from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from headrace_client.core.retries import Attempts, make_error, read_retry_after
from headrace_client.errors import AuthenticationError, ServerError
from tests.support.http.clients.fake_driver import answer


def test_retry_after_is_a_number_or_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)

    assert read_retry_after({"retry-after": "7"}) == 7
    assert 90 < (read_retry_after({"retry-after": later}) or 0) <= 100
    assert read_retry_after({"retry-after": "soon"}) is None
    assert read_retry_after({}) is None


def test_an_error_has_what_the_answer_has() -> None:
    error = make_error(answer(401, {"error": "Unauthorized"}, x_request_id="r1"))

    assert isinstance(error, AuthenticationError)
    assert (str(error), error.code, error.status, error.request_id) == (
        "Unauthorized",
        None,
        401,
        "r1",
    )


def test_an_answer_of_a_proxy_is_an_error_as_well() -> None:
    error = make_error(answer(502))

    assert isinstance(error, ServerError)
    assert "502" in str(error)


@pytest.mark.parametrize("random", [0.0, 0.5, 0.999])
def test_pauses_grow_and_have_jitter(random: float) -> None:
    attempts = Attempts(max_retries=20, jitter=0.5)
    pauses = []
    for _ in range(12):
        assert attempts.count(ConnectionError())
        pauses.append(attempts.pause(None, random))

    assert pauses == sorted(pauses)
    assert (round(pauses[0], 2), round(pauses[-1], 2)) == (
        round(0.5 * (1 - random / 2), 2),
        round(30 * (1 - random / 2), 2),
    )
    assert attempts.pause(4, random) >= 4
