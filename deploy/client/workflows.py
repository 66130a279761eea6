"""Workflows of one account over HTTP, and the choice of the one that a file is pushed to."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from deploy.client.api import Api
from deploy.problems import CommandFailed

Row = dict[str, Any]
PATH = "/api/workflows"


class WorkflowSource(Protocol):
    """Workflows of an account."""

    async def own(self) -> list[Row]:
        """Return all of them, without their graphs; each has a `slug` and a `name`."""
        ...

    async def get(self, slug: str) -> Row:
        """Return one whole document, in the shape that saving accepts."""
        ...

    async def save(self, body: Mapping[str, Any], slug: str | None) -> Row:
        """Save a new workflow, or the next version of `slug`, which keeps absent members.

        Returns it without its graph.
        """
        ...

    async def delete(self, slug: str) -> None:
        """Delete one; executions in flight finish."""
        ...


async def push(workflows: WorkflowSource, body: Mapping[str, Any], *, is_new: bool = False) -> Row:
    """Save the next version of the document's workflow, or else a new one.

    A document is a draft only if it says so.
    """
    slug = None if is_new else find_slug(await workflows.own(), body)
    return await workflows.save({"draft": False, **body}, slug)


def find_slug(own: Sequence[Row], body: Mapping[str, Any]) -> str | None:
    """Return the workflow of the document's slug, else of its name, else None."""
    if body.get("slug") in {row["slug"] for row in own}:
        slug: str = body["slug"]
        return slug
    found = [row["slug"] for row in own if row["name"] == body.get("name")]
    if len(found) > 1:
        raise CommandFailed(
            f"Several workflows are called '{body['name']}' ({', '.join(found)}): "
            "name one as `slug` in the file, or create another with --new."
        )
    return found[0] if found else None


class HttpWorkflows:
    """Workflows of the account that owns the key."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def own(self) -> list[Row]:
        """Send one request; templates of others are left out."""
        rows: list[Row] = await self._api.get(PATH)
        return [row for row in rows if row["createdBy"] is not None]

    async def get(self, slug: str) -> Row:
        """Send one request."""
        document: Row = await self._api.get(_path(slug))
        return document

    async def save(self, body: Mapping[str, Any], slug: str | None) -> Row:
        """Send one request."""
        if slug is None:
            saved = await self._api.post(PATH, body)
        else:
            saved = await self._api.put(_path(slug), body)
            if body.get("draft"):
                saved = await self._api.get(_path(slug))
        return {
            "slug": saved["slug"],
            "name": saved["name"],
            "version": saved["version"],
            "accountId": saved["createdBy"],
            "draft": saved.get("draft", False),
            "updatedAt": saved["updatedAt"],
        }

    async def delete(self, slug: str) -> None:
        """Send one request."""
        await self._api.delete(_path(slug))


def _path(slug: str) -> str:
    return f"{PATH}/{quote(slug, safe='')}"
