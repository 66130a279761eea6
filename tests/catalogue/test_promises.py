"""Each promise of docs/guarantees.md names rows that there are, and each row proves a promise."""

import pytest

from tests.catalogue.promises import promises
from tests.catalogue.rows import rows


@pytest.mark.parametrize("title", promises())
def test_a_promise_names_rows_that_there_are(title: str) -> None:
    named = promises()[title]

    assert named
    assert [each for each in named if each not in rows()] == []
    assert len(named) == len(set(named))


def test_each_row_proves_a_promise() -> None:
    named = {each for ids in promises().values() for each in ids}

    assert [each for each in rows() if each not in named] == []
