"""A whole worker that finds a provider whose turns a test scripts, and its model."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.models.registry import use_models
from tests.support.http.providers import serving_provider
from tests.support.mcp.server import McpServer, serving
from tests.support.models.chat_script import ChatScript, thinker
from workers.walk.walker import Walker


@pytest.fixture
async def chat(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ChatScript]:
    script = ChatScript()
    async with serving_provider(script):
        for name, value in script.environ.items():
            monkeypatch.setenv(name, value)
        yield script


@pytest.fixture
def mcp() -> Iterator[McpServer]:
    with serving() as server:
        yield server


@pytest.fixture
def models() -> Iterator[None]:
    with use_models([thinker()]):
        yield


@pytest.fixture
def agent_worker(chat: ChatScript, models: None, walker: Walker) -> Walker:
    return walker
