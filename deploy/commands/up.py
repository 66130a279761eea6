"""`headrace up`: the whole stack on this machine."""

import asyncio
import sys
from pathlib import Path

import click

from deploy.commands import options
from deploy.stack.fork_server import ForkServer
from deploy.up.stack_run import StackOptions, serve
from engine.settings import load


@click.command()
@options.host
@options.port
@options.data_dir
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option("--gateways", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--no-demo", is_flag=True, help="Create no account, key or example workflows.")
@click.option(
    "--demo-provider",
    is_flag=True,
    help="Let a stub with made-up answers stand in for the providers that are not set up.",
)
@click.option("--local", is_flag=True, help="Run a model here too; HEADRACE_LOCAL_MODEL names one.")
def up(
    host: str | None,
    port: int | None,
    data_dir: Path,
    workers: int,
    gateways: int,
    no_demo: bool,
    demo_provider: bool,
    local: bool,
) -> None:
    """Run the whole stack here, until Ctrl-C."""
    settings = load()
    asked = StackOptions(
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        data_dir=data_dir,
        workers=workers,
        gateways=gateways,
        demo=not no_demo,
        demo_provider=demo_provider,
        local_model=local or bool(settings.local_model),
    )
    sys.exit(asyncio.run(serve(asked, settings, ForkServer.open())))
