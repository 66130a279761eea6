"""Refusal of calls for a while after a failure, so that callers do not wait for it."""

import time


class Breaker:
    """Is open for `pause` seconds after a failure, then for all but one call until that one ends.

    That one is given `patience` seconds, after which another may try.
    """

    def __init__(self, pause: float, patience: float) -> None:
        self._pause = pause
        self._patience = patience
        self._retry_at: float | None = None

    def is_open(self) -> bool:
        """Return whether a call is to be refused."""
        return self._retry_at is not None and time.monotonic() < self._retry_at

    def begin(self) -> None:
        """Note that a call begins: after a failure it is the one that tries."""
        if self._retry_at is not None:
            self._retry_at = time.monotonic() + self._patience

    def fail(self) -> None:
        """Note a failure."""
        self._retry_at = time.monotonic() + self._pause

    def abandon(self) -> None:
        """Note that a call ended without telling anything: after a failure another one may try."""
        if self._retry_at is not None:
            self.fail()

    def succeed(self) -> None:
        """Note a success: calls are taken again."""
        self._retry_at = None
