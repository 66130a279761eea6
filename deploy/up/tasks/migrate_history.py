"""Migration of the history's database."""

import asyncio
from typing import Any

from deploy.output.problems import CommandFailed
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate
from engine.settings import SettingError


async def run(*, url: str) -> dict[str, Any]:
    """Make or migrate the tables; `away` is why the database cannot be used now.

    Raises CommandFailed for a URL that names no database.
    """
    try:
        database = Database(url)
        await asyncio.to_thread(migrate, database)
    except SettingError as error:
        raise CommandFailed(str(error)) from error
    except HistoryUnavailable as error:
        return {"away": error.reason}
    database.close()
    return {}
