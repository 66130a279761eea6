"""The database of a stack's history, migrated at the start in a process of its own."""

import asyncio

from deploy.stack.console import Console
from deploy.up.tasks.process import run_task

AGAIN_SECONDS = 10.0


class StackHistory:
    """Migrates the database; one that is away is waited for while the stack serves."""

    def __init__(self, url: str, console: Console) -> None:
        self.url = url
        self._console = console

    async def prepare(self) -> asyncio.Task[None]:
        """Migrate the database; return a task that goes on trying when it is away.

        Raises CommandFailed for a URL that names no database.
        """
        is_ready = await self._migrate()
        return asyncio.create_task(self._try_again(is_ready), name="migrate")

    async def _try_again(self, is_ready: bool) -> None:
        while not is_ready:
            await asyncio.sleep(AGAIN_SECONDS)
            is_ready = await self._migrate(is_quiet=True)

    async def _migrate(self, *, is_quiet: bool = False) -> bool:
        away: str | None = (await run_task("migrate_history", url=self.url)).get("away")
        if away is not None and not is_quiet:
            text = f"the database of the history is away: {away}; Redis keeps all"
            self._console.print("up", text)
        return away is None
