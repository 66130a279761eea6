"""Sweepers that prune all ended executions, whose outputs stay until they are removed."""

import math

import pytest

from engine.store import Store
from engine.store.executions.offload import NoBlobStore
from tests.support.eventually import eventually
from workers.recovery.sweeper import Sweeper


async def prune_all(store: Store) -> Sweeper:
    """Return a sweeper that has pruned all, and removes the outputs of no other executions."""
    sweeper = Sweeper(store, "me", lease_seconds=3, retention_days=0)
    sweeper._sweep_after = math.inf
    await eventually(sweeper.prune)
    return sweeper


async def remove_in_vain(sweeper: Sweeper, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sweeper remove outputs once while no blob store is in reach."""
    with monkeypatch.context() as patch:
        patch.setattr(store.offloaded, "_blob_store", NoBlobStore())
        await sweeper.remove_outputs()
