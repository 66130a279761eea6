"""The database of a stack's history: migrated at the start, and found by commands."""

import asyncio
import os
from pathlib import Path

from deploy.problems import CommandFailed
from deploy.stack.console import Console
from deploy.stack.location import DATABASE_URL, RECORD, database_url, read_private
from engine.history.database import Database, HistoryUnavailable
from engine.history.migrate import migrate

AGAIN_SECONDS = 5.0


class StackHistory:
    """Migrates the database; one that is away is waited for while the stack serves."""

    def __init__(self, url: str, console: Console) -> None:
        """Raises SettingError for a URL that names no database."""
        self.url = url
        self._database = Database(url)
        self._console = console

    async def prepare(self) -> asyncio.Task[None]:
        """Migrate the database; return a task that goes on trying when it is away."""
        is_ready = await self._migrate()
        return asyncio.create_task(self._try_again(is_ready), name="migrate")

    async def _try_again(self, is_ready: bool) -> None:
        while not is_ready:
            await asyncio.sleep(AGAIN_SECONDS)
            is_ready = await self._migrate(is_quiet=True)
        self._database.close()

    async def _migrate(self, *, is_quiet: bool = False) -> bool:
        try:
            await asyncio.to_thread(migrate, self._database)
        except HistoryUnavailable as error:
            if not is_quiet:
                text = f"the database of the history is away: {error.reason}; Redis keeps all"
                self._console.print("up", text)
            return False
        return True


def find_database(data_dir: Path) -> Database:
    """Return the database of a stack: the environment's, the running one's, or the folder's."""
    settings = read_private(data_dir / RECORD).get("settings", {})
    url = os.environ.get(DATABASE_URL) or settings.get(DATABASE_URL)
    return Database(url or database_url(data_dir, os.environ))


def reason_of(error: HistoryUnavailable) -> CommandFailed:
    """Return the failure of a command whose database cannot be used."""
    return CommandFailed(f"The database of the history cannot be used: {error.reason}.")
