"""`headrace workflow`: documents in files become workflows of an account."""

import json
from pathlib import Path
from typing import Any

import click

from deploy.commands import options
from deploy.output import show
from deploy.problems import CommandFailed

COLUMNS = ("slug", "name", "version", "accountId", "draft", "updatedAt")


@click.group()
def workflow() -> None:
    """Save and list workflows."""


@workflow.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.required_account
@options.data_dir
@options.as_json
def push(file: Path, account_id: str, data_dir: Path, as_json: bool) -> None:
    """Save a document: as the next version of its `slug` where the account has that, else anew."""
    from deploy.documents import push_workflow
    from deploy.records import workflow_row
    from deploy.store_access import with_store
    from engine.settings import load
    from engine.store import Store, Workflow

    document = _read(file)
    allow_private = load().allow_private_urls

    async def work(store: Store) -> Workflow:
        account = await store.accounts.get(account_id)
        return await push_workflow(store, account.id, document, allow_private=allow_private)

    show(workflow_row(with_store(data_dir, work)), as_json=as_json, columns=COLUMNS)


@workflow.command("list")
@options.account
@options.data_dir
@options.as_json
def list_(account_id: str | None, data_dir: Path, as_json: bool) -> None:
    """List the workflows of one account, or of all."""
    from deploy.records import workflow_row
    from deploy.store_access import with_store
    from engine.store import Store, Workflow

    async def work(store: Store) -> list[Workflow]:
        if account_id is None:
            owners = [account.id for account in await store.accounts.list()]
        else:
            owners = [(await store.accounts.get(account_id)).id]
        return [found for owner in owners for found in await store.workflows.list(owner)]

    found = with_store(data_dir, work)
    show([workflow_row(workflow) for workflow in found], as_json=as_json, columns=COLUMNS)


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise CommandFailed(f"{file} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise CommandFailed(f"{file} holds no workflow document: it must be a JSON object.")
    return document
