"""`headrace run`: run a workflow from the terminal, over HTTP where a server answers."""

import asyncio
import sys
from pathlib import Path

import click

from deploy.client.server_access import Access
from deploy.client.workflow_run import RunOptions, run_workflow
from deploy.commands import options
from deploy.commands.access_option import access


@click.command()
@click.argument("slug")
@click.option(
    "-i",
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    help="An input; NAME:=JSON gives any JSON value, NAME=@FILE uploads an image, a video, a "
    "sound or a document.  May be repeated.",
)
@click.option("--tag", "tags", multiple=True, help="A tag of the run; may be repeated.")
@click.option("--async", "in_background", is_flag=True, help="Do not wait for the end.")
@click.option("--watch", is_flag=True, help="Show the nodes while they run.")
@click.option(
    "--save",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Save the pictures, videos, sounds and documents of the result into this folder.",
)
@access
@options.as_json
def run(
    slug: str,
    inputs: tuple[str, ...],
    tags: tuple[str, ...],
    in_background: bool,
    watch: bool,
    save: Path | None,
    access: Access,
    as_json: bool,
) -> None:
    """Run the workflow SLUG and print its result."""
    if in_background and watch:
        raise click.UsageError("--async does not wait, so there is nothing to --watch.")
    if in_background and save is not None:
        raise click.UsageError("--async does not wait, so there is nothing to --save.")
    order = RunOptions(
        slug=slug,
        inputs=inputs,
        tags=tags,
        in_background=in_background,
        watch=watch,
        save=save,
        as_json=as_json,
    )
    sys.exit(asyncio.run(run_workflow(order, access)))
