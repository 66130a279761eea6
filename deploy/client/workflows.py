"""Workflows of one account by the API, and the choice of the one that a file is pushed to."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from deploy.client.api import Api
from deploy.client.releases.tested_documents import (
    judges_first,
    judges_of,
    saved_test,
    with_replaced_judges,
)
from deploy.output.problems import ApiRefused, CommandFailed
from engine.graph.calls import called_slugs, callees_first, with_replaced_calls

Row = dict[str, Any]
PATH = "/api/workflows"
MOST_ROWS = 200


class AccountWorkflows:
    """Workflows of the account that calls the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def own(self) -> list[Row]:
        """Return all of them, without their graphs; templates of others are left out."""
        rows: list[Row] = await self._api.get(PATH)
        return [row for row in rows if row["createdBy"] is not None]

    async def get(self, slug: str) -> Row:
        """Return one whole document, in the shape that saving accepts."""
        document: Row = await self._api.get(_path(slug))
        return document

    async def tests(self, slug: str) -> Row:
        """Return the tests of an own workflow by name, in the shape that saving accepts."""
        try:
            found = await self._api.get(f"{_path(slug)}/tests")
        except ApiRefused as refusal:
            if refusal.status in (403, 404):  # another's template, or a server of an older release
                return {}
            raise
        return {row["name"]: saved_test(row) for row in found["rows"]}

    async def with_tests(self, document: Row) -> Row:
        """Return a document with the member `tests`, unless its workflow has none."""
        tests = await self.tests(document["slug"])
        return document | {"tests": tests} if tests else document

    async def save(self, body: Mapping[str, Any], slug: str | None) -> Row:
        """Save a new workflow, or the next version of `slug`, which keeps absent members.

        Returns it without its graph.
        """
        if slug is None:
            saved = await self._api.post(PATH, body)
        else:
            saved = await self._api.put(_path(slug), body)
            if body.get("draft"):
                saved = await self._api.get(_path(slug))
        return short_row(saved)

    async def delete(self, slug: str, *, force: bool = False) -> None:
        """Delete one; executions in flight finish. With `force`, others may call it."""
        await self._api.delete(_path(slug) + ("?force=true" if force else ""))

    async def draft(self, slug: str) -> Row | None:
        """Return the draft's document with its `revision`, None without one."""
        try:
            document: Row = await self._api.get(f"{_path(slug)}/draft")
        except ApiRefused as refusal:
            if refusal.code == "DRAFT_NOT_FOUND":
                return None
            raise
        return document

    async def publish(self, slug: str, revision: int, members: Mapping[str, Any]) -> Row:
        """Publish this revision of the draft; return the workflow without its graph.

        `members` are those of the API's body: `note`, `force`, `requireTests`, `canary`.
        """
        path = f"{_path(slug)}/publish"
        return short_row(await self._api.post(path, members, if_match=str(revision)))

    async def versions(self, slug: str) -> list[Row]:
        """Return the kept versions, newest first."""
        rows: list[Row] = []
        cursor = ""
        while True:
            page = await self._api.get(f"{_path(slug)}/versions?limit={MOST_ROWS}{cursor}")
            rows += page["rows"]
            if page["nextCursor"] is None:
                return rows
            cursor = f"&cursor={quote(page['nextCursor'], safe='')}"

    async def restore(self, slug: str, version: int) -> Row:
        """Publish a version as a new one; return the workflow without its graph."""
        return short_row(await self._api.post(f"{_path(slug)}/versions/{version}/restore"))


async def push(
    workflows: AccountWorkflows, body: Mapping[str, Any], *, is_new: bool = False
) -> Row:
    """Save the next version of the document's workflow, or else a new one.

    A document is a draft only if it says so. The row's `into` tells where it was saved.
    """
    slug = None if is_new else find_slug(await workflows.own(), body)
    saved = await workflows.save({"draft": False, **body}, slug)
    into = "draft" if body.get("draft") else f"version {saved['version']}"
    return saved | {"into": into}


async def push_together(
    workflows: AccountWorkflows, bodies: Sequence[Mapping[str, Any]], *, is_new: bool = False
) -> list[Row]:
    """Push documents, each after those of them that it calls; return the rows in that order.

    Calls of a document whose workflow has another slug here become calls of that; so do judges of
    tests, which are pushed before the documents with such tests.
    """
    rows: list[Row] = []
    slugs: dict[str, str] = {}
    for body in judges_first(callees_first(bodies)):
        body = with_replaced_judges(with_replaced_calls(body, slugs), slugs)
        row = await push(workflows, body, is_new=is_new)
        rows.append(row)
        slug = _slug_of(body)
        if slug is not None and slug != row["slug"]:
            slugs[slug] = row["slug"]
    return rows


async def called_documents(workflows: AccountWorkflows, document: Row) -> list[Row]:
    """Return the own workflows that a document calls, over any number of steps, by their slugs.

    Those that judge runs of its tests are among them. A workflow that is gone is left out.
    """
    found: dict[str, Row] = {}
    pending = [*called_slugs(document["nodes"]), *judges_of(document)]
    while pending:
        slug = pending.pop()
        if slug in found or slug == document["slug"]:
            continue
        try:
            found[slug] = await workflows.with_tests(await workflows.get(slug))
        except ApiRefused as refusal:
            if refusal.code != "WORKFLOW_NOT_FOUND":
                raise
            continue
        pending += [*called_slugs(found[slug]["nodes"]), *judges_of(found[slug])]
    return [found[slug] for slug in sorted(found)]


def _slug_of(body: Mapping[str, Any]) -> str | None:
    slug = body.get("slug")
    return slug if isinstance(slug, str) else None


def find_slug(own: Sequence[Row], body: Mapping[str, Any]) -> str | None:
    """Return the workflow of the document's slug, else of its name, else None."""
    if body.get("slug") in {row["slug"] for row in own}:
        slug: str = body["slug"]
        return slug
    slugs = [row["slug"] for row in own if row["name"] == body.get("name")]
    if len(slugs) > 1:
        raise CommandFailed(
            f"Several workflows are called '{body['name']}' ({', '.join(slugs)}): "
            "name one as `slug` in the file, or create another with --new."
        )
    return slugs[0] if slugs else None


def short_row(saved: Mapping[str, Any]) -> Row:
    """Return what commands show of a workflow."""
    return {
        "slug": saved["slug"],
        "name": saved["name"],
        "version": saved["version"],
        "accountId": saved["createdBy"],
        "draft": saved["version"] is None,
        "updatedAt": saved["updatedAt"],
    }


def _path(slug: str) -> str:
    return f"{PATH}/{quote(slug, safe='')}"
