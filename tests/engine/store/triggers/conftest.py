"""Starts of occurrences on a workflow that is saved."""

import pytest

from engine.store import Account, Store
from tests.support.store.records import save
from tests.support.triggers.starts import Starts


@pytest.fixture
async def starts(store: Store, account: Account) -> Starts:
    return Starts(store, account, await save(store, account))
