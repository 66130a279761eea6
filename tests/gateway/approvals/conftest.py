"""Fixtures: an approval that waits, its link, and a visitor who has no key."""

from collections.abc import Awaitable, Callable
from functools import partial

import httpx2
import pytest

from engine.executions.node_waits import NewWait
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.waits.node_waits import WaitRef
from tests.gateway.conftest import MakeClient
from tests.support.waits.links import link_to
from tests.support.waits.runs import ASK, WaitRuns

LinkOf = Callable[[WaitRef], str]
Ask = Callable[..., Awaitable[str]]


@pytest.fixture
async def runs(store: Store, account: Account) -> WaitRuns:
    """Return a root whose first node runs."""
    return await WaitRuns.rooted(store, account)


@pytest.fixture
def link_of(settings: Settings) -> LinkOf:
    """Return the path of the link to an approval."""
    return partial(link_to, settings)


@pytest.fixture
def ask(runs: WaitRuns, link_of: LinkOf) -> Ask:
    """Open an approval at the first node, and return the path of its link."""

    async def make(new: NewWait = ASK) -> str:
        await runs.ask(new)
        return link_of(runs.asked)

    return make


@pytest.fixture
async def visitor(make_client: MakeClient) -> httpx2.AsyncClient:
    return await make_client()
