"""Memory for large results: reserved by requests and released."""

import pytest

from gateway.admission import memory
from gateway.admission.memory import ResultMemory
from gateway.admission.request_context import RequestContext

pytestmark = pytest.mark.A91b

MOST = 1_000
SHARE = MOST // 4


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_BYTES", MOST)
    monkeypatch.setattr(memory, "WAIT_SECONDS", 0.05)


async def test_a_request_that_asks_again_has_the_new_size_in_place_of_the_old() -> None:
    results = ResultMemory()
    context = RequestContext()
    for size in (SHARE, 100, 200):
        await results.for_answer(context)(size)

    await results.for_answer(RequestContext())(50)
    with pytest.raises(TimeoutError):
        await results.for_answer(RequestContext())(1)

    results.release(context)
    await results.for_answer(RequestContext())(200)


async def test_slow_readers_of_an_account_leave_three_quarters_to_others() -> None:
    results = ResultMemory()
    for _ in range(2):
        await results.for_answer(RequestContext(account_id="slow"))(SHARE // 2)
    with pytest.raises(TimeoutError):
        await results.for_answer(RequestContext(account_id="slow"))(1)

    for name in ("b", "c", "d"):
        await results.for_answer(RequestContext(account_id=name))(SHARE)


async def test_a_result_that_has_grown_counts_in_full_until_it_was_sent() -> None:
    results = ResultMemory()
    context = RequestContext(account_id="a")
    await results.for_answer(context)(10)
    results.settle(context, MOST)
    for name in ("a", "b"):
        with pytest.raises(TimeoutError):
            await results.for_answer(RequestContext(account_id=name))(1)

    results.release(context)

    for name in ("a", "b"):
        await results.for_answer(RequestContext(account_id=name))(SHARE)
