"""Options that several commands share."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

DATA_DIR = Path(".headrace")
DATA_DIR_VARIABLE = "HEADRACE_DATA_DIR"
CREDITS = click.IntRange(1, 2**53 - 1)

data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA_DIR,
    envvar=DATA_DIR_VARIABLE,
    help=f"The stack's data directory.  [default: {DATA_DIR_VARIABLE} or {DATA_DIR}]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
account = click.option("--account", "account_id", metavar="ID", help="The account's id.")
key = click.option("--key", help="An API key.  [default: HEADRACE_API_KEY or the demo's]")
required_account = click.option(
    "--account", "account_id", metavar="ID", required=True, help="The account's id."
)
host = click.option("--host", help="Address to listen on.  [default: HEADRACE_HOST or 127.0.0.1]")
port = click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="Port to listen on; 0 takes a free one.  [default: HEADRACE_PORT or 8000]",
)


def expires(words: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return an option that takes a day; `words` say what happens at its beginning."""
    return click.option(
        "--expires",
        type=click.DateTime(formats=["%Y-%m-%d"]),
        metavar="YYYY-MM-DD",
        help=f"The day at whose beginning (UTC) {words}.  [default: never]",
    )


def webhook_events(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return an option that takes the events of a webhook, `events`, as often as it is named."""
    return click.option(
        *(name, "events"),
        multiple=True,
        metavar="E",
        help="An event to be told of, in place of the three ends, such as execution.waiting.  "
        "May be repeated.",
    )


def milliseconds(day: datetime | None) -> int | None:
    """Return the beginning of a day (UTC) in milliseconds."""
    return None if day is None else int(day.replace(tzinfo=UTC).timestamp() * 1000)
