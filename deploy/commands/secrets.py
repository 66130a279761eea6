"""`headrace secret`: secrets of an account, for its HTTP Requests."""

import sys
from pathlib import Path

import click

from deploy.admin.secrets import delete_secret, find_secrets, save_secret
from deploy.commands import options
from deploy.output.problems import CommandFailed
from deploy.output.rows import secret_row
from deploy.output.tables import show
from deploy.stack.location import read_private
from deploy.stack.store_access import with_store

COLUMNS = ("name", "createdAt", "updatedAt")
LIST_COLUMNS = (*COLUMNS, "hosts", "usedBy")
name = click.argument("name", metavar="NAME")
account = click.option(
    "--account", "account_id", metavar="ID", help="The account's id.  [default: the demo's]"
)


@click.group()
def secret() -> None:
    """Set, list and delete secrets of an account."""


@secret.command("set")
@name
@account
@click.option(
    "--host",
    "hosts",
    metavar="HOST",
    multiple=True,
    help="Send it to this host alone, or below *.DOMAIN; may be repeated.  [default: as before]",
)
@click.option("--any-host", is_flag=True, help="Send it to any host.")
@options.data_dir
@options.as_json
def set_(
    name: str,
    account_id: str | None,
    hosts: tuple[str, ...],
    any_host: bool,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Set a secret to the text on standard input, without its last line break."""
    if hosts and any_host:
        raise CommandFailed("Give either --host or --any-host.")
    value, owner = _read_value(), account_id or _demo_account(data_dir)
    sent_to = hosts if hosts or any_host else None
    saved = with_store(data_dir, lambda store: save_secret(store, owner, name, value, sent_to))
    show(secret_row(saved), as_json=as_json, columns=COLUMNS)


@secret.command("list")
@account
@options.data_dir
@options.as_json
def list_(account_id: str | None, data_dir: Path, as_json: bool) -> None:
    """List the secrets by name, without their values, and the workflows that use each."""
    owner = account_id or _demo_account(data_dir)
    secrets = with_store(data_dir, lambda store: find_secrets(store, owner))
    rows = [
        secret_row(each) | {"hosts": list(each.hosts) or None, "usedBy": slugs}
        for each, slugs in secrets
    ]
    show(rows, as_json=as_json, columns=LIST_COLUMNS)


@secret.command()
@name
@account
@options.data_dir
@options.as_json
def delete(name: str, account_id: str | None, data_dir: Path, as_json: bool) -> None:
    """Delete a secret; nodes that use it fail from now on."""
    owner = account_id or _demo_account(data_dir)
    with_store(data_dir, lambda store: delete_secret(store, owner, name))
    show({"name": name, "deleted": True}, as_json=as_json, columns=("name", "deleted"))


def _read_value() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Value", hide_input=True))
    try:
        value = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise CommandFailed("The value on standard input is not UTF-8.") from None
    return value.removesuffix("\n").removesuffix("\r")


def _demo_account(data_dir: Path) -> str:
    account_id = read_private(data_dir / "demo.json").get("accountId")
    if not isinstance(account_id, str):
        raise CommandFailed("There is no demo account here: name an --account.")
    return account_id
