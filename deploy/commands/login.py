"""`headrace login-link`: sign-in links for the pages of an installation."""

import time
from pathlib import Path

import click

from deploy.admin.sign_in import make_login_link
from deploy.commands import options
from deploy.output.problems import CommandFailed
from deploy.output.rows import login_row
from deploy.output.tables import show
from deploy.stack.location import find_stack
from deploy.stack.store_access import with_store
from engine.settings import load
from engine.store.accounts.sessions import LOGIN_MS


@click.command("login-link")
@options.required_account
@options.data_dir
@options.as_json
def login_link(account_id: str, data_dir: Path, as_json: bool) -> None:
    """Print an address that signs one browser in, once, within ten minutes."""
    base = load().public_url or find_stack(data_dir).url
    if not base:
        raise CommandFailed(
            "Where the gateways are is not known here: set HEADRACE_PUBLIC_URL to their address."
        )
    link = with_store(data_dir, lambda store: make_login_link(store, account_id, base))
    expires_at = int(time.time() * 1000) + LOGIN_MS
    row = login_row(account_id, link, expires_at)
    if as_json:
        show(row, as_json=True, columns=())
    else:
        print(row["url"])
