"""Message of a command that is interrupted while an execution or a list of runs goes on."""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from deploy.client.api import Answer
from deploy.client.server_access import Access
from deploy.stack.banner import typed_command

EXECUTION, BATCH, REPLAY = "execution", "batch", "replay"
GROUP = {REPLAY: ("workflow", REPLAY)}
"""Words of the group of commands, where these are more than the noun."""
PLURAL = {EXECUTION: "executions", BATCH: "batches", REPLAY: "replays"}
WATCH = {EXECUTION: ("watch",), BATCH: ("show", "--watch"), REPLAY: ("show", "--watch")}
"""Command and options that watch one of them."""


class Interruption:
    """Reports what a command waits for when it is interrupted: an execution, or a list of runs."""

    def __init__(self, access: Access, noun: str = EXECUTION) -> None:
        self._access = access
        self._noun = noun
        self._id = ""

    def set_id(self, begun_id: str) -> None:
        """Name what has begun."""
        self._id = begun_id

    async def started(self, start: Coroutine[Any, Any, Answer]) -> Answer:
        """Start an execution or a list of runs; an interruption meanwhile waits for its id."""
        starting, member = asyncio.ensure_future(start), f"{self._noun}Id"
        try:
            begun = await asyncio.shield(starting)
        except asyncio.CancelledError:
            self.set_id((await starting)[member])
            raise
        self.set_id(begun[member])
        return begun

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Report on standard error that it goes on when the wait is interrupted."""
        try:
            yield
        except asyncio.CancelledError:
            print(f"headrace: {self._sentence()}", file=sys.stderr)
            raise

    def _sentence(self) -> str:
        if not self._id:
            not_begun = f"Interrupted before the server had said which {self._noun} it began."
            return f"{not_begun} List {PLURAL[self._noun]}:  {self._command('list')}"
        watch, *options = WATCH[self._noun]
        return "\n".join(
            (
                f"Interrupted; the {self._noun} {self._id} goes on.",
                f"  Watch it:   {self._command(watch, self._id, *options)}",
                f"  Cancel it:  {self._command('cancel', self._id)}",
            )
        )

    def _command(self, *words: str) -> str:
        group = GROUP.get(self._noun, (self._noun,))
        return typed_command(*group, *words, *self._access.options())
