"""Inputs of executions: the needed fields, and large inputs as objects."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from engine.errors import EngineError, StorageFailed, Unavailable
from engine.graph.plan import Plan
from engine.store.executions.offload import (
    OffloadedValues,
    is_large,
    make_inputs_name,
    make_seed_name,
)
from engine.store.executions.record_fields import pack_name
from engine.store.executions.start import Start
from engine.store.redis.record_packing import pack

STORE_SECONDS = 8.0
"""Longest time to store large inputs while a caller waits."""
REMOVE_SECONDS = 2.0
"""Longest time to remove stored inputs before a refusal is returned."""
ALL_OBJECTS = ""
"""In place of the name of an object: all of an execution."""
NOT_STORED = "The inputs are large, and where such are kept they could not be stored"

log = logging.getLogger(__name__)


def pack_inputs(plan: Plan, inputs: Mapping[str, Any]) -> bytes:
    """Return the packed inputs without the values of unused fields."""
    unused = plan.unused_fields
    return pack({name: value for name, value in inputs.items() if name not in unused})


class Turn(Protocol):
    """Turn of the account whose execution is accepted, which other requests wait for."""

    def give_back(self) -> None:
        """Let the next request begin."""
        ...

    def yielded(self) -> AbstractAsyncContextManager[None]:
        """Give the turn back while objects are read or written, then wait for another one."""
        ...


class NoTurn:
    """Turn where requests do not wait for each other."""

    def give_back(self) -> None:
        """Do nothing."""

    def yielded(self) -> AbstractAsyncContextManager[None]:
        """Do nothing."""
        return contextlib.nullcontext()


NO_TURN = NoTurn()


class LargeInputs:
    """Offloads large values that executions begin with, during their acceptance.

    An object left by a crashed process, or by an execution whose acceptance is uncertain, is
    removed by a later sweep if it belongs to no execution.
    """

    def __init__(self, offloaded: OffloadedValues) -> None:
        self._offloaded = offloaded

    async def store(
        self,
        account_id: str,
        execution_id: str,
        packed: bytes,
        start: Start | None = None,
        turn: Turn = NO_TURN,
        *,
        is_shared: bool = False,
    ) -> bytes:
        """Store packed inputs, if they are large, and the objects of the start, outside the turn.

        `is_shared`: another attempt may begin an execution of the same id, so that after a fault
        the objects of the start are left to the sweeper.

        Returns the bytes of the inputs on record. Raises StorageFailed, and what storing the
        objects of the start raises.
        """
        name = make_inputs_name(int(time.time() * 1000), len(packed))
        async with turn.yielded():
            await self._put((account_id, execution_id), name, packed, start, is_shared=is_shared)
        return pack_name(name) if is_large(len(packed)) else packed

    async def store_event(
        self, account_id: str, execution_id: str, event: bytes, turn: Turn = NO_TURN
    ) -> bytes:
        """Store a large event that starts an execution, and return the bytes of it on record.

        Raises StorageFailed.
        """
        name = make_seed_name(int(time.time() * 1000), 0, len(event))
        async with turn.yielded():
            try:
                await self._offloaded.put(
                    account_id, execution_id, name, event, seconds=STORE_SECONDS
                )
            except StorageFailed:
                raise StorageFailed(NOT_STORED) from None
        return pack_name(name)

    async def _put(
        self,
        ids: tuple[str, str],
        name: str,
        packed: bytes,
        start: Start | None,
        *,
        is_shared: bool,
    ) -> None:
        is_kept, is_own = False, start is not None and not is_shared
        try:
            if is_large(len(packed)):
                await self._offloaded.put(*ids, name, packed, seconds=STORE_SECONDS)
            if start is not None and start.store_objects is not None:
                await start.store_objects()
            is_kept = True
        except StorageFailed:
            raise StorageFailed(NOT_STORED) from None
        finally:
            if not is_kept:  # an object may exist
                await self._remove(*ids, ALL_OBJECTS if is_own else name)

    async def remove_refused(
        self,
        account_id: str,
        execution_id: str,
        turn: Turn,
        name: str | None,
        refusal: EngineError | None = None,
    ) -> None:
        """Remove an object, or all, of an execution that was certainly refused; None: nothing.

        Another attempt may have begun an execution of the same id, with inputs of its own.
        """
        turn.give_back()
        if name is None:
            return
        if isinstance(refusal, Unavailable) and not refusal.word:
            return  # the reply was lost, and the execution may have been accepted
        await self._remove(account_id, execution_id, name)

    async def remove_dropped(self, account_id: str, execution_id: str) -> None:
        """Remove large values that a cancel has dropped from the record, within a short time."""
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                await self._offloaded.remove_dropped(account_id, execution_id)
        except (StorageFailed, TimeoutError):
            log.warning("large values of a cancelled run are left to the sweeper")

    async def _remove(self, account_id: str, execution_id: str, name: str) -> None:
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                if name:
                    await self._offloaded.remove_one(account_id, execution_id, name)
                else:
                    await self._offloaded.remove(account_id, execution_id)
        except (StorageFailed, TimeoutError):
            log.warning("large inputs of a refused run are left to the sweeper")
