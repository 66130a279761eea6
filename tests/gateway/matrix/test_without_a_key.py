"""Every method of every path that needs a key or a session: without one, all answers are alike."""

from dataclasses import replace

import pytest

from engine.ids import tokens
from engine.settings import Settings
from tests.gateway.conftest import MakeClient
from tests.support.gateway.matrix.calls import GUARDED, GUARDED_PATHS, PATH, UNAUTHORIZED
from tests.support.gateway.matrix.keys import MALFORMED, malformed_key

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that let more calls fail than there are ways to make one."""
    return replace(settings, failed_calls_per_minute=100_000)


@pytest.mark.A02
async def test_no_method_of_a_guarded_path_is_answered_without_a_key(
    make_client: MakeClient,
) -> None:
    client = await make_client()

    for path in GUARDED_PATHS:
        for method in METHODS:
            answer = await client.request(method, path.format(**PATH))

            assert answer.status_code == 401, (method, path)
            assert answer.content == (b"" if method == "HEAD" else UNAUTHORIZED)


@pytest.mark.A01
@pytest.mark.A03
@pytest.mark.parametrize("name", MALFORMED)
async def test_a_key_that_is_not_one_gets_the_same_answer_as_none(
    make_client: MakeClient, name: str
) -> None:
    client, key = await make_client(), malformed_key(name)

    for call in GUARDED:
        headers = {"x-api-key": key.encode()}
        answer = await client.request(call.method, call.path.format(**PATH), headers=headers)

        assert (answer.status_code, answer.content) == (401, UNAUTHORIZED), call


@pytest.mark.A02
async def test_a_cookie_that_is_no_session_opens_no_path(make_client: MakeClient) -> None:
    client = await make_client()
    unknown = tokens.make_token("hr_session_", 5)
    client.headers["origin"] = str(client.base_url).rstrip("/")
    client.headers["cookie"] = f"headrace_session={unknown}"

    for path in GUARDED_PATHS:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            answer = await client.request(method, path.format(**PATH))

            assert (answer.status_code, answer.content) == (401, UNAUTHORIZED), (method, path)
