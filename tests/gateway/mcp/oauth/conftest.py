import httpx2
import pytest

from tests.gateway.conftest import MakeClient
from tests.support.oauth.browser_flow import Flow


@pytest.fixture
async def anonymous(make_client: MakeClient) -> httpx2.AsyncClient:
    return await make_client()


@pytest.fixture
async def flow(anonymous: httpx2.AsyncClient) -> Flow:
    """Return the flow of a registered client."""
    flow = Flow(anonymous)
    await flow.register()
    return flow
