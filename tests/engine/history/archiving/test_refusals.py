"""One record that cannot be read is refused by itself."""

from collections.abc import Sequence

import pytest

from engine.errors import Unavailable
from engine.history.archiving.refusals import Refusals
from engine.history.errors import HistoryUnavailable


async def double(names: Sequence[str]) -> list[str]:
    if "bad" in names:
        raise KeyError("a secret value")
    return [name * 2 for name in names]


async def test_one_that_stops_the_others_is_refused_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = Refusals("delivery")

    found = await refused.isolate(["a", "bad", "b"], double)

    assert found == [["aa"], ["bb"]]
    assert refused.reasons() == {"delivery bad": "its record cannot be read (KeyError)"}
    assert refused.accepted(["a", "bad"]) == ["a"]
    assert ("bad" in refused, len(refused)) == (True, 1)
    assert "secret" not in caplog.text


async def test_all_at_once_while_each_can_be_read() -> None:
    assert await Refusals().isolate(["a", "b"], double) == [["aa", "bb"]]


@pytest.mark.parametrize("error", [Unavailable("away"), HistoryUnavailable("away")])
async def test_a_database_that_is_away_refuses_nothing(error: Exception) -> None:
    refused = Refusals()

    async def fail(names: Sequence[str]) -> None:
        raise error

    with pytest.raises(type(error)):
        await refused.isolate(["a"], fail)
    assert len(refused) == 0


async def test_a_database_that_goes_away_meanwhile_refuses_no_other_record() -> None:
    refused = Refusals()

    async def read(names: Sequence[str]) -> None:
        if "bad" in names:
            raise KeyError
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        await refused.isolate(["bad", "a"], read)
    assert list(refused.reasons()) == ["bad"]


async def test_a_value_that_the_database_refuses_is_a_matter_of_its_record() -> None:
    refused = Refusals()

    async def write(names: Sequence[str]) -> None:
        if "bad" in names:
            raise HistoryUnavailable("value too large", is_about_data=True)

    await refused.isolate(["a", "bad"], write)

    assert list(refused.reasons()) == ["bad"]


async def test_names_that_are_refused_make_room_for_those_behind_them() -> None:
    refusals = Refusals()
    refusals.refuse("a", "broken")
    names, done = ["a", "b", "c", "d"], list[str]()

    async def listed(count: int) -> list[str]:
        return names[:count]

    async def work(some: Sequence[str]) -> None:
        done.extend(some)

    assert await refusals.isolate_listed(listed, 2, work) == 2
    assert done == ["b", "c"]
    names.clear()
    assert await refusals.isolate_listed(listed, 2, work) == 0
