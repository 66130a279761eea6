"""Expressions that crash the process that evaluates them: only the node fails."""

from collections.abc import AsyncIterator

import pytest

from engine.errors.nodes import NodeFailed
from engine.process.pool import Pool, PoolCrashed
from engine.values import cel
from tests.support.eventually import PATIENCE_SECONDS


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(slots=1)
    await pool.start()
    yield pool
    await pool.close()


@pytest.mark.F34
async def test_an_optional_value_that_a_function_of_lists_is_given_fails_the_call_alone(
    pool: Pool,
) -> None:
    """The CEL library converts it wrongly: on Python 3.13 that ends the process."""
    expression = "[value.?a].map(x, [x]).flatten()"

    with pytest.raises((NodeFailed, PoolCrashed)):
        await pool.run(cel.evaluate, expression, {"value": {}}, deadline_seconds=PATIENCE_SECONDS)

    assert await pool.run(
        cel.evaluate, "[[1]].flatten()", {"value": {}}, deadline_seconds=PATIENCE_SECONDS
    ) == [1]
