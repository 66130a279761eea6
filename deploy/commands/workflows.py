"""`headrace workflow`: documents in files become workflows of an account, and back."""

import json
from pathlib import Path
from typing import Any

import click

from deploy.client.document_files import read_document
from deploy.client.selection import with_workflows
from deploy.client.server_access import Access
from deploy.client.workflows import AccountWorkflows, Row, push_together, short_row
from deploy.commands import options, workflow_versions
from deploy.commands.access_option import access
from deploy.commands.workflow_aliases import alias
from deploy.commands.workflow_replays import replay
from deploy.commands.workflow_tests import run_tests
from deploy.output.rows import listed_row
from deploy.output.tables import show
from deploy.stack.store_access import with_store
from engine.store import Store

COLUMNS = ("slug", "name", "version", "accountId", "draft", "updatedAt")
PUSHED = ("slug", "name", "into", "accountId", "updatedAt")
API_COLUMNS = ("slug", "name", "isTemplate", "archived", "estimatedCreditCost", "updatedAt")
slug = click.argument("slug")


@click.group()
def workflow() -> None:
    """Save, test, publish, replay, list and delete workflows."""


for command in (*workflow_versions.commands, run_tests, alias, replay):
    workflow.add_command(command)


@workflow.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--new", "is_new", is_flag=True, help="Create another workflow in any case.")
@access
@options.as_json
def push(
    files: tuple[Path, ...],
    is_new: bool,
    access: Access,
    as_json: bool,
) -> None:
    """Save each document as the next version of its workflow, or as a new one.

    Its workflow is the one of the `slug` in the file, else the one of its name. Of several files,
    those that others call are saved before them, and the others call them by the slugs that they
    get.
    """
    documents = [read_document(file) for file in files]
    saved = with_workflows(access, lambda own: push_together(own, documents, is_new=is_new))
    show(saved[0] if len(files) == 1 else saved, as_json=as_json, columns=PUSHED)


@workflow.command("list")
@access
@options.as_json
def list_(access: Access, as_json: bool) -> None:
    """List the workflows of an account: of a key, of --account, or of all on the stack here."""
    if access.key is not None or access.remote_api() is not None:
        show(with_workflows(access, lambda own: own.own()), as_json=as_json, columns=API_COLUMNS)
    elif access.account_id is not None:
        rows = [short_row(each) for each in with_workflows(access, lambda own: own.own())]
        show(rows, as_json=as_json, columns=COLUMNS)
    else:
        show(_list_all(access.data_dir), as_json=as_json, columns=COLUMNS)


@workflow.command()
@slug
@access
@options.as_json
def get(slug: str, access: Access, as_json: bool) -> None:
    """Print a whole document, as `push` takes it."""

    async def read(own: AccountWorkflows) -> Row:
        return await own.with_tests(await own.get(slug))

    document = with_workflows(access, read)
    print(json.dumps(document, indent=None if as_json else 2, ensure_ascii=False))


@workflow.command()
@slug
@click.option("--force", is_flag=True, help="Delete it though other workflows call it.")
@access
@options.as_json
def delete(slug: str, force: bool, access: Access, as_json: bool) -> None:
    """Delete a workflow that no other one calls; executions in flight finish."""
    with_workflows(access, lambda own: own.delete(slug, force=force))
    show({"slug": slug, "deleted": True}, as_json=as_json, columns=("slug", "deleted"))


def _list_all(data_dir: Path) -> list[dict[str, Any]]:
    async def work(store: Store) -> list[dict[str, Any]]:
        owners = await store.accounts.list()
        return [
            listed_row(summary)
            for owner in owners
            for summary in await store.workflow_list.own(owner.id)
        ]

    return with_store(data_dir, work)
