"""Redirects of a provider: no call follows them with a key."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from tests.support.http.providers import Provider, a_provider, provided
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.workers.providers.test_jobs import STARTED, video
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller


@pytest.fixture
async def elsewhere() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        provider.answers = [{"choices": [{"message": {"content": "hi"}}]}]
        yield provider


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_call_is_a_bad_answer(
    models: ModelCaller, provider: Provider, elsewhere: Provider, status: int
) -> None:
    provider.answers = [web.Response(status=status, headers={"Location": elsewhere.url})]

    with pytest.raises(NodeFailed) as raised:
        await models.call(provided("openai", 'model = "m"\n'), {"prompt": "x"})

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"
    assert elsewhere.asked == []


async def test_a_redirect_of_a_question_after_a_job_is_a_bad_answer(
    models: ModelCaller, provider: Provider, elsewhere: Provider, checkpoints: RecordedCheckpoints
) -> None:
    away = web.Response(status=307, headers={"Location": f"{elsewhere.url}/jobs/j-1"})
    provider.answers = [STARTED, away]

    with pytest.raises(NodeFailed) as raised:
        await models.call(video(), {"prompt": "x"}, ModelCall(checkpoints=checkpoints))

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"
    assert elsewhere.asked == []
