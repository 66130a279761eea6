"""A root that runs, whose children a test moves."""

import pytest

from engine.store import Account, Store
from tests.support.store.child_runs import ChildRuns
from tests.support.store.records import save


@pytest.fixture
async def runs(store: Store, account: Account) -> ChildRuns:
    """Return a root whose first node runs."""
    runs = ChildRuns(store, account, await save(store, account))
    await runs.begin_root()
    return runs
