"""The measurement of records runs, and executions stay as small as the page says."""

from tests.benchmarks.record_bytes import measure_all


async def test_an_execution_takes_few_bytes() -> None:
    found = await measure_all()

    retried = found["ten nodes, one retry"]
    assert found["W1"].total < 600
    assert found["W1, watched"].record < 1_500
    assert retried.record < 3_000
    assert retried.events == 0
    watched = found["ten nodes, one retry, watched"].events, found["W1, watched"].events
    assert max(watched) - min(watched) < 500
    bare = found["ten nodes, one retry, recordValues none"]
    assert bare.record < retried.record + 100, "ids of random length make them differ a little"
