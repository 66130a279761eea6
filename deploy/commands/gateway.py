"""`headrace gateway`: one gateway, for one of many machines."""

import sys
from dataclasses import replace

import click

from deploy.commands import options
from engine.access.sealing import Sealer
from engine.settings import load
from gateway.server import run


@click.command()
@options.host
@options.port
def gateway(host: str | None, port: int | None) -> None:
    """Run one gateway: the HTTP API on HEADRACE_REDIS_URL."""
    settings = load()
    Sealer.from_secret_key(settings.secret_key).require_key()
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )
    sys.exit(run(settings))
