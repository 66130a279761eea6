"""The gateway's application in this process, on the tests' store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from deploy.client.api import Api
from deploy.client.in_process import open_in_process
from deploy.client.workflows import AccountWorkflows
from deploy.stack.location import Stack
from engine.settings import Settings
from engine.store import Account

OpenApi = Callable[..., AbstractAsyncContextManager[Api]]


@pytest.fixture
def opened(settings: Settings, tmp_path: Path) -> OpenApi:
    """Open the API for a key or an account, with settings of the stack."""

    @asynccontextmanager
    async def open_api(
        key: str | None = None, account_id: str | None = None, **more: str
    ) -> AsyncIterator[Api]:
        environ = {
            "HEADRACE_SECRET_KEY": settings.secret_key,
            "HEADRACE_MEDIA_URL": settings.media_url,
            "HEADRACE_MEDIA_FREE_BYTES": "0",
            **more,
        }
        stack = Stack(data_dir=tmp_path, redis_url=settings.redis_url, settings=environ)
        async with open_in_process(stack, account_id) as server:
            yield Api(server, key)

    return open_api


@pytest.fixture
async def own(account: Account, opened: OpenApi) -> AsyncIterator[AccountWorkflows]:
    """The workflows of the account."""
    async with opened(account_id=account.id) as api:
        yield AccountWorkflows(api)
