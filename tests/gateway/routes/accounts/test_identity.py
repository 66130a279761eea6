"""The account that is signed in: one read of the store beside the check of its session."""

from dataclasses import replace

import httpx2

from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis.scripts import SCRIPTS
from tests.gateway.conftest import serving
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.redis.proxy import running_proxy


async def test_credits_and_limits_are_read_in_one_pipeline(
    settings: Settings, store: Store, account: Account
) -> None:
    token = await store.sessions.redeem(await store.sessions.create_login(account.id))
    cookies = {"headrace_session": token}
    wallet = SCRIPTS["read_wallet"].sha.encode()
    async with (
        running_proxy(settings.redis_url) as proxy,
        serving(replace(settings, redis_url=proxy.url)) as gateway,
        httpx2.AsyncClient(
            base_url=gateway.url, cookies=cookies, timeout=PATIENCE_SECONDS
        ) as browser,
    ):
        await browser.get("/api/me")
        proxy.requests.clear()

        answer = await browser.get("/api/me")

        [read] = [each for each in proxy.requests if wallet in each]
    assert answer.json()["limits"]["active"] == {"limit": 100, "used": 0}
    assert all(word in read for word in (b"SCARD", b":windows", b"TIME", b"media_bytes"))
