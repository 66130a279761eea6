"""`headrace asset`: pictures, videos, sounds and documents that runs take and make."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from deploy.client.assets.caller import AssetCaller
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.output.tables import show

COLUMNS = ("id", "contentType", "bytes", "width", "height", "durationMs", "expiresAt")
T = TypeVar("T")

asset_id = click.argument("asset_id", metavar="ID")


@click.group()
def asset() -> None:
    """Upload, list, save and delete media and documents."""


@asset.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@access
@options.as_json
def upload(files: tuple[Path, ...], access: Access, as_json: bool) -> None:
    """Store each FILE and print its id, which is an input of runs."""
    made = _with_assets(access, lambda caller: caller.upload(files))
    if as_json:
        show(made, as_json=True, columns=COLUMNS)
        return
    for each in made:
        print(each["id"])


@asset.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@access
@options.as_json
def list_(limit: int, access: Access, as_json: bool) -> None:
    """List the newest assets of the account."""
    rows = _with_assets(access, lambda caller: caller.assets(limit))
    show(rows, as_json=as_json, columns=COLUMNS)


@asset.command()
@asset_id
@click.option(
    "--save",
    "to",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write its bytes to this file, or into this folder under its id.",
)
@access
@options.as_json
def get(asset_id: str, to: Path | None, access: Access, as_json: bool) -> None:
    """Show an asset with a fresh link to it, or save it."""
    if to is not None:
        print(_with_assets(access, lambda caller: caller.save(asset_id, to)))
        return
    found = _with_assets(access, lambda caller: caller.asset(asset_id))
    show(found, as_json=as_json, columns=COLUMNS)
    if not as_json:
        print(found["url"])


@asset.command()
@asset_id
@access
@options.as_json
def delete(asset_id: str, access: Access, as_json: bool) -> None:
    """Delete an asset, whatever needs it."""
    _with_assets(access, lambda caller: caller.delete(asset_id))
    deleted: dict[str, Any] = {"id": asset_id, "deleted": True}
    show(deleted, as_json=as_json, columns=("id", "deleted"))


def _with_assets(access: Access, work: Callable[[AssetCaller], Awaitable[T]]) -> T:
    async def call() -> T:
        async with open_api(access) as api:
            return await work(AssetCaller(api))

    return asyncio.run(call())
