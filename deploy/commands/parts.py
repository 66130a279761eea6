"""`headrace up`, `gateway`, `worker`: the whole stack, or one part for one of many machines.

Each imports its own part alone, and a part only once the importing is set up.
"""

import sys
from pathlib import Path

import click

from deploy.commands import options


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
    import asyncio

    from deploy.stack.fork_server import ForkServer
    from deploy.up.stack_run import StackOptions, serve
    from engine.settings import load

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


@click.command()
@options.host
@options.port
def gateway(host: str | None, port: int | None) -> None:
    """Run one gateway: the HTTP API on HEADRACE_REDIS_URL."""
    from dataclasses import replace

    from engine.process.setup import begin_imports

    begin_imports()

    from engine.access.sealing import Sealer
    from engine.settings import load
    from gateway.server import run

    settings = load()
    Sealer.from_secret_key(settings.secret_key).require_key()
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )
    sys.exit(run(settings))


@click.command()
def worker() -> None:
    """Run one worker process on HEADRACE_REDIS_URL."""
    from engine.process.setup import begin_imports

    begin_imports()

    from engine.access.sealing import Sealer
    from engine.settings import load
    from workers.main import run

    settings = load()
    Sealer.from_secret_key(settings.secret_key).require_key()
    sys.exit(run(settings))
