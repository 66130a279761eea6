"""`headrace stub-provider`: a provider of models for development, with made-up answers."""

import sys

import click

from deploy.output.problems import CommandFailed
from deploy.stub_provider.app import create_app
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.limits import LimitOptions
from deploy.stub_provider.server import run

_AT_LEAST_ONE = click.IntRange(1, 10_000_000)


@click.command("stub-provider")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8800,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--requests-per-minute", type=_AT_LEAST_ONE, help="For each API key.")
@click.option("--tokens-per-minute", type=_AT_LEAST_ONE, help="For each API key.")
@click.option("--concurrency", type=_AT_LEAST_ONE, help="Calls at once for each API key.")
@click.option(
    "--burst",
    type=click.FloatRange(0.01, 60),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds' worth of a limit that may be used at once.",
)
@click.option("--script", default="", help='Holds for every call, such as "delay=1000".')
def stub_provider(
    host: str,
    port: int,
    requests_per_minute: int | None,
    tokens_per_minute: int | None,
    concurrency: int | None,
    burst: float,
    script: str,
) -> None:
    """Speak the protocols of model providers, with made-up answers, until Ctrl-C.

    For development and tests: nothing is asked of any real model.
    """
    limits = LimitOptions(
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        concurrency=concurrency,
        burst_seconds=burst,
    )
    try:
        app = create_app(limits, script)
    except StubRefused as refused:
        raise CommandFailed(f"--script: {refused.message}") from None
    sys.exit(run(app, host, port))
