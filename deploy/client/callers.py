"""Runs of workflows, and executions, by the API."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from deploy.client.api import Answer, Api, StreamEvent
from deploy.output.problems import ApiRefused

FORBIDDEN = 403
MAX_PAGE = 500
SHORT_PAGE = 200
"""Rows of a page of lists other than that of executions."""
Page = tuple[list[Answer], str | None]
"""Rows, and the cursor of the next page."""


class WorkflowCaller:
    """Starts executions and reads them, in the names of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def field_types(self, slug: str) -> dict[str, str] | None:
        """Return the type of each field of the workflow; None if the caller may not read them."""
        try:
            schema = await self._api.get(f"/api/workflows/{quote(slug, safe='')}/schema")
        except ApiRefused as refusal:
            if refusal.status == FORBIDDEN:
                return None
            raise
        return {field["name"]: field["type"] for field in schema["fields"]}

    async def upload(self, file: Path) -> str:
        """Store an image, a video, a sound or a document; return the asset's id."""
        asset_id: str = (await self._api.upload(file))["id"]
        return asset_id

    async def start(self, slug: str, inputs: Mapping[str, Any], tags: Sequence[str] = ()) -> Answer:
        """Start an execution; return the answer of `?async=true`."""
        return await self._api.post(f"{_run_path(slug)}?async=true", _body(inputs, tags))

    def watch(
        self, slug: str, inputs: Mapping[str, Any], tags: Sequence[str] = ()
    ) -> AsyncGenerator[StreamEvent, None]:
        """Start an execution and yield its events. The stream may end early."""
        return self._api.events(_run_path(slug), body=_body(inputs, tags))

    async def execution(self, execution_id: str) -> Answer:
        """Return an execution and its nodes."""
        execution: Answer = await self._api.get(_execution_path(execution_id))
        return execution

    async def node(self, execution_id: str, node_id: str) -> Answer:
        """Return the values and attempts of a node of an execution."""
        path = f"{_execution_path(execution_id)}/nodes/{quote(node_id, safe='')}"
        node: Answer = await self._api.get(path)
        return node

    async def executions(
        self,
        *,
        status: str | None,
        slug: str | None = None,
        tags: Sequence[str] = (),
        parent: tuple[str, str] | None = None,
        trigger_id: str | None = None,
        limit: int,
    ) -> list[Answer]:
        """Return the newest executions of the account, without their nodes.

        `parent` is an execution and its node: the children of these, by the index of their items.
        """
        wanted = {"status": status, "workflowSlug": slug, "tag": tags, "triggerId": trigger_id}
        if parent is not None:
            wanted |= {"parentId": parent[0], "parentNodeId": parent[1]}

        return await read_rows(self._api, "/api/executions", limit, wanted)

    async def cancel(self, execution_id: str) -> Answer:
        """Request the cancellation of an execution."""
        return await self._api.post(f"{_execution_path(execution_id)}/cancel")

    async def retry(self, execution_id: str) -> Answer:
        """Run a failed execution again from the nodes that failed."""
        return await self._api.post(f"{_execution_path(execution_id)}/retry")

    def events(self, execution_id: str, after: str) -> AsyncGenerator[StreamEvent, None]:
        """Yield the events of an execution after the one with this id, empty for all.

        The stream may end early.
        """
        return self._api.events(f"{_execution_path(execution_id)}/events", after=after)


async def get_page(
    api: Api, path: str, count: int, cursor: str | None, wanted: Mapping[str, Any]
) -> Page:
    """Return a page of a list; members of the query that are None are left out."""
    query = {**wanted, "limit": count, "cursor": cursor}
    given = {name: value for name, value in query.items() if value is not None}
    page = await api.get(f"{path}?{urlencode(given, doseq=True)}")
    return page["rows"], page["nextCursor"] or None


async def read_rows(
    api: Api,
    path: str,
    limit: int,
    wanted: Mapping[str, Any] | None = None,
    *,
    page_rows: int = MAX_PAGE,
) -> list[Answer]:
    """Return at most `limit` rows of a list, read in pages of at most `page_rows`."""

    async def read_page(count: int, cursor: str | None) -> Page:
        return await get_page(api, path, min(count, page_rows), cursor, wanted or {})

    return await read_pages(read_page, limit)


async def read_pages(
    read_page: Callable[[int, str | None], Awaitable[Page]], limit: int
) -> list[Answer]:
    """Return at most `limit` rows; `read_page` returns the page of this size at this cursor."""
    rows, cursor = await read_page(min(limit, MAX_PAGE), None)
    while cursor is not None and len(rows) < limit:
        page, cursor = await read_page(min(limit - len(rows), MAX_PAGE), cursor)
        rows += page
    return rows


def _body(inputs: Mapping[str, Any], tags: Sequence[str]) -> dict[str, Any]:
    """Return the body of a run; a server of version 0.1.0 knows no tags."""
    return {"inputs": inputs, "tags": [*tags]} if tags else {"inputs": inputs}


def _run_path(slug: str) -> str:
    return f"/api/workflows/{quote(slug, safe='')}/run"


def _execution_path(execution_id: str) -> str:
    return f"/api/executions/{quote(execution_id, safe='')}"
