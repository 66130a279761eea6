"""`headrace key`: API keys."""

from datetime import datetime
from pathlib import Path

import click

from deploy.admin.webhooks import set_webhook
from deploy.commands import options
from deploy.output.problems import CommandFailed
from deploy.output.rows import key_row, webhook_row
from deploy.output.tables import show
from deploy.stack.store_access import with_store
from engine.access.capabilities import PRESETS
from engine.store import ApiKey, Store
from engine.store.audit import COMMAND

COLUMNS = (
    *("id", "accountId", "name", "prefix", "last4", "capabilities", "createdAt", "expiresAt"),
    "client",
)
WEBHOOK_COLUMNS = ("keyId", "url", "enabled", "secret", "createdAt")
CREATED_COLUMNS = ("id", "key", "capabilities")


@click.group()
def key() -> None:
    """Create, list and revoke API keys."""


@key.command()
@options.required_account
@click.option("--preset", metavar="NAME", help='A set of capabilities, such as "Workflow Deploy".')
@click.option("--capability", "capabilities", multiple=True, metavar="C", help="May be repeated.")
@click.option("--name", default="Command line", show_default=True)
@options.expires("it is refused")
@options.data_dir
@options.as_json
def create(
    account_id: str,
    preset: str | None,
    capabilities: tuple[str, ...],
    name: str,
    expires: datetime | None,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Create a key; its secret is shown this once."""
    chosen = _chosen(preset, capabilities)

    async def work(store: Store) -> tuple[ApiKey, str]:
        account = await store.accounts.get(account_id)
        return await store.api_keys.create(
            account,
            name=name,
            capabilities=chosen,
            expires_at=options.milliseconds(expires),
            by=COMMAND,
        )

    made, secret = with_store(data_dir, work)
    show(key_row(made) | {"key": secret}, as_json=as_json, columns=CREATED_COLUMNS)


@key.command("list")
@options.account
@options.data_dir
@options.as_json
def list_(account_id: str | None, data_dir: Path, as_json: bool) -> None:
    """List the keys of one account, or of all."""

    async def work(store: Store) -> list[ApiKey]:
        if account_id is None:
            owners = [account.id for account in await store.accounts.list()]
        else:
            owners = [(await store.accounts.get(account_id)).id]
        return [key for owner in owners for key in await store.api_keys.list(owner)]

    keys = with_store(data_dir, work)
    show([key_row(key) for key in keys], as_json=as_json, columns=COLUMNS)


@key.command()
@click.argument("key_id", metavar="ID")
@options.data_dir
@options.as_json
def revoke(key_id: str, data_dir: Path, as_json: bool) -> None:
    """Delete a key; the very next request with it is refused."""
    revoked = with_store(data_dir, lambda store: store.api_keys.revoke(key_id, by=COMMAND))
    show(key_row(revoked), as_json=as_json, columns=COLUMNS)


@key.command()
@click.argument("key_id", metavar="ID")
@click.option("--url", required=True, metavar="U", help="URL that events are sent to.")
@click.option("--secret", metavar="S", help="A secret of your own; else one is made and shown.")
@options.webhook_events("--event")
@options.data_dir
@options.as_json
def webhook(
    key_id: str,
    url: str,
    secret: str | None,
    events: tuple[str, ...],
    data_dir: Path,
    as_json: bool,
) -> None:
    """Set where a key's asynchronous runs are told."""
    saved = with_store(data_dir, lambda store: set_webhook(store, key_id, url, secret, events))
    show(webhook_row(key_id, saved), as_json=as_json, columns=WEBHOOK_COLUMNS)


def _chosen(preset: str | None, capabilities: tuple[str, ...]) -> tuple[str, ...]:
    if (preset is None) == (not capabilities):
        raise click.UsageError("Name either a --preset or each --capability.")
    if preset is None:
        return capabilities
    by_name = {name.lower(): held for name, held in PRESETS.items()}
    if preset.lower() not in by_name:
        raise CommandFailed(f"There is no preset '{preset}'; there are {', '.join(PRESETS)}.")
    return by_name[preset.lower()]
