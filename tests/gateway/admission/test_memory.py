"""Memory for large results: reserved by requests and released."""

import pytest
from starlette.types import Scope

from gateway.admission import memory
from gateway.admission.memory import ResultMemory

MOST = 1_000


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_BYTES", MOST)
    monkeypatch.setattr(memory, "WAIT_SECONDS", 0.05)


async def test_a_request_that_asks_again_has_the_new_size_in_place_of_the_old() -> None:
    results = ResultMemory()
    scope: Scope = {}
    for size in (MOST, 600, 800):
        await results.for_answer(scope)(size)

    await results.for_answer({})(200)
    with pytest.raises(TimeoutError):
        await results.for_answer({})(1)

    results.free(scope)
    await results.for_answer({})(800)
