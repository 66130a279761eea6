"""`headrace init`: initialization of an installation on a Redis."""

import json
from pathlib import Path

import click

from deploy.commands import options
from deploy.stack.installation import SENTENCES, begin
from engine.ids.partitions import DEFAULT_COUNT, MAX_COUNT


@click.command()
@click.option(
    "--adopt",
    is_flag=True,
    help="Replace the marker of another key, when that key is lost.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, MAX_COUNT),
    help=f"Number of partitions of a new installation, for good.  [default: {DEFAULT_COUNT}]",
)
@options.data_dir
@options.as_json
def init(adopt: bool, partitions: int | None, data_dir: Path, as_json: bool) -> None:
    """Mark a Redis as this installation's, once, so that gateways and workers serve it."""
    row = begin(data_dir, adopts=adopt, partition_count=partitions)
    print(json.dumps(row) if as_json else SENTENCES[row["outcome"]])
