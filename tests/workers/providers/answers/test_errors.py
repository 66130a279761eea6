"""Failures of providers: codes, their own messages, and redacted secrets."""

import asyncio
import base64
import time
from typing import Any

import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from tests.support.http.providers import KEY, Provider, a_stub, calling, provided
from workers.outbound.client import Egress
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller

CHAT = '\nmodel = "any"'


def refusal(status: int, body: Any = None, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response(body or {"error": {"message": "No."}}, status=status, headers=named)


async def fail(models: ModelCaller, more: str = CHAT) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await models.call(provided("openai", more), {"prompt": "x"})
    return raised.value


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "PROVIDER_REJECTED", False),
        (401, "PROVIDER_REJECTED", False),
        (404, "PROVIDER_REJECTED", False),
        (408, "PROVIDER_TIMEOUT", True),
        (422, "PROVIDER_REJECTED", False),
        (429, "PROVIDER_RATE_LIMITED", True),
        (500, "PROVIDER_UNAVAILABLE", True),
        (503, "PROVIDER_UNAVAILABLE", True),
        (504, "PROVIDER_TIMEOUT", True),
        (529, "PROVIDER_UNAVAILABLE", True),
        (302, "PROVIDER_BAD_RESPONSE", False),
    ],
)
async def test_a_status_has_a_code_of_ours(
    models: ModelCaller, provider: Provider, status: int, code: str, retryable: bool
) -> None:
    provider.answers = [refusal(status)]

    failure = await fail(models)

    assert (failure.code, failure.retryable, failure.message) == (code, retryable, "No.")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "7", "retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "soon"}, 0.0),
        ({"retry_after": "999999"}, 3600.0),
    ],
)
async def test_the_pause_that_a_provider_asks_for_is_kept(
    models: ModelCaller, provider: Provider, headers: dict[str, str], seconds: float
) -> None:
    provider.answers = [refusal(429, **headers)]

    assert (await fail(models)).retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Too much"}},
        {"error": "Too much"},
        {"message": "Too much"},
        {"detail": "Too much"},
        {"detail": [{"msg": "Too much"}]},
        {"errors": [{"message": "Too much"}]},
        {"error": {"message": "  Too\n\n much "}},
    ],
)
async def test_the_sentence_is_the_providers_own(
    models: ModelCaller, provider: Provider, body: Any
) -> None:
    provider.answers = [refusal(400, body)]

    assert (await fail(models)).message == "Too much"


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html"),
        web.Response(status=502, body=b"\xff\xfe"),
        web.json_response({"error": {"message": "\ud800"}}, status=502),
        web.json_response({"error": {"message": ""}}, status=502),
        web.json_response([[]], status=502),
    ],
)
async def test_without_a_sentence_there_is_one_of_ours(
    models: ModelCaller, provider: Provider, answer: web.Response
) -> None:
    provider.answers = [answer]

    assert (await fail(models)).message == "The provider answered 502"


async def test_a_long_sentence_is_cut(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [refusal(400, {"error": "x" * 2000})]

    message = (await fail(models)).message

    assert len(message) == 500 and message.endswith("…")


# -- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "echo",
    [
        f"Incorrect API key provided: {KEY}.",
        f"GET https://api.example/v1?key={KEY} failed",
        f'Headers: {{"Authorization": "Bearer {KEY}"}}',
        "x" * 490 + KEY,
    ],
)
async def test_a_providers_echo_of_the_key_is_redacted(
    models: ModelCaller, provider: Provider, echo: str
) -> None:
    provider.answers = [refusal(401, {"error": {"message": echo}})]

    message = (await fail(models)).message

    assert KEY not in message
    assert KEY[:12] not in message


async def test_a_key_is_hidden_as_it_stands_in_a_url_too(
    egress: Egress, provider: Provider
) -> None:
    key = "sk/with+signs=0123"
    provider.answers = [refusal(400, {"error": "at /?key=sk%2Fwith%2Bsigns%3D0123 …"})]

    failure = await fail(calling(egress, provider.environ | {"PROVIDER_KEY": key}))

    assert failure.message == "at /?key=[secret] …"


async def test_another_providers_key_is_redacted_too(egress: Egress, provider: Provider) -> None:
    provider.answers = [refusal(400, {"error": "You said sk-other-987654321."})]
    environ = provider.environ | {"OPENAI_API_KEY": "sk-other-987654321"}

    assert (await fail(calling(egress, environ))).message == "You said [secret]."


async def test_a_text_that_repeats_the_key_is_given_without_it(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"choices": [{"message": {"content": f"My key is {KEY}"}}]}]

    answer = await models.call(provided("openai", CHAT), {"prompt": "x"})

    assert answer.value == "My key is [secret]"


