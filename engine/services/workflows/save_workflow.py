"""Saving a workflow: checks before, and references to its media after."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import AssetNotFound, InvalidBody, InvalidGraph
from engine.errors.nodes import SettingFault, SettingsError
from engine.graph.bodies import Elements, change_nodes, walk_nodes
from engine.graph.document import Document
from engine.graph.parsed import Problem, problem_at
from engine.media.ids import is_asset_id
from engine.nodes.upload import Upload, UploadSettings
from engine.services.secrets import check_secrets, note_secrets
from engine.services.workflows.callees import resolve_callees
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.public_checks import check_public
from engine.services.workflows.schema_checks import check_schema
from engine.store import Draft, Store, Workflow


async def check_document(
    store: Store,
    account_id: str,
    document: Document,
    *,
    checker: GraphChecker,
    former: Document | None = None,
    slug: str | None = None,
) -> None:
    """Check a document that an account wants to publish; `former` is the one that it replaces.

    `slug` is that of its workflow; None: it is a new one.

    Raises InvalidGraph, and InvalidBody for a new cover that is no asset of the account.
    """
    if former is None or document.cover != former.cover:
        await check_cover(store, account_id, document.cover)
    problems = await find_problems(store, account_id, document, checker=checker, slug=slug)
    if problems:
        raise InvalidGraph(problems)


async def find_problems(
    store: Store,
    account_id: str,
    document: Document,
    *,
    checker: GraphChecker,
    slug: str | None = None,
) -> list[dict[str, Any]]:
    """Return all problems of a document's graph, as callers see them.

    `slug` is that of its workflow; None: it is a new one.
    """
    callees = await resolve_callees(store, account_id, document.nodes, slug)
    graph = await checker.examine(account_id, document.nodes, document.edges, callees)
    problems = [
        *graph.problems,
        *check_schema(store.schema, document.nodes, document.edges),
        *await check_public(
            *(store, account_id, document.nodes, callees),
            slug=slug,
            is_public=document.public_playground,
        ),
        *await check_uploads(store, account_id, document.nodes),
        *await check_secrets(store, account_id, document.nodes),
    ]
    return [problem.as_dict() for problem in problems]


async def hold_media(store: Store, saved: Workflow | Draft) -> None:
    """Keep the account's assets that a saved document names as long as its workflow.

    Uses of secrets are recorded too.
    """
    named = named_assets(saved.document)
    held = (store.assets.retain_for_workflow(saved.account_id, each, saved.slug) for each in named)
    await asyncio.gather(*held, note_secrets(store, saved))


async def finish_save(store: Store, saved: Workflow | Draft) -> None:
    """Retain the media of a saved document, and add the save to the account's events."""
    await asyncio.gather(
        hold_media(store, saved),
        store.account_events.record_workflow(saved.account_id, saved.slug),
    )


def named_assets(document: Document) -> set[str]:
    """Return the ids of the assets of upload nodes and of the cover."""
    named = {settings.asset for _, settings in _uploads(document.nodes)}
    return named | {document.cover} if is_asset_id(document.cover) else named


def replace_assets(document: Document, ids: Mapping[str, str]) -> Document:
    """Return the document with other assets in its upload nodes and as its cover.

    A cover whose asset is not among `ids` is left out.
    """

    def change(node: dict[str, Any]) -> dict[str, Any]:
        settings = _upload_settings(node)
        if settings is None or not settings.asset:
            return node
        asset = ids.get(settings.asset, settings.asset)
        return {**node, "data": {**node["data"], "asset": asset}}

    nodes = change_nodes(document.nodes, change)
    cover = ids.get(document.cover) if is_asset_id(document.cover) else document.cover
    return replace(document, nodes=nodes, cover=cover)


async def check_cover(store: Store, account_id: str, cover: str | None) -> None:
    """Raises InvalidBody for a cover that is the id of no asset of the account."""
    try:
        if is_asset_id(cover):
            await store.assets.get(account_id, cover)
    except AssetNotFound:
        raise InvalidBody("'cover' names no asset of yours", field="cover") from None


async def check_uploads(store: Store, account_id: str, nodes: Elements) -> list[Problem]:
    """Return the problems of upload nodes with their assets."""
    uploads = list(_uploads(nodes))
    faults = await asyncio.gather(
        *(_upload_fault(store, account_id, settings) for _, settings in uploads)
    )
    pairs = zip(uploads, faults, strict=True)
    return [problem_at(path, fault.reason, fault.field) for (path, _), fault in pairs if fault]


async def _upload_fault(
    store: Store, account_id: str, settings: UploadSettings
) -> SettingFault | None:
    try:
        asset = await store.assets.get(account_id, settings.asset)
    except AssetNotFound:
        return SettingFault("asset names no asset of yours", "asset")
    if asset.medium is settings.kind:
        return None
    return SettingFault(f"kind is {settings.kind}, and the asset is {asset.medium}", "kind")


def _uploads(nodes: Elements) -> Iterator[tuple[tuple[str, ...], UploadSettings]]:
    """Yield the paths and settings of upload nodes with valid settings, in bodies too."""
    for path, node in walk_nodes(nodes):
        settings = _upload_settings(node)
        if settings is not None and isinstance(node.get("id"), str):
            yield path, settings


def _upload_settings(node: Mapping[str, Any]) -> UploadSettings | None:
    data = node.get("data")
    if node.get("type") != Upload.type or not isinstance(data, dict):
        return None
    try:
        settings: UploadSettings = Upload().parse(data)
    except SettingsError:
        return None  # reported by the check of the graph
    return settings
