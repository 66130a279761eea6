"""Inputs of executions: which are kept, and large ones as objects, stored before they count."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from engine.errors import EngineError, StorageFailed, Unavailable
from engine.graph.plan import Plan
from engine.store.executions.offload import OffloadedValues, make_inputs_name
from engine.store.executions.records import pack_name
from engine.store.redis.records import pack

STORE_SECONDS = 8.0
"""How long a caller waits for large inputs to be stored."""
REMOVE_SECONDS = 2.0
"""How long a refusal may wait for what was stored to be removed."""
NOT_STORED = "The inputs are large, and where such are kept they could not be stored"

log = logging.getLogger(__name__)


def pack_inputs(plan: Plan, inputs: Mapping[str, Any]) -> bytes:
    """The inputs as they are kept, without the values of fields that nothing uses."""
    unused = plan.unused_fields
    return pack({name: value for name, value in inputs.items() if name not in unused})


class LargeInputs:
    """Keeps large inputs aside for executions that are being accepted.

    An object that is left behind by a process that died, or whose execution may have been accepted
    without a word, is found by a later sweep if it belongs to none.
    """

    def __init__(self, offloaded: OffloadedValues) -> None:
        self._offloaded = offloaded

    async def store(self, account_id: str, execution_id: str, packed: bytes) -> bytes:
        """Store packed inputs; returns the bytes that stand for them on record.

        Raises StorageFailed.
        """
        name = make_inputs_name(int(time.time() * 1000), len(packed))
        try:
            await self._offloaded.put(account_id, execution_id, name, packed, seconds=STORE_SECONDS)
        except StorageFailed:
            await self._remove(account_id, execution_id)  # it may be there, and not for certain
            raise StorageFailed(NOT_STORED) from None
        return pack_name(name)

    async def remove_refused(
        self, account_id: str, execution_id: str, refusal: EngineError
    ) -> None:
        """Remove what was stored for an execution that was refused, if it was for certain."""
        if isinstance(refusal, Unavailable) and not refusal.word:
            return  # the reply was lost, and the execution may have been accepted
        await self._remove(account_id, execution_id)

    async def _remove(self, account_id: str, execution_id: str) -> None:
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                await self._offloaded.remove(account_id, execution_id)
        except (StorageFailed, TimeoutError):
            log.warning("large inputs of a refused run are left to the sweeper")
