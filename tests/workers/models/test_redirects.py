"""A provider that sends elsewhere: nobody follows it there with a key."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from engine.failures import NodeFailed
from tests.providers import Provider, a_provider, provided
from tests.workers.models.desks import FakeDesk
from tests.workers.models.test_job import STARTED, video
from workers.models import Errand, Models


@pytest.fixture
async def elsewhere() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        provider.answers = [{"choices": [{"message": {"content": "hi"}}]}]
        yield provider


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_call_is_a_bad_answer(
    models: Models, provider: Provider, elsewhere: Provider, status: int
) -> None:
    provider.answers = [web.Response(status=status, headers={"Location": elsewhere.url})]

    with pytest.raises(NodeFailed) as raised:
        await models.call(provided("openai", 'model = "m"\n'), {"prompt": "x"})

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"
    assert elsewhere.asked == []


async def test_a_redirect_of_a_question_after_a_job_is_a_bad_answer(
    models: Models, provider: Provider, elsewhere: Provider, desk: FakeDesk
) -> None:
    away = web.Response(status=307, headers={"Location": f"{elsewhere.url}/jobs/j-1"})
    provider.answers = [STARTED, away]

    with pytest.raises(NodeFailed) as raised:
        await models.call(video(), {"prompt": "x"}, Errand(desk=desk))

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"
    assert elsewhere.asked == []
