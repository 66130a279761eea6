"""Depth of runs that start runs."""

import pytest

from engine.executions.run_depth import child_depth


@pytest.mark.parametrize(
    ("header", "depth"),
    [(None, 1), ("1", 2), ("8", 9), ("999", 1000), ("", 1), ("x", 1), ("-1", 1), ("1.5", 1)],
)
def test_a_run_is_one_deeper_than_the_run_that_calls(header: str | None, depth: int) -> None:
    assert child_depth(header) == depth


def test_an_absurdly_long_number_counts_as_none() -> None:
    assert child_depth("9" * 5_000) == 1
    assert child_depth("٣") == 1
