"""Forbidden URLs are refused when they are saved, however they are spelled."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Account, Store
from tests.engine.net.test_addresses import DENIED
from tests.engine.net.test_url_policy import FORMS, PRIVATE, SPELLINGS
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.raw_server import Stub, serving

METADATA = (
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata.google.internal./",
    "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/opc/v2/instance/",
    "http://[fd00:ec2::254]/latest/meta-data/",
)
LITERALS = [
    f"https://[{address}]/" if ":" in address else f"https://{address}/"
    for address in DENIED
    if "%" not in address
]
EVERY = (*FORMS, *SPELLINGS, *PRIVATE, *METADATA, *LITERALS)
URLS = [url for url in EVERY if "\ud800" not in url]  # no JSON can hold it


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, allow_private_urls=False)


@pytest.fixture
def account_tier() -> Tier:
    """Return a tier without a limit on saves."""
    return Tier.ENTERPRISE


def calling(url: str, **data: Any) -> dict[str, Any]:
    return {
        "name": "Calling",
        "nodes": [node("call", "httpRequest", url=url, **data), node("out", "responseOutput")],
        "edges": [edge("call", "response-out", "out", "result-in")],
    }


@pytest.mark.A37
async def test_no_graph_with_such_a_url_is_saved(client: httpx2.AsyncClient) -> None:
    assert len(LITERALS) >= 120
    async with serving(Stub(), "0.0.0.0") as everywhere:
        for url in URLS:
            answer = await client.post("/api/workflows", json=calling(url))

            assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH"), url
            assert {problem["nodeId"] for problem in answer.json()["problems"]} == {"call"}
            assert len(answer.content) < 1_000

        assert everywhere.connections == 0
    assert (await client.get("/api/workflows")).json() == []


@pytest.mark.A37
async def test_no_webhook_leads_to_such_a_url(
    browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    capabilities = ["workflow:run", "webhook:receive"]
    key, _ = await store.api_keys.create(account, name="k", capabilities=capabilities)
    path = f"/api/api-keys/{key.id}/webhook"

    for url in (*URLS, "http://example.com/", *(url.replace("http:", "https:") for url in PRIVATE)):
        answer = await browser.put(path, json={"url": url})

        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_WEBHOOK"), url
        assert (answer.json()["field"], bool(answer.json()["reason"])) == ("url", True)

    assert (await browser.get(path)).status_code == 404


HEADERS = (
    *("Host", "host", "Transfer-Encoding", "Content-Length", "Connection", "Upgrade", "TE"),
    *("Proxy-Authorization", "Proxy-Connection", "X-Forwarded-For", "X-Forwarded-Host", "Via"),
    *("X-Knouds-Signature", "webhook-id", "webhook-signature", "webhook-timestamp"),
    *("Metadata-Flavor", "Metadata", "X-aws-ec2-metadata-token", "X-Google-Metadata-Request"),
    *("a b", "a:", "a\r\nb", "", "ä", "a\x00"),
)
VALUES = ("a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "a\x7f", "a\x1b[2J")


@pytest.mark.A46
async def test_no_graph_with_a_header_of_ours_or_of_the_connection_is_saved(
    client: httpx2.AsyncClient,
) -> None:
    sets = [{name: "x"} for name in HEADERS] + [{"X-A": value} for value in VALUES]

    for headers in sets:
        answer = await client.post(
            "/api/workflows", json=calling("https://example.com/", headers=headers)
        )

        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH"), headers
        assert answer.json()["problems"][0]["nodeId"] == "call"


MEDIA = (
    *(
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "http://example.com/a.png",
        "ftp://a.b/c",
    ),
    *("//example.com/a.png", "/etc/passwd", "../../etc/passwd", "..%2f", "javascript:alert(1)"),
    *("https://", "https:///a", "https://a b/", "https://a\r\nb/", "https://a\\@b/", "gopher://a/"),
    *("s3://bucket/key", "blob:https://a.b/c", "", " ", "https://" + "a" * 3_000, "\x00"),
)


@pytest.mark.A86
@pytest.mark.parametrize("kind", ["image", "video", "audio"])
async def test_no_run_takes_a_medium_that_is_no_https_url(
    client: httpx2.AsyncClient, kind: str
) -> None:
    document = greeting()
    field = {"name": "medium", "label": "Medium", "type": kind}
    document["nodes"][0]["data"]["fields"].append(field)
    await client.post("/api/workflows", json=document)
    run = "/api/workflows/greeting/run?async=true"

    for value in (*MEDIA, 5, [], {"url": "https://a.b/"}, {"filepath": "/etc/passwd"}):
        answer = await client.post(run, json={"inputs": {"name": "Eve", "medium": value}})

        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUTS"), value
        assert answer.json()["field"] == "medium"
    taken = await client.post(run, json={"inputs": {"name": "Eve", "medium": "https://a.b/c"}})

    assert taken.status_code == 202
