"""Assets by the API: pictures, videos, sounds and documents of an account."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from deploy.client.api import Answer, Api
from deploy.client.assets.content_types import ending_of
from deploy.client.callers import WorkflowCaller, read_rows
from deploy.output.problems import CommandFailed

PATH = "/api/assets"
MEDIA = "/media/"
"""Path of links to the bytes of assets, below the address of the installation."""


class AssetCaller:
    """Uploads, reads, saves and deletes assets, in the names of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def upload(self, files: Sequence[Path]) -> list[Answer]:
        """Store files one after another; their assets, in this order."""
        return [await self._api.upload(file) for file in files]

    async def assets(self, limit: int) -> list[Answer]:
        """Return the newest assets of the account."""
        return await read_rows(self._api, PATH, limit)

    async def asset(self, asset_id: str) -> Answer:
        """Return an asset, with a fresh link to it."""
        asset: Answer = await self._api.get(_path(asset_id))
        return asset

    async def delete(self, asset_id: str) -> None:
        """Delete an asset, whatever needs it."""
        await self._api.delete(_path(asset_id))

    async def save(self, asset_id: str, to: Path) -> Path:
        """Write the bytes of an asset to a file, or into a folder under its id; return the file.

        A file that is there is replaced once all bytes have come.
        """
        asset = await self.asset(asset_id)
        file = _place(asset, to)
        part = file.with_name(f"{file.name}.part")
        try:
            with part.open("wb") as writing:
                async with contextlib.aclosing(self._api.download(_link(asset))) as pieces:
                    async for piece in pieces:
                        writing.write(piece)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return file


def _path(asset_id: str) -> str:
    return f"{PATH}/{quote(asset_id, safe='')}"


def _place(asset: Answer, to: Path) -> Path:
    """Return the file to write. Raises CommandFailed where its folder is missing."""
    file = to / f"{asset['id']}{ending_of(asset['contentType'])}" if to.is_dir() else to
    if not file.absolute().parent.is_dir():
        raise CommandFailed(f"There is no folder {file.absolute().parent} to save into.")
    return file


def _link(asset: Answer) -> str:
    """Return path and query of the link; the bytes come from the server that is called."""
    parts = urlsplit(asset["url"])
    at = parts.path.rfind(MEDIA)
    if at < 0:
        raise CommandFailed(
            f"The server gave no link to the asset {asset['id']}, but {asset['url']}."
        )
    return f"{parts.path[at:]}?{parts.query}"


async def save_media(api: Api, execution: Answer, folder: Path) -> list[Path]:
    """Write the assets of an execution's result into a folder; return their files."""
    found = await WorkflowCaller(api).execution(execution["executionId"])
    caller, named = AssetCaller(api), found.get("assets") or ()
    return [await caller.save(each["id"], folder) for each in _distinct(named)]


def _distinct(assets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({each["id"]: each for each in assets}.values())
