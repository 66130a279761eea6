"""Own origins: the pages that may write with a session, by the address that the gateway has."""

from dataclasses import replace

import httpx2
import pytest

from engine.settings import Settings
from engine.store import Account, Store
from gateway.admission.own_origins import OwnOrigins
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.documents import greeting

pytestmark = [pytest.mark.A69, pytest.mark.A93]

PUBLIC = "https://Flows.example.org:443/"


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return replace(settings, **getattr(request, "param", {}))


def port_of(client: httpx2.AsyncClient) -> int:
    port = client.base_url.port
    assert port is not None
    return port


async def status_of(browser: httpx2.AsyncClient, **headers: str) -> int:
    answer = await browser.post("/api/workflows", json=greeting(), headers=headers)
    if answer.status_code != 201:
        assert answer.json()["code"] == "CSRF_FAILED"
    return answer.status_code


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LocalHost"])
async def test_on_the_loopback_each_of_its_names_may_write(
    make_browser: MakeBrowser, account: Account, host: str
) -> None:
    browser = await make_browser(account)
    address = f"{host}:{port_of(browser)}"

    assert await status_of(browser, origin=f"http://{address}") == 201
    assert await status_of(browser, origin=f"http://{address}", host=address) == 201


@pytest.mark.parametrize(
    "host", ["evil", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "127.0.0.2"]
)
async def test_on_the_loopback_an_origin_that_agrees_with_its_host_is_not_enough(
    make_browser: MakeBrowser, account: Account, host: str
) -> None:
    browser = await make_browser(account)
    address = f"{host}:{port_of(browser)}"

    assert await status_of(browser, origin=f"http://{address}", host=address) == 403
    del browser.headers["origin"]
    assert await status_of(browser, **{"sec-fetch-site": "same-origin"}, host=address) == 403


@pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:1", "https://localhost"])
async def test_on_the_loopback_another_port_or_scheme_is_another_site(
    make_browser: MakeBrowser, account: Account, origin: str
) -> None:
    browser = await make_browser(account)

    assert await status_of(browser, origin=origin) == 403
    assert await status_of(browser, origin=origin, host=origin.partition("//")[2]) == 403


async def test_a_refusal_of_an_unknown_address_names_the_setting(
    make_browser: MakeBrowser, account: Account
) -> None:
    browser = await make_browser(account)

    headers = {"origin": "http://tunnel.example:9000", "host": "tunnel.example:9000"}
    answer = await browser.post("/api/workflows", json=greeting(), headers=headers)

    assert "HEADRACE_PUBLIC_URL" in answer.json()["error"]


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0"}], indirect=True)
async def test_elsewhere_the_requested_host_is_the_own_one(
    make_browser: MakeBrowser, account: Account
) -> None:
    browser = await make_browser(account)

    for own in ("http://flows.example", "https://flows.example"):
        assert await status_of(browser, origin=own, host="flows.example") == 201
    assert await status_of(browser, origin="http://evil.example", host="flows.example") == 403


@pytest.mark.parametrize("settings", [{"public_url": PUBLIC}], indirect=True)
async def test_with_a_public_url_its_origin_alone_may_write(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    browser = await make_client()
    token = await store.sessions.redeem(await store.sessions.create_login(account.id))
    browser.headers["cookie"] = f"headrace_session={token}"
    own = str(browser.base_url).rstrip("/")

    assert await status_of(browser, origin="https://flows.example.org") == 201
    assert await status_of(browser, origin=own) == 403
    assert await status_of(browser, origin="http://evil", host="evil") == 403
    said = {"sec-fetch-site": "same-origin"}
    assert await status_of(browser, **said, host="flows.example.org") == 201
    assert await status_of(browser, **said, host="evil") == 403


def test_the_default_port_of_another_scheme_is_part_of_an_origin() -> None:
    own = OwnOrigins("http://flows.example.org:443", "127.0.0.1")

    assert own.include("http://flows.example.org:443", {})
    assert not own.include("http://flows.example.org", {})


def test_a_request_with_two_hosts_is_for_an_own_one_only_if_both_are() -> None:
    own = OwnOrigins("https://flows.example.org", "127.0.0.1")
    mine, evil = (b"host", b"flows.example.org"), (b"host", b"evil.example")

    assert own.include_host({"headers": [mine, mine]})
    assert not own.include_host({"headers": [mine, evil]})
