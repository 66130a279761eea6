"""`headrace session`: browsers that are signed in."""

from pathlib import Path

import click

from deploy.commands import options
from deploy.output.rows import session_row
from deploy.output.tables import show
from deploy.stack.store_access import with_store
from engine.store import SessionRecord, Store
from engine.store.audit import COMMAND

COLUMNS = ("id", "accountId", "createdAt", "lastUsedAt", "address", "userAgent")


@click.group()
def session() -> None:
    """List and end the sessions of browsers."""


@session.command("list")
@options.account
@options.data_dir
@options.as_json
def list_(account_id: str | None, data_dir: Path, as_json: bool) -> None:
    """List the sessions of one account, or of all, newest first for each."""

    async def work(store: Store) -> list[SessionRecord]:
        if account_id is None:
            owners = [account.id for account in await store.accounts.list()]
        else:
            owners = [(await store.accounts.get(account_id)).id]
        return [each for owner in owners for each in await store.session_list.all(owner)]

    sessions = with_store(data_dir, work)
    show([session_row(each) for each in sessions], as_json=as_json, columns=COLUMNS)


@session.command()
@click.argument("session_id", metavar="ID")
@options.data_dir
@options.as_json
def end(session_id: str, data_dir: Path, as_json: bool) -> None:
    """Sign a browser out; its very next request is refused."""

    async def work(store: Store) -> SessionRecord:
        ended = await store.session_list.find(session_id)
        await store.session_list.end(ended.id, ended.account_id, by=COMMAND)
        return ended

    show(session_row(with_store(data_dir, work)), as_json=as_json, columns=COLUMNS)
