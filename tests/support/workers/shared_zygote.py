"""A pool of child processes for workers that run in the tests' process."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any, ClassVar

from engine.process import pool
from engine.process.pool_zygote import PoolZygote


class SharedZygote(PoolZygote):
    """One pool's hold on a zygote that forks for other pools too."""

    def __init__(self, zygote: PoolZygote) -> None:
        self._zygote = zygote
        self._watching: asyncio.AbstractEventLoop | None = None
        self._control = zygote._control.dup()

    @property
    def has_forked(self) -> bool:
        return self._zygote.has_forked

    @has_forked.setter
    def has_forked(self, value: bool) -> None:
        self._zygote.has_forked = value

    def close(self) -> None:
        """Leave the zygote to the others."""
        if self._watching is not None:
            self._watching.remove_reader(self._control)
            self._watching = None
        self._control.close()


class PoolOfSharedZygote(pool.Pool):
    """A pool whose children are forked from one zygote per process of the tests.

    To start a zygote costs as much CPU time as twenty tests. The children are the pool's own.
    """

    _zygotes: ClassVar[dict[Any, PoolZygote]] = {}

    async def _spawn(self) -> None:
        if self._zygote is None:
            self._zygote = SharedZygote(_alive(self._memory_bytes, self._preload))
            self._zygote.watch(self._zygote_ended)
        await super()._spawn()

    @classmethod
    def close_zygote(cls) -> None:
        """End the zygotes, and with them all children that are left."""
        while cls._zygotes:
            cls._zygotes.popitem()[1].close()


def _alive(memory_bytes: int, preload: Sequence[str]) -> PoolZygote:
    """Return the zygote of such pools, a new one if the last has ended."""
    zygotes, kind = PoolOfSharedZygote._zygotes, (memory_bytes, *preload)
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    if kind in zygotes and os.waitid(os.P_PID, zygotes[kind]._pid, ended) is not None:
        zygotes.pop(kind).close()
    if kind not in zygotes:
        zygotes[kind] = PoolZygote(memory_bytes, preload)
    return zygotes[kind]
