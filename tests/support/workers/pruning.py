"""Pruning of all ended executions, whose outputs stay until they are removed."""

import pytest

from engine.errors import StorageFailed
from engine.store import Store
from engine.store.executions.offload import NoBlobStore
from tests.support.eventually import eventually
from workers.recovery.duties.removal import LeftOutputs, OldExecutions


async def prune_all(store: Store) -> LeftOutputs:
    """Prune all that has ended; return the duty that removes its outputs."""
    executions = OldExecutions(store, retention_days=0)
    await eventually(executions.run)
    return LeftOutputs(store, executions.with_outputs)


async def remove_in_vain(
    outputs: LeftOutputs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the duty remove outputs once while no blob store is in reach."""
    with monkeypatch.context() as patch, pytest.raises(StorageFailed):
        patch.setattr(store.offloaded, "_blob_store", NoBlobStore())
        await outputs.run()
