"""`headrace workflow replay`: former runs again, against a draft or a version, and differences."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from deploy.client.api import Answer
from deploy.client.batches.following import ENDED, counts_text
from deploy.client.interruption import REPLAY, Interruption
from deploy.client.releases.replays import (
    ReplayCaller,
    ReplayOptions,
    report_replay,
)
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.output.tables import show

COLUMNS = ("replayId", "workflowSlug", "against", "calls", "status", "rows", "createdAt")
MOST_RUNS = 200
T = TypeVar("T")

replay_id = click.argument("replay_id", metavar="ID")
watched = click.option("--watch", is_flag=True, help="Wait for the end, and show the counts.")


@click.group()
def replay() -> None:
    """Run recorded runs again against a draft or a version, without paying for them."""


@replay.command()
@click.argument("slug")
@click.option("--last", type=click.IntRange(1, MOST_RUNS), help="The newest runs.  [default: 20]")
@click.option(
    *("--execution", "execution_ids"), multiple=True, metavar="ID", help="A run.  May be repeated."
)
@click.option(
    "--against", default="draft", show_default=True, metavar="VERSION", help="A number or a name."
)
@click.option(
    "--calls",
    type=click.Choice(("recorded", "live")),
    default="recorded",
    show_default=True,
    help="Take recorded outputs, or call and pay.",
)
@watched
@access
@options.as_json
def run(
    slug: str,
    last: int | None,
    execution_ids: tuple[str, ...],
    against: str,
    calls: str,
    watch: bool,
    access: Access,
    as_json: bool,
) -> None:
    """Replay runs of the workflow SLUG; print the replay's id.

    With --watch the command waits for the end, prints a row for each run and exits with 0 when all
    results are the same, 3 when some differ, and 1 when some failed or could not be compared.
    """
    if last is not None and execution_ids:
        raise click.UsageError("Name either --last or --execution.")
    order = ReplayOptions(
        slug=slug,
        last=last or 20,
        execution_ids=execution_ids,
        against=against,
        calls=calls,
    )
    interruption = Interruption(access, REPLAY)

    async def work(caller: ReplayCaller) -> int:
        with interruption.reported():
            started = await interruption.started(caller.start(order))
            if watch:
                ended = await caller.follow(started["replayId"], shows=True)
                return report_replay(ended, as_json=as_json)
        print(json.dumps(started) if as_json else started["replayId"])
        return 0

    sys.exit(_with_replays(access, work))


@replay.command("show")
@replay_id
@watched
@access
@options.as_json
def show_(replay_id: str, watch: bool, access: Access, as_json: bool) -> None:
    """Show a replay with a row for each run; once it is over, exit as `run --watch` does."""
    interruption = Interruption(access, REPLAY)
    interruption.set_id(replay_id)

    async def work(caller: ReplayCaller) -> int:
        found = await caller.replay(replay_id)
        if watch and found["status"] not in ENDED:
            with interruption.reported():
                found = await caller.follow(replay_id, shows=True)
        return report_replay(found, as_json=as_json)

    sys.exit(_with_replays(access, work))


@replay.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@access
@options.as_json
def list_(limit: int, access: Access, as_json: bool) -> None:
    """List the newest replays of an account, newest first."""
    rows = _with_replays(access, lambda caller: caller.replays(limit))
    show(rows if as_json else [_shown(each) for each in rows], as_json=as_json, columns=COLUMNS)


@replay.command()
@replay_id
@access
@options.as_json
def cancel(replay_id: str, access: Access, as_json: bool) -> None:
    """Cancel a replay: its queued runs never begin, and its running ones are cancelled."""
    asked = _with_replays(access, lambda caller: caller.cancel(replay_id))
    show(asked, as_json=as_json, columns=("replayId", "status"))


def _shown(replay: Answer) -> Answer:
    """Return a replay as a row of a table."""
    return {**replay, "rows": counts_text(replay)}


def _with_replays(access: Access, work: Callable[[ReplayCaller], Awaitable[T]]) -> T:
    async def call() -> T:
        async with open_api(access) as api:
            return await work(ReplayCaller(api))

    return asyncio.run(call())
