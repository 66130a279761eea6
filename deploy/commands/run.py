"""`headrace run`: run a workflow from the terminal, over HTTP where a server answers."""

import asyncio
import sys

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
    help="An input; NAME:=JSON gives any JSON value, NAME=@FILE uploads an image, a video or a "
    "sound.  May be repeated.",
)
@click.option("--tag", "tags", multiple=True, help="A tag of the run; may be repeated.")
@click.option("--async", "in_background", is_flag=True, help="Do not wait for the end.")
@click.option("--watch", is_flag=True, help="Show the nodes while they run.")
@access
@options.as_json
def run(
    slug: str,
    inputs: tuple[str, ...],
    tags: tuple[str, ...],
    in_background: bool,
    watch: bool,
    access: Access,
    as_json: bool,
) -> None:
    """Run the workflow SLUG and print its result."""
    if in_background and watch:
        raise click.UsageError("--async does not wait, so there is nothing to --watch.")
    order = RunOptions(
        slug=slug,
        inputs=inputs,
        tags=tags,
        in_background=in_background,
        watch=watch,
        as_json=as_json,
    )
    sys.exit(asyncio.run(run_workflow(order, access)))
