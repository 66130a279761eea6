"""An execution that a test moves by hand."""

import pytest

from engine.store import Account, Store
from tests.engine.store.factories import save
from tests.engine.store.watched_runs import Run


@pytest.fixture
async def run(store: Store, account: Account) -> Run:
    return Run(store, account, await save(store, account))
