"""`headrace init`: initialization of an installation on a Redis."""

import json
from pathlib import Path

import click

from deploy.commands import options
from deploy.stack.installation import SENTENCES, begin


@click.command()
@click.option(
    "--adopt",
    is_flag=True,
    help="Replace the marker of another key, when that key is lost.",
)
@options.data_dir
@options.as_json
def init(adopt: bool, data_dir: Path, as_json: bool) -> None:
    """Mark a Redis as this installation's, once, so that gateways and workers serve it."""
    row = begin(data_dir, adopts=adopt)
    print(json.dumps(row) if as_json else SENTENCES[row["outcome"]])
