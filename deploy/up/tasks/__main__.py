"""`python -m deploy.up.tasks NAME` does the task of the module of that name.

The arguments are a JSON object on standard input, and so is the result on standard output; a
`failure` in it is a sentence.
"""

import asyncio
import importlib
import json
import sys
from typing import Any

from deploy.output.problems import CommandFailed
from engine.settings import SettingError


async def _run() -> dict[str, Any]:
    task = importlib.import_module(f"{__package__}.{sys.argv[1]}")
    try:
        result: dict[str, Any] = await task.run(**json.load(sys.stdin))
    except (CommandFailed, SettingError) as error:
        result = {"failure": str(error)}
    return result


json.dump(asyncio.run(_run()), sys.stdout)
