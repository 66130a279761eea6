"""A root that runs, whose first node may wait."""

import pytest

from engine.store import Account, Store
from tests.support.waits.runs import WaitRuns


@pytest.fixture
async def runs(store: Store, account: Account) -> WaitRuns:
    """Return a root whose first node runs."""
    return await WaitRuns.rooted(store, account)
