"""Catches are read from what pytest writes, and faults are planted into copies alone."""

import pytest

from tests.planted import trials
from tests.planted.catches import Catch, failures

WRITTEN = """\
..F                                                                  [100%]
=========================== short test summary info ===========================
FAILED tests/a/test_b.py::test_c[{"x": 1}] - assert 1 == 2
ERROR tests/a/test_b.py::test_d - OSError: away - now
1 failed, 2 passed, 1 error in 0.10s
"""


def test_failures_are_read_with_their_reasons() -> None:
    assert list(failures(WRITTEN)) == [
        Catch(test='tests/a/test_b.py::test_c[{"x": 1}]', why="assert 1 == 2"),
        Catch(test="tests/a/test_b.py::test_d", why="OSError: away - now"),
    ]


def test_tests_that_pass_have_caught_nothing() -> None:
    assert list(failures("...  [100%]\n3 passed in 0.10s\n")) == []


def test_the_code_itself_gets_no_fault() -> None:
    with pytest.raises(RuntimeError, match="is no copy of the code"):
        trials.main("build", "commit")
