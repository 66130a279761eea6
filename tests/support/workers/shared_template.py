"""A pool of child processes for workers that run in the tests' process."""

from typing import Any

from engine.process import pool


class PoolOfSharedTemplate(pool.Pool):
    """A pool whose children are forked from one template per process of the tests.

    To start a template costs as much CPU time as twenty tests. The children are the pool's own.
    """

    _shared: "pool._Template | None" = None

    def _request_fork(self, child_end: Any) -> None:
        shared = PoolOfSharedTemplate._shared
        if shared is None or not shared.is_alive():
            shared = pool._Template(self._memory_bytes, self._preload)
            PoolOfSharedTemplate._shared = shared
        shared.fork(child_end)

    @classmethod
    def close_template(cls) -> None:
        """End the template, and with it all children that are left."""
        if cls._shared is not None:
            cls._shared.close()
            cls._shared = None
