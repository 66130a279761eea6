"""Manifests saved from an admin's browser."""

from typing import Any

import httpx2

from tests.support.manifests import manifest

MODELS = "/api/models"
OWN = f"{MODELS}/own"
TEXT = manifest()
LOUD = manifest(call='[builtin]\ntemplate = "{{ prompt }}!"\n')
PAINTING = manifest(category="image")


def calling(url: str, key: str = "ANTHROPIC_API_KEY", more: str = "") -> str:
    return manifest(
        call=f'[openai]\nbase_url = "{url}"\napi_key_env = "{key}"\nmodel = "m"\n{more}'
    )


async def save(browser: httpx2.AsyncClient, text: str = TEXT) -> httpx2.Response:
    return await browser.post(MODELS, json={"manifest": text})


async def replace(browser: httpx2.AsyncClient, text: str, **headers: str) -> httpx2.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await browser.put(OWN, json={"manifest": text}, headers=sent)


async def row(browser: httpx2.AsyncClient, name: str = "own") -> Any:
    rows = (await browser.get(MODELS)).json()
    return next((each for each in rows if each["internalName"] == name), None)
