"""Flows of assets: upload, get, list, delete."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from headrace_client.core.content_types import guess_type
from headrace_client.core.decoding import decode
from headrace_client.core.effects import Flow, Request, UploadPart
from headrace_client.core.pages import iterate_pages, query_of
from headrace_client.core.session import Session
from headrace_client.models import Asset
from headrace_client.options import File

PATH = "/api/assets"
UPLOADS = "uploads"
UNNAMED = "file"
UPLOAD_SILENCE_SECONDS = 120.0


def _path(asset_id: str) -> str:
    return f"{PATH}/{quote(asset_id, safe='')}"


def upload_asset(
    session: Session, file: File, name: str | None, content_type: str | None
) -> Flow[Asset]:
    """Store a file. It is not sent again once the server may have stored it."""
    with open_part(file, name, content_type) as part:
        request = Request(
            method="POST", path=PATH, upload=part, silence_seconds=UPLOAD_SILENCE_SECONDS
        )
        members = yield from session.fetch(
            request, session.deadline(), bucket=UPLOADS, is_repeatable=False
        )
    return decode(Asset, members)


@contextlib.contextmanager
def open_part(file: File, name: str | None, content_type: str | None) -> Iterator[UploadPart]:
    """Open a path, or take bytes or an open file as they are; the type follows from the name."""
    if isinstance(file, (str, os.PathLike)):
        path = Path(file)
        with path.open("rb") as opened:
            yield _part(opened, name or path.name, content_type)
        return
    own_name = getattr(file, "name", None)
    if name is None and isinstance(own_name, str):
        name = Path(own_name).name
    yield _part(file, name or UNNAMED, content_type)


def _part(content: bytes | BinaryIO, name: str, content_type: str | None) -> UploadPart:
    return UploadPart(name, content_type or guess_type(name), content)


def get_asset(
    session: Session, asset_id: str, width: int | None, page: int | None = None
) -> Flow[Asset]:
    """Return an asset with a fresh link to it, or to a picture of at least that width."""
    query = query_of({"w": width, "page": page})
    request = Request(method="GET", path=_path(asset_id), query=query)
    return decode(Asset, (yield from session.fetch(request, session.deadline())))


def list_assets(session: Session, limit: int | None) -> Flow[None]:
    """Emit assets, newest first."""
    return iterate_pages(session, Asset, PATH, query_of({"limit": limit}))


def delete_asset(session: Session, asset_id: str) -> Flow[None]:
    """Delete an asset. Raises NotFoundError for one that is not there."""
    request = Request(method="DELETE", path=_path(asset_id))
    yield from session.send(request, session.deadline())
