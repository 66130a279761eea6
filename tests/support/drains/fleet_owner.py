"""Owner of workflows and webhooks of a fleet, who reads its store."""

import contextlib
from collections.abc import AsyncIterator

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.redis.address import RedisAddress
from tests.support.drains.fleet import Fleet
from tests.support.factories import Runner
from tests.support.http.webhook_receivers import receiving
from tests.support.redis.installation import SECRET_KEY
from tests.support.workers.webhook_owner import Owner


@contextlib.asynccontextmanager
async def fleet_owner(fleet: Fleet) -> AsyncIterator[Owner]:
    """Yield an account whose webhooks lead to a receiver, while the fleet's Redis runs."""
    url = fleet.environ["HEADRACE_REDIS_URL"]
    settings = Settings(redis_url=url, secret_key=SECRET_KEY)
    store = Store.open(settings)
    account = await store.accounts.create(email="owner@localhost", tier=Tier.ENTERPRISE)
    async with (
        CompletionNotifier.open(RedisAddress.parse(url)) as notifier,
        receiving() as receiver,
    ):
        yield Owner(Runner(store, account, notifier), receiver)
    await store.close()
