"""`headrace top`: runs, queues, workers, slow nodes, providers and the history, live."""

import json
import os
import shutil
import sys
from pathlib import Path

import click

from deploy.admin.top.layout import draw
from deploy.admin.top.reading import Reading, read_with_rates
from deploy.admin.top.report import as_dict
from deploy.commands import options
from deploy.stack.store_access import with_store
from engine.store import Store

MOST_LINES = 1_000
"""Lines of output that has no screen."""


@click.command()
@click.option("--once", is_flag=True, help="Print it once, as for output that is no terminal.")
@click.option(
    "--interval",
    type=click.FloatRange(0.5, 60),
    default=2.0,
    show_default=True,
    help="Seconds between two readings.",
)
@options.data_dir
@options.as_json
def top(data_dir: Path, interval: float, *, once: bool, as_json: bool) -> None:
    """Show runs per second, queues, workers, slow node types, providers and the history.

    Live on a terminal, until q or Ctrl-C. NO_COLOR=1 leaves colours out.
    """
    is_live = not (once or as_json) and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    async def work(store: Store) -> None:
        reading = await read_with_rates(store)
        if not is_live:
            _print(reading, as_json=as_json)
            return
        from deploy.admin.top.live import watch  # of a library that takes long to import

        await watch(store, reading, interval)

    with_store(data_dir, work)


def _print(reading: Reading, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(as_dict(reading), ensure_ascii=False))
        return
    width = shutil.get_terminal_size().columns
    for line in draw(reading, width, MOST_LINES):
        print("".join(text for text, _ in line).rstrip())
