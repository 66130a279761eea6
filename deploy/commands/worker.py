"""`headrace worker`: one worker process, for one of many machines."""

import sys

import click

from engine.access.sealing import Sealer
from engine.settings import load
from workers.main import run


@click.command()
def worker() -> None:
    """Run one worker process on HEADRACE_REDIS_URL."""
    settings = load()
    Sealer.from_secret_key(settings.secret_key).require_key()
    sys.exit(run(settings))
