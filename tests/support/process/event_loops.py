"""The event loop of tests that run on uvloop."""

import warnings

import uvloop


class Loop(uvloop.Loop):
    """uvloop's loop, closed even when a test has left something open.

    uvloop warns of each open handle before it closes it. Warnings are errors in the tests: the
    handle would stay open and the loop wait for its end, which never comes. The warnings are given
    when the loop is closed instead.
    """

    def close(self) -> None:
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("always", ResourceWarning)
            super().close()
        for warning in left:
            warnings.warn(warning.message, stacklevel=2)
