"""`headrace demo`: the demonstration in an installation of one's own."""

import asyncio
from pathlib import Path

import click

from deploy.admin.demonstration import demonstrate
from deploy.commands import options
from deploy.net.http_client import call
from deploy.output.problems import ApiRefused, CommandFailed
from deploy.stack.banner import SignIn, addresses
from deploy.stack.location import find_stack
from deploy.stack.store_access import with_store
from deploy.up.sample_run import show
from engine.settings import load

READY_SECONDS = 10.0
OK = 200


@click.command()
@click.option(
    "--url",
    metavar="URL",
    help="Where a gateway answers from here.  [default: HEADRACE_PUBLIC_URL or the stack's]",
)
@options.data_dir
def demo(url: str | None, data_dir: Path) -> None:
    """Make a demonstration account with examples, and run one.

    Prints its answer, a new key and a link that signs in.
    """
    public_url = load().public_url.rstrip("/")
    asked = (url or public_url or find_stack(data_dir).url or "").rstrip("/")
    if not asked:
        raise CommandFailed(
            "Where the gateways are is not known here: name --url, or set HEADRACE_PUBLIC_URL."
        )
    status, answer = call("GET", f"{asked}/readyz", timeout=READY_SECONDS)
    if status != OK:
        raise ApiRefused(status, answer)
    base = public_url or asked
    made = with_store(data_dir, lambda store: demonstrate(store, base))
    if not made.is_new:
        print("The demonstration is there already. This is a new key of it; earlier ones stay.")
    print(asyncio.run(show(asked, made.key, base)))
    sign_in = SignIn(link=made.link, account_id=made.account_id)
    print(*addresses(base, sign_in), sep="\n")
