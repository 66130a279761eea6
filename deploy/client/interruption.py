"""Message of a command that is interrupted while an execution goes on."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.client.server_access import Access
from deploy.stack.banner import typed_command

NOT_BEGUN = "Interrupted before the server had said which execution it began."


class Interruption:
    """Reports the execution that a command waits for when it is interrupted."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._execution_id = ""

    def set_execution(self, execution_id: str) -> None:
        """Name the execution that has begun."""
        self._execution_id = execution_id

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Report on standard error that the execution goes on when the wait is interrupted."""
        try:
            yield
        except asyncio.CancelledError:
            print(f"headrace: {self._sentence()}", file=sys.stderr)
            raise

    def _sentence(self) -> str:
        if not self._execution_id:
            return f"{NOT_BEGUN} List executions:  {self._command('list')}"
        return "\n".join(
            (
                f"Interrupted; the execution {self._execution_id} goes on.",
                f"  Watch it:   {self._command('watch', self._execution_id)}",
                f"  Cancel it:  {self._command('cancel', self._execution_id)}",
            )
        )

    def _command(self, *words: str) -> str:
        return typed_command("execution", *words, *self._access.options())
