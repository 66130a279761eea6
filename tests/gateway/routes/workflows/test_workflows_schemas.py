"""Schemas of workflows' inputs over HTTP."""

import httpx2

from tests.gateway.routes.workflows.test_workflows import FOREIGN, save
from tests.support.gateway.documents import broken


async def test_a_draft_that_cannot_run_has_no_schema(client: httpx2.AsyncClient) -> None:
    await save(client, broken(draft=True, publicPlayground=True))

    own = await client.get("/api/workflows/broken/schema")
    public = await client.get("/api/workflows/broken/public-schema")

    assert (own.status_code, own.json()["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
    assert (public.status_code, public.content) == (404, FOREIGN)
