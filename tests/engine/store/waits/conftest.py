"""A root that runs, whose first node may wait."""

import pytest

from engine.store import Account, Store
from tests.support.store.records import save
from tests.support.waits.runs import WaitRuns


@pytest.fixture
async def runs(store: Store, account: Account) -> WaitRuns:
    """Return a root whose first node runs."""
    runs = WaitRuns(store, account, await save(store, account))
    await runs.begin_root()
    return runs
