"""The manifest of the model that runs here, and the callers that reach it."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.models.registry import find_model
from engine.nodes.support.base import HttpCall
from engine.settings import Settings
from tests.support.http.providers import Provider, calling
from tests.support.http.raw_server import Stub, answer, failure, serving
from workers.outbound.address_gate import AddressGate
from workers.outbound.client import Egress

SAID = {
    "choices": [{"message": {"content": "Hello"}}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2},
}
VARIABLE = "HEADRACE_LOCAL_MODEL_URL"


def local_text() -> Model:
    found = find_model("local-text")
    assert found is not None
    return found


async def test_without_a_running_model_the_log_alone_names_the_package_to_install(
    egress: Egress, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NodeFailed) as caught:
        await calling(egress, {}).call(local_text(), {"prompt": "Hi"})

    assert caught.value.code == "PROVIDER_UNAVAILABLE"
    message = "The provider's address is not set up; the operator's log says more"
    assert caught.value.message == message
    [setup] = [getattr(each, "setup", "") for each in caplog.records]
    assert "headrace up --local" in setup


async def test_a_model_that_has_died_is_a_provider_that_cannot_be_had(egress: Egress) -> None:
    with pytest.raises(NodeFailed) as caught:
        await calling(egress, {VARIABLE: "http://127.0.0.1:1/v1"}).call(
            local_text(), {"prompt": "Hi"}
        )

    assert (caught.value.code, caught.value.retryable) == ("PROVIDER_UNAVAILABLE", True)


async def test_it_is_asked_in_the_protocol_of_every_other(
    egress: Egress, provider: Provider
) -> None:
    provider.answers = [SAID]
    values = {"prompt": "Hi", "system": "Be brief.", "maxTokens": 20, "temperature": 0.5}

    given = await calling(egress, {VARIABLE: f"{provider.url}/v1"}).call(local_text(), values)

    (asked,) = provider.asked
    assert (given.value, given.usage.output_tokens) == ("Hello", 2)
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Connection"] == "close"
    assert asked.body == {
        "model": "local-text",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "max_tokens": 20,
        "temperature": 0.5,
    }


@pytest.mark.parametrize("allow_private", [False, True])
async def test_urls_in_workflows_never_lead_to_it(allow_private: bool) -> None:
    async with serving(Stub(reply=answer("Content-Length: 2", body=b"ok"))) as stub:
        settings = Settings(
            local_model_url=f"{stub.url}/v1", allow_private_urls=allow_private, port=1
        )
        theirs, models = (
            Egress(gate=AddressGate.for_workflows(settings)),
            Egress(gate=AddressGate.for_providers(settings)),
        )
        try:
            refused = await failure(theirs, HttpCall(method="GET", url=f"{stub.url}/v1"))
            reached = await models.fetch(HttpCall(method="GET", url=f"{stub.url}/v1"))
        finally:
            await theirs.close()
            await models.close()

    assert refused.code == "url_blocked"
    assert reached.status == 200
    assert stub.connections == 1


async def test_only_its_own_port_is_closed_to_workflows_in_development() -> None:
    gate = AddressGate.for_workflows(
        Settings(local_model_url="http://127.0.0.1:8801/v1", allow_private_urls=True)
    )

    assert not gate.admits("127.0.0.1", 8801)
    assert gate.admits("127.0.0.1", 8802)
