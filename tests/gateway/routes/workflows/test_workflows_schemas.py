"""Schemas of workflows' inputs over HTTP."""

import httpx2
import jsonschema_rs

from tests.gateway.conftest import MakeClient
from tests.gateway.routes.workflows.test_workflows import FOREIGN, HERE, save
from tests.support.gateway.documents import NAME_FIELD, broken, greeting


async def test_the_schema_shows_what_a_workflow_asks_for(client: httpx2.AsyncClient) -> None:
    await save(client, greeting(description="Says hello"))

    answer = await client.get(f"{HERE}/schema")

    assert answer.status_code == 200
    assert answer.json() == {
        "name": "Greeting",
        "description": "Says hello",
        "fields": [NAME_FIELD],
        "values": {"name": "Ada"},
        "estimatedCreditCost": 0,
    }


async def test_the_schema_is_served_as_json_schema_too(client: httpx2.AsyncClient) -> None:
    await save(client, greeting())

    answer = await client.get(f"{HERE}/schema", headers={"accept": "application/schema+json"})

    schema = answer.json()
    assert answer.headers["content-type"] == "application/schema+json"
    assert jsonschema_rs.is_valid(schema, {"name": "Eve"})
    assert not jsonschema_rs.is_valid(schema, {"name": 5})
    assert not jsonschema_rs.is_valid(schema, {})


async def test_a_draft_that_cannot_run_has_no_schema(client: httpx2.AsyncClient) -> None:
    await save(client, broken(draft=True, publicPlayground=True))

    own = await client.get("/api/workflows/broken/schema")
    public = await client.get("/api/workflows/broken/public-schema")

    assert (own.status_code, own.json()["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
    assert (public.status_code, public.content) == (404, FOREIGN)


async def test_a_public_schema_is_for_all_and_shows_no_more_than_it_must(
    client: httpx2.AsyncClient, make_client: MakeClient
) -> None:
    await save(client, greeting(publicPlayground=True))
    anybody = await make_client()

    answer = await anybody.get(f"{HERE}/public-schema")

    assert answer.status_code == 200
    assert set(answer.json()) == {"name", "description", "fields", "values"}


async def test_a_private_schema_is_as_unknown_to_the_public_as_any(
    client: httpx2.AsyncClient, make_client: MakeClient
) -> None:
    await save(client, greeting())
    anybody = await make_client()

    private = await anybody.get(f"{HERE}/public-schema")
    unknown = await anybody.get("/api/workflows/unknown/public-schema")

    assert (private.status_code, private.content) == (404, FOREIGN)
    assert (unknown.status_code, unknown.content) == (404, FOREIGN)
