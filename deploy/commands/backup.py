"""`headrace backup` and `headrace restore`: a whole installation in one file."""

import asyncio
from pathlib import Path

import click

from deploy.backup.backup import back_up
from deploy.backup.progress import ProgressLines
from deploy.backup.restore import restore as restore_installation
from deploy.commands import options
from deploy.output.tables import show

COLUMNS = (
    *("file", "bytes", "takenAt", "redisBytes", "historyExecutions", "mediaObjects", "mediaBytes"),
)
RESTORED_COLUMNS = ("takenAt", "redis", "keys", "history", "historyExecutions", "missingMedia")
file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@file
@options.data_dir
@options.as_json
def backup(file: Path, data_dir: Path, as_json: bool) -> None:
    """Save the Redis and the history of a running stack to the new FILE, with a list of its media.

    The key for secrets and the media are not in the file.
    """
    row = asyncio.run(back_up(data_dir, file, ProgressLines(is_quiet=as_json)))
    show(row, as_json=as_json, columns=COLUMNS)


@click.command()
@file
@options.data_dir
@options.as_json
def restore(file: Path, data_dir: Path, as_json: bool) -> None:
    """Restore FILE into an empty data directory, or the empty Redis of HEADRACE_REDIS_URL.

    The stack must not run, and the old key must be set.
    """
    row = asyncio.run(restore_installation(data_dir, file, ProgressLines(is_quiet=as_json)))
    show(row, as_json=as_json, columns=RESTORED_COLUMNS)
