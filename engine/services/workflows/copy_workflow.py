"""Copies of workflows: of one's own, or of a template, whose media are copied too."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.errors import AssetNotFound, EngineError
from engine.graph.document import Document, is_draft, parse_document
from engine.services.media import MediaService
from engine.services.secrets import find_uses
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.publish import save_new
from engine.services.workflows.save_workflow import named_assets, replace_assets
from engine.store import Store, Workflow
from engine.store.media import AssetSource


async def copy_workflow(
    store: Store,
    media_service: MediaService,
    account_id: str,
    original: Workflow,
    body: Mapping[str, Any],
    *,
    checker: GraphChecker,
) -> Workflow:
    """Save a copy for an account of a workflow as it is shown to that account.

    The copy is neither template nor public, and members of `body` replace those of the original.
    An unpublished workflow becomes a draft, and so does another account's template with secrets:
    the first run would send its hosts the copier's secrets of these names. Media of another account
    are copied. Raises InvalidBody, InvalidGraph, QuotaExceeded and what storing media raises.
    """
    base = replace(original.document, public_playground=False, is_template=False, archived=False)
    parse_document(body, base)  # refuses a body before media are copied
    is_foreign = original.account_id != account_id
    has_secrets = is_foreign and any(find_uses(base.nodes))
    drafts = is_draft(body) if "draft" in body else has_secrets or not original.version
    if is_foreign:
        ids = await _copy_media(store, media_service, account_id, original.account_id, base)
        made = list(ids.values())
    else:
        ids, made = {each: each for each in await _living(store, account_id, base)}, []
    try:
        document = parse_document(body, replace_assets(base, ids))
        return await save_new(store, account_id, document, drafts=drafts, checker=checker)
    except EngineError:
        await _delete(media_service, account_id, made)
        raise


async def _living(store: Store, account_id: str, document: Document) -> list[str]:
    own_ids = []
    for asset_id in named_assets(document):
        with contextlib.suppress(AssetNotFound):
            own_ids.append((await store.assets.get(account_id, asset_id)).id)
    return own_ids


async def _copy_media(
    store: Store, media_service: MediaService, account_id: str, owner_id: str, document: Document
) -> dict[str, str]:
    """Copy the owner's assets that a document names; return the copies' ids by the original's."""
    ids: dict[str, str] = {}
    try:
        for asset_id in sorted(named_assets(document)):
            with contextlib.suppress(AssetNotFound):  # the check of the graph tells
                asset = await store.assets.get(owner_id, asset_id)
                pieces = await media_service.stream(asset)
                copy = await media_service.save(
                    account_id, asset.content_type, pieces, source=AssetSource.UPLOAD
                )
                ids[asset_id] = copy.id
    except EngineError:
        await _delete(media_service, account_id, list(ids.values()))
        raise
    return ids


async def _delete(media_service: MediaService, account_id: str, asset_ids: list[str]) -> None:
    for asset_id in asset_ids:
        with contextlib.suppress(EngineError):  # it expires, since nothing needs it
            await media_service.delete(account_id, asset_id)
