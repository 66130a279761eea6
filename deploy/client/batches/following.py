"""Following a batch or another list of runs to its end, with or without showing its counts."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from deploy.client.api import Answer
from deploy.client.batches.caller import BatchCaller
from deploy.client.watching import MAX_SILENCES, is_final
from deploy.net.http_client import Unreachable
from deploy.output.problems import ApiRefused
from engine.executions.retry import jittered

PAUSES = 0.1, 2.0
"""First and longest pause between two reads, in seconds."""
ENDED = frozenset({"completed", "cancelled"})


async def follow_batch(caller: BatchCaller, batch_id: str, *, shows: bool) -> Answer:
    """Poll a batch until it has ended; show its counts on standard error when they change."""
    return await follow_counts(lambda: caller.batch(batch_id), shows=shows)


async def follow_counts(read: Callable[[], Awaitable[Answer]], *, shows: bool) -> Answer:
    """Poll an answer with `status` and `counts` until it has ended; return the last one.

    Its counts are shown on standard error when they change, if asked for.
    """
    (pause, longest), silences, shown = PAUSES, 0, ""
    while True:
        try:
            found = await read()
        except (Unreachable, ApiRefused) as error:
            silences += 1
            if is_final(error) or silences > MAX_SILENCES:
                raise
        else:
            silences = 0
            if shows and (words := counts_text(found)) != shown:
                _show(words, is_first=not shown)
                shown = words
            if found["status"] in ENDED:
                _end_line(is_shown=bool(shown))
                return found
        await asyncio.sleep(jittered(pause))
        pause = min(pause * 1.5, longest)


def counts_text(counted: Answer) -> str:
    """Return each count that is not 0, with its name."""
    counts = [f"{count} {status}" for status, count in counted["counts"].items() if count]
    return ", ".join(counts)


def _show(words: str, *, is_first: bool) -> None:
    """Print the counts: over the last ones on a terminal, else as a line."""
    if sys.stderr.isatty():
        print(f"{'' if is_first else chr(13)}{words}\x1b[K", end="", file=sys.stderr, flush=True)
    else:
        print(words, file=sys.stderr, flush=True)


def _end_line(*, is_shown: bool) -> None:
    if is_shown and sys.stderr.isatty():
        print(file=sys.stderr)
