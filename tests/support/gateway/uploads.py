"""Uploads, and links without their host."""

from urllib.parse import urlsplit

import httpx2

from tests.support.media import files


async def upload(
    client: httpx2.AsyncClient, data: bytes = b"", kind: str = "image/png"
) -> dict[str, object]:
    answer = await client.post(
        "/api/assets", content=data or files.png(), headers={"content-type": kind}
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def local(asset: dict[str, object]) -> str:
    """Return the link without the host, which is that of the settings."""
    parts = urlsplit(str(asset["url"]))
    return f"{parts.path}?{parts.query}"


def refused(answer: httpx2.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
