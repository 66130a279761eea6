"""`headrace batch`: runs of one workflow for many inputs."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from deploy.client.api import Answer
from deploy.client.batches.batch_run import BatchOptions, report_batch, run_batch
from deploy.client.batches.caller import BatchCaller
from deploy.client.batches.following import ENDED, counts_text, follow_batch
from deploy.client.batches.result_files import check_output, write_results
from deploy.client.interruption import BATCH, Interruption
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.output.tables import show

COLUMNS = ("batchId", "workflowSlug", "status", "items", "creditsCost", "createdAt", "completedAt")
T = TypeVar("T")

batch_id = click.argument("batch_id", metavar="ID")
output = click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the results to FILE: CSV or JSON lines, by its ending (.csv, .jsonl).",
)
watched = click.option("--watch", is_flag=True, help="Wait for the end, and show the counts.")


@click.group()
def batch() -> None:
    """Run a workflow for each row of a file; list, show, cancel and retry batches."""


@batch.command()
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="A tag.  May be repeated.")
@click.option("--concurrency", type=click.IntRange(1, 100), help="Items at a time.  [default: 20]")
@watched
@output
@access
@options.as_json
def run(
    slug: str,
    file: Path,
    tags: tuple[str, ...],
    concurrency: int | None,
    watch: bool,
    output: Path | None,
    access: Access,
    as_json: bool,
) -> None:
    """Run the workflow SLUG once for each row of FILE.

    FILE is CSV, with the names of fields in its first row (a cell @FILE uploads an image, a video,
    a sound or a document), or JSON lines, each an object of inputs. The batch's id is printed at
    once; with --watch or --output the command waits for the end.
    """
    order = BatchOptions(
        slug=slug,
        file=file,
        tags=tags,
        concurrency=concurrency,
        watch=watch,
        output=output,
        as_json=as_json,
    )
    sys.exit(asyncio.run(run_batch(order, access)))


@batch.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@access
@options.as_json
def list_(limit: int, access: Access, as_json: bool) -> None:
    """List the newest batches of an account, newest first."""
    rows = _with_batches(access, lambda caller: caller.batches(limit))
    show([_shown(each) for each in rows] if not as_json else rows, as_json=as_json, columns=COLUMNS)


@batch.command("show")
@batch_id
@watched
@output
@access
@options.as_json
def show_(batch_id: str, watch: bool, output: Path | None, access: Access, as_json: bool) -> None:
    """Show a batch with its counts, or write the results that it has so far."""
    if output is not None:
        check_output(output)
    interruption = Interruption(access, BATCH)
    interruption.set_id(batch_id)

    async def work(caller: BatchCaller) -> int:
        found = await caller.batch(batch_id)
        if watch:
            if found["status"] not in ENDED:
                with interruption.reported():
                    found = await follow_batch(caller, batch_id, shows=True)
            return await report_batch(caller, found, output=output, as_json=as_json)
        if output is not None:
            await write_results(output, caller.items(batch_id))
        show(found if as_json else _shown(found), as_json=as_json, columns=COLUMNS)
        return 0

    sys.exit(_with_batches(access, work))


@batch.command()
@batch_id
@access
@options.as_json
def cancel(batch_id: str, access: Access, as_json: bool) -> None:
    """Cancel a batch: its queued items never begin, and its running ones are cancelled."""
    asked = _with_batches(access, lambda caller: caller.cancel(batch_id))
    show(asked, as_json=as_json, columns=("batchId", "status"))


@batch.command()
@batch_id
@access
@options.as_json
def retry(batch_id: str, access: Access, as_json: bool) -> None:
    """Run the failed items of a batch again, in a new batch on the same version."""
    started = _with_batches(access, lambda caller: caller.retry(batch_id))
    show(started, as_json=as_json, columns=("batchId", "items", "status"))


def _shown(batch: Answer) -> Answer:
    """Return a batch as a row of a table."""
    return {**batch, "items": counts_text(batch)}


def _with_batches(access: Access, work: Callable[[BatchCaller], Awaitable[T]]) -> T:
    async def call() -> T:
        async with open_api(access) as api:
            return await work(BatchCaller(api))

    return asyncio.run(call())