async def test_a_missing_key_is_named_in_the_log_alone_without_a_call(
    egress: Egress, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    failure = await fail(calling(egress, {"PROVIDER_URL": provider.url}))

    assert failure.code == "PROVIDER_REJECTED"
    assert failure.message == "The provider's key is not set up; the operator's log says more"
    assert [getattr(each, "variable", None) for each in caplog.records] == ["PROVIDER_KEY"]
    assert provider.asked == []


async def test_a_local_stack_tells_its_callers_which_key_is_missing(
    egress: Egress, provider: Provider
) -> None:
    environ = {"PROVIDER_URL": provider.url}

    failure = await fail(ModelCaller(egress, environ=environ, names_variables=True))

    echo = "The provider's key is not set up: set PROVIDER_KEY and start the workers again"
    assert (failure.code, failure.message) == ("PROVIDER_REJECTED", echo)


async def test_a_key_that_is_no_valid_header_is_redacted(
    egress: Egress, provider: Provider
) -> None:
    failure = await fail(calling(egress, provider.environ | {"PROVIDER_KEY": "one\r\ntwo-three"}))

    assert failure.code == "PROVIDER_REJECTED"
    assert "one" not in failure.message and "three" not in failure.message


# -- no answer, or an unreadable one --------------------------------------------------------------


async def test_an_unreachable_provider_is_unavailable(egress: Egress) -> None:
    failure = await fail(calling(egress, {"PROVIDER_KEY": KEY}))

    assert (failure.code, failure.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert "127.0.0.1" not in failure.message


@pytest.mark.parametrize(
    ("script", "code", "retryable"),
    [
        ("garbage", "PROVIDER_BAD_RESPONSE", False),
        ("wrong-type", "PROVIDER_BAD_RESPONSE", False),
        ("huge", "PROVIDER_BAD_RESPONSE", False),
        ("cut", "PROVIDER_UNAVAILABLE", True),
        ("fail=429;retry-after=3", "PROVIDER_RATE_LIMITED", True),
        ("fail=500", "PROVIDER_UNAVAILABLE", True),
    ],
)
async def test_answers_that_are_broken(
    egress: Egress, script: str, code: str, retryable: bool
) -> None:
    async with a_stub(script) as url:
        models = calling(egress, {"PROVIDER_URL": f"{url}/v1", "PROVIDER_KEY": KEY})
        failure = await fail(models)

    assert (failure.code, failure.retryable) == (code, retryable)
    assert failure.retry_after == (3.0 if "429" in script else 0.0)


@pytest.mark.parametrize("script", ["drip", "hang"])
async def test_an_answer_that_does_not_end_is_given_up_in_time(egress: Egress, script: str) -> None:
    async with a_stub(script) as url:
        models = calling(egress, {"PROVIDER_URL": f"{url}/v1", "PROVIDER_KEY": KEY})
        began = time.monotonic()
        failure = await fail(models, CHAT + "\ntimeout_seconds = 0.5")

    assert (failure.code, failure.retryable) == ("PROVIDER_TIMEOUT", True)
    assert time.monotonic() - began < 20


async def test_an_answer_that_is_slower_than_its_node_is_the_providers_failure(
    egress: Egress,
) -> None:
    async with a_stub("hang") as url:
        models = calling(egress, {"PROVIDER_URL": f"{url}/v1", "PROVIDER_KEY": KEY})
        deadline = asyncio.get_running_loop().time() + 0.5
        model_call = ModelCall(deadline=deadline)

        with pytest.raises(NodeFailed) as raised:
            async with asyncio.timeout_at(deadline):
                await models.call(provided("openai", CHAT), {"prompt": "x"}, model_call)

    assert (raised.value.code, raised.value.retryable) == ("PROVIDER_TIMEOUT", True)


async def test_a_call_that_is_cancelled_ends_at_once(egress: Egress) -> None:
    async with a_stub("hang") as url:
        models = calling(egress, {"PROVIDER_URL": f"{url}/v1", "PROVIDER_KEY": KEY})
        call = asyncio.create_task(models.call(provided("openai", CHAT), {"prompt": "x"}))
        await asyncio.sleep(0)
        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_node_fails_when_no_medium_can_be_stored(
    egress: Egress, provider: Provider
) -> None:
    data = base64.b64encode(b"picture").decode()
    provider.answers = [{"data": [{"b64_json": data}]}]
    painter = provided("openai", CHAT, category="image")

    with pytest.raises(NodeFailed) as raised:
        await calling(egress, provider.environ).call(painter, {"prompt": "x"})

    assert raised.value.code == "storage_error"
