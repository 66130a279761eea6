"""The duty that puts samples of the last hour."""

from engine.store import Store
from workers.recovery.duties.last_hour import LastHourSamples


async def test_a_sample_is_put_and_the_next_is_due_with_the_next_ten_seconds(store: Store) -> None:
    duty = LastHourSamples(store)

    goes_on = await duty.run()

    assert goes_on is False
    assert 0 < duty.interval_seconds <= 10
    assert (await store.last_hour.totals()).at > 0
